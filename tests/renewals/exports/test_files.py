"""What stands in an exported file: exactly what is seen, typed, whole, and nothing that a spreadsheet would run."""

import csv
import datetime as dt
import io
import re
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict

from accounts.models import AccountHealth, get_company
from renewals.exports import columns as export_columns
from renewals.exports import files
from renewals.exports.guard import guarded, unguarded
from renewals.exports.services import request_export
from renewals.exports.state import StateUnreadable, make_signer, read_state
from renewals.models import ChurnReason, Export, Offer, Renewal, RenewalScore, Stage
from renewals.table.columns import COLUMNS
from renewals.table.filter_kinds import Reader
from renewals.table.filters import read_query
from renewals.table.paging import ORDERS, page_ids
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.exports.export_book import exported, exported_lines, sheet

HOSTILE = ["=1+1", "+44 20 7946", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "a;=cmd|'/c calc'!A0", "＝1+1"]


def full_renewal(cast: Cast) -> Renewal:
    account = make_account(owner=cast.rep, name="Halden Biotech", last_touch_on=dt.date(2026, 11, 2))
    renewal = make_renewal(
        owner=cast.rep,
        account=account,
        due_on=dt.date(2026, 10, 31),
        baseline_amount=Decimal("12000.50"),
        forecast_amount=Decimal("9000.00"),
        offer=Offer.objects.create(name="Platform, 3 years"),
        confidence=70,
        next_step='Call "Jo"; then write',
        next_step_on=dt.date(2026, 12, 1),
        expected_order_on=dt.date(2026, 12, 2),
    )
    RenewalScore.objects.create(
        renewal=renewal,
        account=account,
        timing_class=2,
        timing_days=21,
        risk_score=55.25,
        likelihood=0.6312,
        likelihood_count=40,
        probability=0.705,
        completeness=0.5,
        contributions=[],
    )
    return renewal


def test_csv_has_every_column_in_order_and_its_values_as_they_are(cast: Cast) -> None:
    renewal = full_renewal(cast)
    (line,) = exported_lines(cast.rep)
    state = line.pop("_state")
    assert line == {
        "id": str(renewal.pk),
        "Account": "Halden Biotech",
        "Segment": "Enterprise",
        "Contract": renewal.contract.number,
        "Due": "2026-10-31",
        "Decision": "2026-10-31",
        "Timing": "Overdue",
        "Timing days": "21",
        "Stage": renewal.stage.name,
        "Baseline": "12000.50",
        "Currency": "EUR",
        "Forecast": "9000.00",
        "Offer": "Platform, 3 years",
        "Confidence %": "70",
        "Likelihood %": "63.12",
        "Probability %": "70.5",
        "Risk": "55.25",
        "Owner": "Rhea Rep",
        "Next step": 'Call "Jo"; then write',
        "Next step due": "2026-12-01",
        "Last touch": "2026-11-02",
        "Expected order": "2026-12-02",
        "Ordered": "",
        "Outcome": "Open",
        "Churn reason": "",
        "Final amount": "",
    }
    assert read_state(state, renewal.pk)["next_step"] == 'Call "Jo"; then write'


def test_health_is_in_the_file_of_a_table_that_shows_it(cast: Cast) -> None:
    renewal = full_renewal(cast)
    AccountHealth.objects.create(
        account=renewal.account, score=38.25, band=0, completeness=1, contributions=[], changed_on=dt.date(2026, 11, 1)
    )
    (line,) = exported_lines(cast.rep, "outcome=open&columns=account,health")
    assert (line["Health"], line["Health band"]) == ("38.25", "Poor")


def test_xlsx_has_numbers_as_numbers_and_dates_as_dates(cast: Cast) -> None:
    renewal = full_renewal(cast)
    head, row = sheet(exported(cast.rep, format="xlsx"))
    cells = dict(zip(head, row, strict=True))
    cells.pop("_state")
    assert {name: value for name, value in cells.items() if not isinstance(value, str)} == {
        "id": renewal.pk,
        "Due": dt.date(2026, 10, 31),
        "Decision": dt.date(2026, 10, 31),
        "Timing days": 21,
        "Baseline": 12000.5,
        "Forecast": 9000,
        "Confidence %": 70,
        "Likelihood %": 63.12,
        "Probability %": 70.5,
        "Risk": 55.25,
        "Next step due": dt.date(2026, 12, 1),
        "Last touch": dt.date(2026, 11, 2),
        "Expected order": dt.date(2026, 12, 2),
    }


def test_xlsx_says_what_it_is_on_a_sheet_of_its_own(cast: Cast) -> None:
    make_renewal(owner=cast.rep, next_step="Call")
    about = dict(sheet(exported(cast.rep, "outcome=open&owner=me", "xlsx"), "About"))
    assert (about["Rows"], about["By"]) == (1, "Rhea Rep")
    assert (about["Filters"], about["Sorted by"]) == ("Owner: me; Outcome: Open", "Due")
    about = dict(sheet(exported(cast.rep, "outcome=open&sort=-baseline_amount", "xlsx"), "About"))
    assert about["Sorted by"] == "Baseline, last first"


def test_columns_of_the_address_are_the_columns_of_the_file(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    for query in ("columns=outcome,account,nonsense,account", "columns=outcome&columns=account"):
        (line,) = exported_lines(cast.rep, query)
        assert list(line) == ["id", "Account", "Segment", "Outcome", "Churn reason", "Final amount", "_state"]


def test_every_column_of_the_table_has_its_columns_in_the_file() -> None:
    assert set(export_columns.BEHIND) == set(COLUMNS)


def test_only_what_the_user_may_see_is_in_the_file(cast: Cast) -> None:
    seen = {make_renewal(owner=owner).pk for owner in (cast.rep, cast.team_mate)}
    make_renewal(owner=cast.outsider)
    assert {int(line["id"]) for line in exported_lines(cast.viewer, "outcome=all")} == seen


def test_filters_are_those_of_the_page_and_a_bare_address_means_the_open_ones(cast: Cast) -> None:
    still = make_renewal(owner=cast.rep)
    lost = make_renewal(owner=cast.rep, outcome="lost", final_amount=0)
    assert [int(line["id"]) for line in exported_lines(cast.rep)] == [still.pk]
    assert [int(line["id"]) for line in exported_lines(cast.rep, "outcome=lost")] == [lost.pk]


def assorted(cast: Cast) -> None:
    stages, offers = list(Stage.objects.all()), [Offer.objects.create(name=name) for name in ("Zeta", "Alpha")]
    for number in range(24):
        renewal = make_renewal(
            owner=[cast.rep, cast.team_mate, None][number % 3],
            account=make_account(owner=cast.rep, name=f"Account {number % 5}"),
            due_on=dt.date(2026, 11, 1) + dt.timedelta(days=number % 4),
            stage=stages[number % len(stages)],
            offer=[None, *offers][number % 3],
            confidence=[None, 20, 50][number % 3],
            forecast_amount=[None, 100, 100, 300][number % 4],
            expected_order_on=[None, dt.date(2026, 12, 1)][number % 2],
            **({"outcome": "lost", "final_amount": 0} if number % 5 == 4 else {}),
        )
        if number % 4:
            RenewalScore.objects.create(
                renewal=renewal, account=renewal.account, timing_class=[8, 1, 2, 8][number % 4], timing_days=number,
                risk_score=[None, 10.0, 90.0][number % 3], likelihood=0.5, likelihood_count=1,
                probability=number / 50, completeness=1, contributions=[],
            )  # fmt: skip


@pytest.mark.parametrize("sort", [sign + name for name in ORDERS for sign in ("", "-")])
def test_the_order_is_that_of_the_pages(cast: Cast, sort: str) -> None:
    assorted(cast)
    address = f"outcome=all&sort={sort}"
    query = read_query(QueryDict(address), Reader(cast.admin, get_company().today()))
    pages = page_ids(query.apply(Renewal.objects.all()), query.sort, query.slices, first=0, count=100)
    assert len(pages) == 24
    assert [int(line["id"]) for line in exported_lines(cast.admin, address)] == pages


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_a_formula_in_csv_under_any_separator(cast: Cast, text: str) -> None:
    make_renewal(owner=cast.rep, next_step=text, account=make_account(owner=cast.rep, name=text))
    content = exported(cast.rep).decode("utf-8-sig")
    for separator in (",", ";", "\t"):
        for line in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
            for cell in line:
                assert not re.match(r"\s*[=+@＝＋－＠]|\s*-[^0-9]|[\t\r\n]", cell), (separator, cell)


@pytest.mark.parametrize("text", [*HOSTILE, "'=1", "plain", "", "a - b", "5;-3", "it's"])
def test_a_guard_is_taken_off_again(text: str) -> None:
    assert unguarded(guarded(text)) == text or guarded(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_xlsx_has_texts_and_not_one_formula(cast: Cast, text: str) -> None:
    make_renewal(owner=cast.rep, next_step=text, account=make_account(owner=cast.rep, name=text))
    content = exported(cast.rep, format="xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    head, row = sheet(content)
    assert str(row[head.index("Account")]).strip() == text.strip()


def test_negative_numbers_stay_numbers(cast: Cast) -> None:
    renewal = full_renewal(cast)
    RenewalScore.objects.filter(renewal=renewal).update(timing_days=-12)
    assert exported_lines(cast.rep)[0]["Timing days"] == "-12"
    head, row = sheet(exported(cast.rep, format="xlsx"))
    assert row[head.index("Timing days")] == -12.0


def test_outcomes_are_told_in_three_columns(cast: Cast) -> None:
    reason = ChurnReason.objects.order_by("pk").first()
    make_renewal(owner=cast.rep, outcome="lost", final_amount=0, churn_reason=reason)
    (line,) = exported_lines(cast.rep, "outcome=lost")
    assert (line["Outcome"], line["Churn reason"], line["Final amount"]) == ("Lost", str(reason), "0.00")


def test_a_sheet_that_is_full_is_refused_and_never_cut(cast: Cast, monkeypatch: Any) -> None:
    from renewals.exports import services

    for _ in range(3):
        make_renewal(owner=cast.rep)
    monkeypatch.setattr(services, "XLSX_MOST_ROWS", 2)
    with pytest.raises(files.TooManyRows, match=r"3 rows are more than an XLSX sheet holds .* Take CSV"):
        request_export(query_string="", format="xlsx", user=cast.rep)
    assert not Export.objects.exists()
    monkeypatch.setattr(services, "XLSX_MOST_ROWS", 5)
    monkeypatch.setattr(files, "XLSX_MOST_ROWS", 2)
    with pytest.raises(files.TooManyRows):  # rows that came while it was written
        exported(cast.rep, format="xlsx")


def test_a_state_belongs_to_its_row_and_cannot_be_made_by_hand() -> None:
    values = "1||12000.00||||open||||2026-12-01|a|b"
    text = make_signer()(7, values)
    read = read_state(text, 7)
    assert (read["stage_id"], read["confidence"], read["next_step"]) == ("1", "", "a|b")
    for other in (text[:-4], text.replace("s1", "s2"), "", "s1", "s1%%%", "=cmd", text[:2] + text[6:]):
        with pytest.raises(StateUnreadable):
            read_state(other, 7)
    with pytest.raises(StateUnreadable):
        read_state(text, 8)
