"""The fields of a template, and putting values into it. Nothing is evaluated: a field is one of this list, or wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.models import Account, Company, Contact, User
from accounts.templatetags.money import money
from renewals.models import Renewal
from renewals.table.columns import DATE

# What stands in braces, a doubled brace (which stands for itself), or a brace without its other.
PART = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")


class TemplateWrong(ValueError):
    """A template that cannot be filled in; the message names the template and the field."""


@dataclass(frozen=True)
class Facts:
    """What a mail about a renewal can speak of."""

    account: Account
    renewal: Renewal
    contacts: Sequence[Contact]
    rep: User
    company: Company
    today: dt.date


@dataclass(frozen=True)
class Filled:
    text: str
    blank_fields: tuple[str, ...]  # those for which this renewal has no value


def _named(contacts: Sequence[Contact], name_of: Callable[[Contact], str]) -> str:
    """Anna, or Anna and Ben, or Anna, Ben and Carl."""
    *names, last = [name_of(contact) for contact in contacts] or [""]
    return f"{', '.join(names)} and {last}" if names else last


FIELDS: dict[str, tuple[str, Callable[[Facts], object]]] = {
    "account.name": ("The customer", lambda facts: facts.account.name),
    "account.segment": ("Its segment", lambda facts: facts.account.segment),
    "account.region": ("Its region", lambda facts: facts.account.region),
    "contact.name": ("Whom it goes to", lambda facts: _named(facts.contacts, lambda contact: contact.name)),
    "contact.first_name": (
        "Their first names",
        lambda facts: _named(facts.contacts, lambda contact: contact.name.split()[0]),
    ),
    "contract.number": ("The contract", lambda facts: facts.renewal.contract.number),
    "contract.product": ("Its product", lambda facts: facts.renewal.contract.product),
    "renewal.due_on": ("Last day of the term", lambda facts: facts.renewal.due_on),
    "renewal.decision_on": ("Last day to say no", lambda facts: facts.renewal.decision_on),
    "renewal.notice_days": ("Notice, days", lambda facts: facts.renewal.notice_days),
    "renewal.baseline_amount": (
        "Recurring value, a year",
        lambda facts: money(facts.renewal.baseline_amount, facts.renewal.currency),
    ),
    "renewal.offer": ("The offer", lambda facts: facts.renewal.offer),
    "rep.name": ("Who writes", lambda facts: facts.rep.name),
    "rep.email": ("Their address", lambda facts: facts.rep.email),
    "company.name": ("Our company", lambda facts: facts.company.name),
    "today": ("The day on which it is sent", lambda facts: facts.today),
}


def check_template(text: str, *, name: str) -> None:
    """Raises TemplateWrong where a field is unknown or a brace stands alone. `name` is the template's."""
    for match in PART.finditer(text):
        _check_part(match, text, name)


def fill(text: str, facts: Facts, *, name: str) -> Filled:
    """The text with each field's value; blank where the renewal has none.

    Raises: TemplateWrong, as check_template.
    """
    blank: list[str] = []

    def value_of(match: re.Match[str]) -> str:
        _check_part(match, text, name)
        field = match.group(1)
        if field is None:
            return match.group()[0]
        value = _words(FIELDS[field][1](facts))
        if not value:
            blank.append(field)
        return value

    filled = PART.sub(value_of, text)
    return Filled(filled, tuple(dict.fromkeys(blank)))


def _check_part(match: re.Match[str], text: str, name: str) -> None:
    line = text.count("\n", 0, match.start()) + 1
    field = match.group(1)
    if field is None:
        if len(match.group()) == 1:
            raise TemplateWrong(
                f"Template {name!r}, line {line}: {match.group()} stands alone. Write a field as {{account.name}}, and "
                f"{match.group() * 2} for the sign itself."
            )
    elif field not in FIELDS:
        raise TemplateWrong(f"Template {name!r}, line {line}: there is no field {{{field}}}.")


def _words(value: object) -> str:
    """On one line and without what no mail holds: a name with a line break in it must not begin a new header."""
    if value is None:
        return ""
    text = f"{value:{DATE}}" if isinstance(value, dt.date) else str(value)
    return " ".join(text.replace("\x00", "").split())
