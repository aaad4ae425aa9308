"""Data quality in the central table: the mark of a row, the filter, trust among the totals."""

import datetime as dt
import re
from decimal import Decimal

import pytest

from accounts.models import get_company
from renewals.models import DataRule, Renewal, RenewalQuality
from renewals.quality.evaluate import evaluate_all
from renewals.quality.marks import mark
from tests.cast import Cast, make_account, make_renewal


@pytest.fixture
def book(cast: Cast) -> list[Renewal]:
    """In order; a warning and a note; an error; a note."""
    today = get_company().today()
    due_on, long_ago = today + dt.timedelta(days=365), today - dt.timedelta(days=60)
    rows = [
        make_renewal(owner=cast.rep, due_on=due_on, baseline_amount=Decimal(800), account=make_account(name="Order")),
        make_renewal(
            owner=cast.rep, due_on=due_on, baseline_amount=Decimal(100), account=make_account(name="Warning & note"),
            confidence=90, next_step_on=long_ago,
        ),
        make_renewal(owner=None, due_on=due_on, baseline_amount=Decimal(50), account=make_account(name="Error")),
        make_renewal(
            owner=cast.rep, due_on=due_on, baseline_amount=Decimal(50), account=make_account(name="Note"),
            next_step_on=long_ago,
        ),
    ]  # fmt: skip
    evaluate_all(as_of=today)
    return rows


def test_row_is_marked_with_its_worst_and_names_every_rule(cast: Cast, book: list[Renewal]) -> None:
    page = cast.client_of("admin").get("/renewals/").content.decode()
    marks = dict(re.findall(r'<b dir="auto"><a [^>]*>([^<]*)</a></b> (?:<a class="g-mark p-(\w+)")?', page))
    assert marks == {"Order": "", "Warning &amp; note": "warn", "Error": "bad", "Note": "info"}
    assert f'href="/quality/?renewal={book[1].pk}" title="Confidence contradicts the stage; Stale next step"' in page


def test_mark_of_hostile_names_is_text() -> None:
    assert "<script>" not in mark(3, ['"><script>alert(1)</script>'], 7)
    assert mark(None, [], 7) == ""
    assert mark(2, [], 7) == ""  # its rules were deleted since


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("any", [1, 2, 3]),
        ("none", [0]),
        ("error", [2]),
        ("warning", [1]),
        ("info", [1, 3]),
        ("11", [1, 3]),
        ("8", [2]),
        ("error&quality=5", [1, 2]),
        ("all", [0, 1, 2, 3]),
    ],
)
def test_filter_finds_rows_by_severity_and_by_rule(
    cast: Cast, book: list[Renewal], value: str, expected: list[int]
) -> None:
    page = cast.client_of("admin").get(f"/renewals/?quality={value}").content.decode()
    assert set(map(int, re.findall(r'<tr id="renewal-(\d+)"', page))) == {book[place].pk for place in expected}


@pytest.mark.parametrize("value", ["fatal", "9999", "99999999999999", "-1", "5;"])
def test_filter_that_says_nothing_known_is_told(cast: Cast, book: list[Renewal], value: str) -> None:
    page = cast.client_of("admin").get("/renewals/", {"quality": value}).content.decode()
    assert f"Data quality: there is no “{value}”. It was left out." in page


def test_severity_without_a_rule_finds_nothing(cast: Cast, book: list[Renewal]) -> None:
    DataRule.objects.filter(severity=DataRule.Severity.ERROR).update(severity=DataRule.Severity.WARNING)
    page = cast.client_of("admin").get("/renewals/?quality=error").content.decode()
    assert '<tr id="renewal-' not in page


def test_menu_offers_severities_and_active_rules(cast: Cast) -> None:
    DataRule.objects.filter(name="No offer").update(is_active=False)
    menu = cast.client_of("rep").get("/renewals/filters/quality/").content.decode()
    assert "Stale next step" in menu
    assert "No offer" not in menu
    assert 'value="warning"' in menu


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ("85", "€ 150 break a rule")),
        ("?quality=info&quality=none", ("89", "€ 100 break a rule")),
        ("?quality=none", ("100", "nothing breaks a rule")),
        ("?quality=8", ("0", "€ 50 break a rule")),
    ],
)
def test_totals_say_how_much_can_be_trusted(
    cast: Cast, book: list[Renewal], query: str, expected: tuple[str, str]
) -> None:
    page = cast.client_of("admin").get(f"/renewals/totals/{query}").content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert re.findall(r"Trust in the data</dt><dd><b>([^<]*)</b> <span [^>]*>([^<]*)</span>", page) == [expected]


def test_mark_goes_with_the_edit_that_mends_it(cast: Cast, book: list[Renewal]) -> None:
    client = cast.client_of("rep")
    answer = client.post(f"/renewals/{book[1].pk}/confidence/", {"value": "40", "was": "90"}).content.decode()
    assert 'title="Stale next step"' in answer
    assert RenewalQuality.objects.get(pk=book[1].pk).worst_severity == DataRule.Severity.INFO
