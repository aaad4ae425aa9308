"""What the address of the audit page asks for, and the pills that say it. What cannot be read is left out and said."""

from __future__ import annotations

import datetime as dt
import re
import uuid
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.http import QueryDict

from accounts.models import Account, User
from renewals.forms import shown
from renewals.history.kinds import KINDS, Kind
from renewals.history.log import DATABASE, WITHOUT_USER, Filters, Place
from renewals.history.words import how_label
from renewals.models import ChangeBatch, Renewal
from renewals.table.columns import DATE

NOBODY = "nobody"
MOST_ACCOUNTS = 50
LABELS = {
    "q": "Account",
    "who": "Who",
    "how": "How",
    "field": "Field",
    "from": "From",
    "to": "To",
    "account": "Account",
    "renewal": "Renewal",
    "batch": "Step",
}


class Unreadable(ValueError):
    """A parameter that this page cannot use; the message says why."""


@dataclass(frozen=True)
class Reader:
    user: User
    zone: zoneinfo.ZoneInfo


@dataclass
class Asked:
    """The address, read: the filters, their words by parameter, and what had to be left out."""

    filters: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    place: Place | None = None

    def as_filters(self) -> Filters:
        return Filters(**self.filters)

    def url(self, **changes: str) -> str:
        """The address with these set, or left out where blank; always from the newest on, but for `place`."""
        pairs = {name: value for name, value in {**self.values, **changes}.items() if value}
        return f"?{urlencode(pairs)}"

    @property
    def pills(self) -> list[dict[str, str]]:
        """The filters in force: label, text, and the address without it."""
        return [
            {"name": name, "label": LABELS[name], "text": text, "clear_url": self.url(**{name: ""})}
            for name, text in self.texts.items()
        ]


def read_address(params: QueryDict, reader: Reader) -> Asked:
    asked = Asked()
    for name, read in READERS.items():
        text = params.get(name, "").replace("\x00", "").strip()
        if not text:
            continue
        try:
            found, words = read(text, reader)
        except Unreadable as problem:
            asked.problems.append(str(problem))
            continue
        asked.filters |= found
        asked.texts[name], asked.values[name] = words, text
    if text := params.get("place", ""):
        try:
            asked.place = Place.parse(text)
        except ValueError:
            asked.problems.append("The page was not understood; these are the newest changes.")
    return asked


Read = tuple[dict[str, Any], str]


def _search(text: str, reader: Reader) -> Read:
    words = re.findall(r"\w+", text[:100])
    if not words:
        raise Unreadable(f"“{shown(text)}” holds no word to search for.")
    vector = SearchVector("name", "external_id", config="simple")
    # Quoted, so that no word is read as an operator; it holds letters, digits and underscores only.
    wanted = SearchQuery(" & ".join(f"'{word}':*" for word in words), search_type="raw", config="simple")
    found = Account.objects.annotate(words=vector).filter(words=wanted).order_by("pk").values_list("pk", flat=True)
    ids = list(found[: MOST_ACCOUNTS + 1])
    if len(ids) > MOST_ACCOUNTS:
        raise Unreadable(f"More than {MOST_ACCOUNTS} accounts have “{shown(text)}” in their name: type on.")
    return {"account_ids": tuple(ids)}, shown(text)


def _who(text: str, reader: Reader) -> Read:
    if text == NOBODY:
        return {"user_id": WITHOUT_USER}, "nobody signed in"
    if text == "me":
        return {"user_id": reader.user.pk}, "me"
    person = User.objects.filter(pk=_number(text, "person")).first()
    if person is None:
        raise Unreadable(f"There is no person {shown(text)}.")
    return {"user_id": person.pk}, person.name


def _how(text: str, reader: Reader) -> Read:
    if text not in (*ChangeBatch.How.values, DATABASE):
        raise Unreadable(f"Nothing is changed by “{shown(text)}”.")
    return {"how": text}, how_label("" if text == DATABASE else text)


def _field(text: str, reader: Reader) -> Read:
    code, _, column = text.partition(".")
    kind = KINDS.get(code)
    if kind is None or column not in kind.columns:
        raise Unreadable(f"History knows no field “{shown(text)}”.")
    return {"column": (kind, column)}, f"{kind.label(column)} of {kind.nouns}"


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"A date is written 2026-11-05, not “{shown(text)}”.") from None


def _from(text: str, reader: Reader) -> Read:
    day = _day(text)
    return {"first_at": dt.datetime.combine(day, dt.time(), reader.zone)}, day.strftime(DATE)


def _to(text: str, reader: Reader) -> Read:
    day = _day(text)
    if day == dt.date.max:
        raise Unreadable(f"“{shown(text)}” is out of range.")
    return {"before_at": dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), reader.zone)}, day.strftime(DATE)


def _account(text: str, reader: Reader) -> Read:
    account = Account.objects.visible_to(reader.user).filter(pk=_number(text, "account")).first()
    if account is None:
        raise Unreadable(f"There is no account {shown(text)} that you can see.")
    return {"account_ids": (account.pk,)}, account.name


def _renewal(text: str, reader: Reader) -> Read:
    rows = Renewal.objects.visible_to(reader.user).select_related("account", "contract")
    renewal = rows.filter(pk=_number(text, "renewal")).first()
    if renewal is None:
        raise Unreadable(f"There is no renewal {shown(text)} that you can see.")
    return {"renewal_id": renewal.pk}, str(renewal)


def _batch(text: str, reader: Reader) -> Read:
    try:
        batch_id = uuid.UUID(text)
    except ValueError:
        raise Unreadable(f"There is no step “{shown(text)}”.") from None
    description = ChangeBatch.objects.filter(pk=batch_id).values_list("description", flat=True).first()
    return {"batch_id": batch_id}, description or "one edit"


def _number(text: str, noun: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Unreadable(f"There is no {noun} “{shown(text)}”.")
    return int(text)


READERS: dict[str, Callable[[str, Reader], Read]] = {
    "q": _search,
    "who": _who,
    "how": _how,
    "field": _field,
    "from": _from,
    "to": _to,
    "account": _account,
    "renewal": _renewal,
    "batch": _batch,
}


def field_choices(user: User) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every column of the kinds that this user is told of, as the menu offers them: kind, code and label of each."""
    told = [(code, kind) for code, kind in reversed(KINDS.items()) if kind.is_shown_to(user)]
    return [(kind.nouns.capitalize(), _columns(code, kind)) for code, kind in told]


def _columns(code: str, kind: Kind) -> list[tuple[str, str]]:
    return sorted(((f"{code}.{column}", kind.label(column)) for column in kind.columns), key=lambda pair: pair[1])


def how_choices() -> list[tuple[str, str]]:
    return [(value, how_label(value)) for value in ChangeBatch.How.values] + [(DATABASE, how_label(""))]
