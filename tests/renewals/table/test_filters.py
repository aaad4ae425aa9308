"""The address of the table: what it restricts, how it reads on its pills, and what is left out and said."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import AccountHealth, HealthBand, Industry, Segment, User
from renewals.models import Offer, Renewal, RenewalScore, Stage, TimingClass
from renewals.table.columns import DEFAULT_COLUMNS
from renewals.table.filter_kinds import Reader
from renewals.table.filters import Query, read_query
from renewals.table.groups import BOOKINGS
from renewals.table.paging import page_ids
from tests.cast import Cast, make_account, make_renewal

AS_OF = dt.date(2026, 11, 21)


def read(address: str, user: User) -> Query:
    return read_query(QueryDict(address), Reader(user, AS_OF, fiscal_month=2))


def found(address: str, user: User) -> list[int]:
    query = read(address, user)
    assert query.problems == []
    return sorted(query.apply(Renewal.objects.visible_to(user)).values_list("pk", flat=True))


def scored(renewal: Renewal, timing: TimingClass, risk: float | None = None) -> Renewal:
    values = {"timing_days": 0, "likelihood": 0.5, "likelihood_count": 1, "probability": 0.5, "completeness": 1}
    RenewalScore.objects.create(
        renewal=renewal, account=renewal.account, timing_class=timing, risk_score=risk, contributions=[], **values
    )
    return renewal


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("due_from=2026-12-01", [1, 2]),
        ("due_to=2026-12-01", [0, 1]),
        ("due_from=2026-12-01&due_to=2026-12-01", [1]),
        ("decision_from=2026-11-01&decision_to=2026-11-01", [0, 1]),
        ("ordered_from=2026-11-02", [0]),
        ("outcome=open", [1, 2]),
        ("outcome=open&outcome=renewed", [0, 1, 2]),
        ("outcome=all", [0, 1, 2]),
        ("timing=overdue", [2]),
        ("timing=on_time&timing=overdue", [0, 2]),
        ("risk=high", [1]),
        ("risk=medium&risk=high", [1, 2]),
        ("risk=low", [0]),
        ("health=poor", [1]),
        ("health=poor&health=healthy", [0, 1]),
        ("health=unknown", [2]),
        ("health=healthy&health=unknown", [0, 2]),
        ("category=commit", [1]),
        ("currency=USD", [2]),
        ("currency=usd", [2]),
        ("excluded=yes", [0]),
        ("excluded=no", [1, 2]),
        ("q=hald", [1]),
        ("q=halden+bio", [1]),
        ("q=bio+hal", [1]),
        ("q=alden", []),
        ("q=ext-77", [1]),
        ("q=ext-7", [1]),
        ("q=biotech+%27%27", [1]),
        ("q=%5C", []),
        ("q=XC-2", [2]),
        ("q=xc-2", [2]),
        ("q=tom", [2]),
        ("q=mate", [2]),
        ("q=%27%3A%2A+%26+%21", []),
        ("q=%3Cscript%3E", []),
        ("outcome=open&currency=USD&q=tom", [2]),
        ("outcome=all&booking=downsell", [0]),
        ("booking=renewal&booking=upsell", [1, 2]),
    ],
)
def test_filter_restricts(cast: Cast, address: str, expected: list[int]) -> None:
    ordered = {"outcome": "renewed", "final_amount": Decimal(5), "ordered_on": dt.date(2026, 11, 2)}
    halden = make_account(name="Halden Biotech", external_id="EXT-77")
    verbal = Stage.objects.get(name="Verbal yes")
    rows = [
        scored(
            make_renewal(
                owner=cast.rep, due_on=dt.date(2026, 11, 1), is_excluded=True, excluded_reason="Merger", **ordered
            ),
            TimingClass.ON_TIME,
            risk=1,
        ),
        scored(
            make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 1), notice_days=30, account=halden, stage=verbal),
            TimingClass.UPCOMING,
            risk=90,
        ),
        scored(
            make_renewal(owner=cast.team_mate, due_on=dt.date(2026, 12, 15), currency="USD"),
            TimingClass.OVERDUE,
            risk=30,
        ),
    ]
    rows[2].contract.number = "XC-2"
    rows[2].contract.save()
    for row, band in zip(rows, (HealthBand.HEALTHY, HealthBand.POOR, None), strict=True):
        AccountHealth.objects.create(
            account=row.account, score=None, band=band, completeness=1, contributions=[], changed_on=AS_OF
        )
    number = {row.pk: place for place, row in enumerate(rows)}
    assert [number[pk] for pk in found(address, cast.admin)] == expected


def test_filter_by_rows_of_other_tables(cast: Cast) -> None:
    segment, industry = Segment.objects.create(name="SMB"), Industry.objects.create(name="Health")
    offer, stage = Offer.objects.create(name="Core"), Stage.objects.get(name="Proposal")
    account = make_account(segment=segment, industry=industry)
    wanted = make_renewal(owner=cast.rep, account=account, offer=offer, stage=stage)
    other = make_renewal(owner=cast.outsider)
    for address in (
        f"segment={segment.pk}",
        f"industry={industry.pk}",
        f"offer={offer.pk}",
        f"stage={stage.pk}",
        f"owner={cast.rep.pk}",
        f"team={cast.rep.team_id}",
        f"account={account.pk}",
    ):
        assert found(address, cast.admin) == [wanted.pk], address
    assert found("owner=me", cast.outsider) == [other.pk]
    assert found(f"owner={cast.rep.pk}&owner={cast.outsider.pk}", cast.admin) == sorted([wanted.pk, other.pk])


def test_bare_address_is_what_there_is_to_work_on(cast: Cast) -> None:
    query = read("", cast.rep)
    assert [(one.label, one.text) for one in query.conditions] == [("Outcome", "Open")]
    assert query.filter_query == "outcome=open"
    assert query.url_without(query.conditions[0]) == "?outcome=all"


def test_pill_says_the_period_by_its_name(cast: Cast) -> None:
    texts = {
        "due_from=2026-11-01&due_to=2027-01-31": "this quarter",  # the fiscal year begins in February
        "due_from=2026-11-01&due_to=2026-11-30": "this month",
        "due_from=2026-11-21&due_to=2026-12-21": "next 30 days",
        "due_from=2026-11-02": "from 02 Nov 2026",
        "due_to=2026-11-02": "to 02 Nov 2026",
        "due_from=2026-11-02&due_to=2026-11-02": "02 Nov 2026",
    }
    assert {address: read(address, cast.rep).conditions[0].text for address in texts} == texts


def test_pill_says_names(cast: Cast) -> None:
    stages = list(Stage.objects.all()[:2])
    query = read(f"stage={stages[0].pk}&stage={stages[1].pk}&owner=me&timing=win_back", cast.rep)
    assert {one.name: one.text for one in query.conditions} == {
        "stage": f"{stages[0]}, {stages[1]}",
        "owner": "me",
        "timing": "Win-back",
    }


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("due_from=2026-13-01", "due_from: “2026-13-01” is not a date written as 2026-11-21."),
        ("due_from=2026-12-02&due_to=2026-12-01", "Due: 02 Dec 2026 is after 01 Dec 2026."),
        ("outcome=maybe", "Outcome: “maybe” is not one of open, renewed, lost."),
        ("risk=<b>", "Risk: “<b>” is not one of low, medium, high."),
        ("stage=0", "Stage: there is no “0”."),
        ("stage=x", "Stage: there is no “x”."),
        ("stage=99999999999999999999999", "Stage: there is no “99999999999999999999999”."),
        ("currency=EURO", "Currency: “EURO” is not three letters such as EUR."),
        ("sort=password", "The table cannot be sorted by “password”."),
        ("sort=--due_on", "The table cannot be sorted by “--due_on”."),
        ("per_page=7", "A page has 25, 50, 100, 200, 500, 1000 rows, not “7”."),
        ("page=0", "There is no page “0”."),
        ("page=9999999999", "There is no page “9999999999”."),
        ("page=-1", "There is no page “-1”."),
        ("colour=red", "“colour” is not a filter of this table."),
        ("account=1", "Account: there is no “1”."),
    ],
)
def test_what_cannot_be_read_is_left_out_and_said(cast: Cast, address: str, problem: str) -> None:
    query = read(f"{address}&excluded=no", cast.rep)
    assert query.problems == [problem]
    assert [one.name for one in query.conditions] == ["excluded"]
    assert query.filter_query == "excluded=no"
    page = cast.client_of("rep").get(f"/renewals/?{address}&excluded=no")
    assert page.status_code == 200


def test_names_of_others_are_not_told_by_a_filter(cast: Cast) -> None:
    theirs = make_account(name="Secret", owner=cast.outsider)
    assert read(f"owner={cast.outsider.pk}", cast.rep).problems == [f"Owner: there is no “{cast.outsider.pk}”."]
    assert read(f"account={theirs.pk}", cast.rep).problems == [f"Account: there is no “{theirs.pk}”."]


def test_links_keep_the_rest_of_the_address(cast: Cast) -> None:
    query = read("outcome=open&timing=late&timing=overdue&sort=-risk&page=3&nonsense=1", cast.rep)
    filters = "timing=late&timing=overdue&outcome=open"
    assert query.url(sort="owner") == f"?{filters}&sort=owner"
    assert query.url(page="4") == f"?{filters}&sort=-risk&page=4"
    assert query.filter_query == filters


PARAMETERS = ["q", "due_from", "due_to", "timing", "risk", "stage", "owner", "account", "sort", "page", "per_page", "x"]


@pytest.mark.parametrize("address", ["timing=all", "booking=all", "outcome=all&timing=all&booking=all"])
def test_a_filter_that_says_all_pages_through_all(cast: Cast, address: str) -> None:
    query = read(address, cast.rep)
    assert (query.conditions, query.problems) == ([], [])
    assert query.slices == read("outcome=all", cast.rep).slices


class AnyAddress(TestCase):
    """A hand-made address is answered, whatever it says."""

    @given(st.lists(st.tuples(st.sampled_from(PARAMETERS), st.text(max_size=30)), max_size=6))
    def test_is_answered(self, pairs: list[tuple[str, str]]) -> None:
        params = QueryDict(mutable=True)
        for name, value in pairs:
            params.appendlist(name, value)
        user = User(pk=1, role="rep")
        query = read_query(params, Reader(user, AS_OF))
        assert list(query.apply(Renewal.objects.visible_to(user))[:1]) == []


def test_columns_are_read_in_their_order_behind_the_row_header(cast: Cast) -> None:
    query = read("outcome=open&columns=risk,due_on&columns=risk,account,colour,&sort=risk", cast.rep)
    assert query.columns == ("account", "risk", "due_on")
    assert query.problems == ["“colour” is not a column of this table."]
    assert query.url(sort="due_on") == "?outcome=open&columns=account,risk,due_on&sort=due_on"
    assert query.filter_query == "outcome=open"


@pytest.mark.parametrize("address", ["", "columns=", "columns=colour", f"columns={','.join(DEFAULT_COLUMNS)}"])
def test_without_a_choice_the_columns_are_the_default_ones(cast: Cast, address: str) -> None:
    query = read(address, cast.rep)
    assert query.columns == DEFAULT_COLUMNS
    assert "columns" not in query.params


def test_a_range_of_decision_days_finds_rows_whose_due_date_is_behind_it(cast: Cast) -> None:
    day = dt.date(2026, 12, 1)
    inside = make_renewal(owner=cast.rep, due_on=day + dt.timedelta(90), notice_days=90)
    make_renewal(owner=cast.rep, due_on=day, notice_days=1)
    assert found("decision_from=2026-12-01&decision_to=2026-12-01", cast.rep) == [inside.pk]


def test_the_slices_of_a_booking_type_leave_none_of_its_rows_out(cast: Cast) -> None:
    renewed: dict[str, Any] = {"outcome": "renewed", "ordered_on": dt.date(2026, 11, 2), "baseline_amount": Decimal(9)}
    for final in (8, 9, 10):
        make_renewal(owner=cast.rep, final_amount=Decimal(final), **renewed)
        make_renewal(owner=cast.rep, final_amount=Decimal(final), cross_sell_amount=Decimal(1), **renewed)
    for baseline in (0, 9):
        lost: dict[str, Any] = {"outcome": "lost", "final_amount": Decimal(0), "baseline_amount": Decimal(baseline)}
        make_renewal(owner=cast.rep, declined_on=dt.date(2026, 11, 2), **lost)
        for forecast in (None, Decimal(0), Decimal(8), Decimal(10)):
            make_renewal(owner=cast.rep, baseline_amount=Decimal(baseline), forecast_amount=forecast)
    told = []
    for name in BOOKINGS:
        query = read(f"outcome=all&booking={name}", cast.admin)
        rows = query.apply(Renewal.objects.visible_to(cast.admin))
        paged = page_ids(rows, "due_on", query.slices, first=0, count=100)
        assert sorted(paged) == sorted(rows.values_list("pk", flat=True))
        told += paged
    assert sorted(told) == sorted(Renewal.objects.values_list("pk", flat=True))


def test_a_category_is_paged_stage_by_stage_in_one_order(cast: Cast) -> None:
    stages = Stage.objects.filter(forecast_category="pipeline")
    for day in range(1, 4):
        for stage in (*stages, Stage.objects.get(name="Verbal yes")):
            make_renewal(owner=cast.rep, stage=stage, due_on=dt.date(2026, 12, day))
    query = read("outcome=all&category=pipeline", cast.admin)
    rows = query.apply(Renewal.objects.visible_to(cast.admin))
    expected = list(rows.order_by("due_on", "pk").values_list("pk", flat=True))
    assert len(query.slices.stages) == len(stages) > 1
    assert page_ids(rows, "due_on", query.slices, first=0, count=100) == expected
    assert page_ids(rows, "due_on", query.slices, first=2, count=3) == expected[2:5]
    assert page_ids(rows, "-due_on", query.slices, first=1, count=2) == expected[::-1][1:3]
    # Blank in the column that orders: behind, by due date, through the same slices.
    assert page_ids(rows, "forecast_amount", query.slices, first=0, count=4) == expected[:4]
