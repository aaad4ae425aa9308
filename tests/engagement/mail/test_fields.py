"""Templates: their fields and nothing else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import Contact, get_company
from engagement.mail.fields import FIELDS, Facts, TemplateWrong, check_template, fill
from tests.cast import Cast, make_account, make_renewal

HOW = "Write a field as {account.name}"
TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def facts(cast: Cast) -> Facts:
    account = make_account(owner=cast.rep, name="Halden\nBcc: x@example.com Biotech", region="Nordics")
    renewal = make_renewal(owner=cast.rep, account=account, baseline_amount=Decimal("12345.60"), notice_days=30)
    people = [Contact(account=account, name=name) for name in ("Ana Costa", "Ben Alm", "Carl {rep.name} Öst")]
    return Facts(account, renewal, people, cast.rep, get_company(), TODAY)


def filled(text: str, facts: Facts) -> str:
    return fill(text, facts, name="Notice").text


def test_fields_are_replaced_by_values_on_one_line(facts: Facts) -> None:
    assert filled("{account.name}: {renewal.decision_on}, {renewal.baseline_amount}, {today}", facts) == (
        "Halden Bcc: x@example.com Biotech: 15 Nov 2026, € 12,346, 22 Nov 2026"
    )
    assert filled("{rep.name} {rep.email} {renewal.notice_days} {account.region}", facts) == (
        "Rhea Rep rhea.rep@example.com 30 Nordics"
    )


def test_people_are_named_together_and_what_they_are_called_is_no_field(facts: Facts) -> None:
    assert filled("{contact.first_name}", facts) == "Ana, Ben and Carl"
    assert filled("{contact.name}", facts) == "Ana Costa, Ben Alm and Carl {rep.name} Öst"


def test_doubled_braces_are_braces(facts: Facts) -> None:
    assert filled("{{account.name}} {{{account.region}}}", facts) == "{account.name} {Nordics}"


def test_a_field_without_a_value_is_blank_and_named(facts: Facts) -> None:
    result = fill("{renewal.offer}{contract.product} {renewal.offer}", facts, name="Notice")
    assert (result.text, result.blank_fields) == (" ", ("renewal.offer", "contract.product"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Dear\n{account.owner}", "Template 'Notice', line 2: there is no field {account.owner}."),
        ("{account.name.__class__}", "Template 'Notice', line 1: there is no field {account.name.__class__}."),
        ("{ account.name }", "Template 'Notice', line 1: there is no field { account.name }."),
        ("{}", "Template 'Notice', line 1: there is no field {}."),
        ("{account.name!r}", "Template 'Notice', line 1: there is no field {account.name!r}."),
        ("a } b", f"Template 'Notice', line 1: }} stands alone. {HOW}, and }}}} for the sign itself."),
        ("{account\n.name}", f"Template 'Notice', line 1: {{ stands alone. {HOW}, and {{{{ for the sign itself."),
    ],
)  # fmt: skip
def test_what_is_no_field_is_refused_by_template_line_and_name(text: str, message: str) -> None:
    with pytest.raises(TemplateWrong) as wrong:
        check_template(text, name="Notice")
    assert str(wrong.value) == message


def test_every_field_has_a_value_or_is_blank(facts: Facts) -> None:
    for field in FIELDS:
        fill(f"{{{field}}}", facts, name="Notice")
