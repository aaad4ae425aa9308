"""Every order of the table: by its column, blank ones last both ways, ties by id, and no row twice or never."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AccountHealth
from renewals.models import Offer, Renewal, RenewalScore, Stage, TimingClass
from renewals.table.paging import ORDERS, Slices, page_ids
from tests.cast import Cast, make_account, make_renewal

EVERYTHING = Slices([str(outcome) for outcome in Renewal.Outcome], list(TimingClass))
DAY = dt.date(2026, 12, 1)


def score(renewal: Renewal, timing: TimingClass, **fields: object) -> None:
    values = {"likelihood": 0.5, "likelihood_count": 1, "probability": 0.5, "completeness": 1, "contributions": []}
    RenewalScore.objects.create(
        renewal=renewal, account=renewal.account, timing_class=timing, timing_days=0, **{**values, **fields}
    )


@pytest.fixture
def book(cast: Cast) -> list[Renewal]:
    """Six rows that differ, and tie, and have blanks, in every column."""
    core, plus = Offer.objects.create(name="Core"), Offer.objects.create(name="Plus")
    stages = list(Stage.objects.all())
    lost = {"outcome": "lost", "final_amount": 0}
    won = {"outcome": "renewed", "final_amount": Decimal(9), "ordered_on": DAY}
    rows = [
        make_renewal(owner=cast.rep, due_on=DAY, offer=plus, stage=stages[2], confidence=10),
        make_renewal(owner=cast.team_mate, due_on=DAY, offer=core, stage=stages[0], confidence=90, **won),
        make_renewal(owner=None, due_on=DAY, stage=stages[1], forecast_amount=Decimal(5), **lost),
        make_renewal(owner=cast.admin, due_on=DAY + dt.timedelta(1), stage=stages[2], next_step_on=DAY),
        make_renewal(owner=cast.rep, due_on=DAY, offer=core, stage=stages[2], confidence=10, expected_order_on=DAY),
        make_renewal(owner=cast.rep, due_on=DAY, account=make_account(name="Aa"), baseline_amount=Decimal(1)),
    ]
    classes = [TimingClass.UPCOMING, TimingClass.ON_TIME, TimingClass.LOST, TimingClass.OVERDUE, TimingClass.LATE]
    Account.objects.filter(pk=rows[3].account_id).update(last_touch_on=DAY)
    for number, points in ((0, 70.5), (1, 20), (4, 70.5), (3, None)):
        AccountHealth.objects.create(
            account=rows[number].account, score=points, completeness=1, contributions=[], changed_on=DAY
        )
    for number, (row, timing) in enumerate(zip(rows, classes, strict=False)):
        score(row, timing, probability=number / 10, risk_score=None if number == 3 else 10.0 * number)
    return rows


def in_pages(sort: str, size: int) -> list[int]:
    """All ids, page after page."""
    found: list[int] = []
    while page := page_ids(Renewal.objects.all(), sort, EVERYTHING, first=len(found), count=size):
        found += page
    return found


@pytest.mark.parametrize("sort", [f"{sign}{name}" for name in ORDERS for sign in ("", "-")])
def test_pages_hold_every_row_once(book: list[Renewal], sort: str) -> None:
    whole = page_ids(Renewal.objects.all(), sort, EVERYTHING, first=0, count=50)
    assert sorted(whole) == [row.pk for row in book]
    assert in_pages(sort, 1) == in_pages(sort, 4) == whole


def order_of(book: list[Renewal], sort: str) -> list[int]:
    """The book's own numbers, 0 to 5, in the order asked for."""
    number = {row.pk: place for place, row in enumerate(book)}
    return [number[pk] for pk in page_ids(Renewal.objects.all(), sort, EVERYTHING, first=0, count=50)]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("due_on", [0, 1, 2, 4, 5, 3]),
        ("-due_on", [3, 5, 4, 2, 1, 0]),
        ("confidence", [0, 4, 1, 2, 5, 3]),
        ("-confidence", [1, 4, 0, 2, 5, 3]),
        ("stage", [1, 5, 2, 0, 4, 3]),
        ("-stage", [0, 4, 3, 2, 1, 5]),
        ("owner", [3, 0, 4, 5, 1, 2]),
        ("-owner", [1, 0, 4, 5, 3, 2]),
        ("offer", [1, 4, 0, 2, 5, 3]),
        ("-offer", [0, 1, 4, 2, 5, 3]),
        ("probability", [0, 1, 2, 3, 4, 5]),
        ("-probability", [4, 3, 2, 1, 0, 5]),
        ("risk", [0, 1, 2, 4, 5, 3]),
        ("-risk", [4, 2, 1, 0, 5, 3]),
        ("health", [1, 0, 4, 2, 5, 3]),
        ("-health", [4, 0, 1, 2, 5, 3]),
        ("timing", [0, 3, 1, 4, 2, 5]),
        ("ordered_on", [1, 0, 2, 4, 5, 3]),
        ("baseline_amount", [5, 0, 1, 2, 3, 4]),
        ("outcome", [2, 0, 4, 5, 3, 1]),
    ],
)
def test_order_is_by_the_column_with_blank_ones_last(book: list[Renewal], sort: str, expected: list[int]) -> None:
    assert order_of(book, sort) == expected


def test_accounts_are_sorted_by_name(book: list[Renewal]) -> None:
    assert order_of(book, "account")[0] == 5
    assert order_of(book, "-account")[-1] == 5


def test_a_row_whose_score_is_of_a_former_outcome_is_not_lost(cast: Cast) -> None:
    stale = make_renewal(owner=cast.rep)
    score(stale, TimingClass.LOST)
    opened = Slices(["open"], [TimingClass.UPCOMING, TimingClass.OVERDUE])
    assert page_ids(Renewal.objects.open(), "-probability", opened, first=0, count=5) == [stale.pk]


def test_one_page_is_one_query(book: list[Renewal]) -> None:
    for sort in ORDERS:
        with CaptureQueriesContext(connection) as captured:
            page_ids(Renewal.objects.all(), sort, EVERYTHING, first=0, count=1)
        assert len(captured) == 1, sort


@pytest.mark.parametrize("sort", [f"{sign}{name}" for name in ORDERS for sign in ("", "-")])
def test_open_rows_alone_keep_the_order_that_they_have_among_all(book: list[Renewal], sort: str) -> None:
    Account.objects.filter(pk=book[1].account_id).update(last_touch_on=DAY - dt.timedelta(9))
    Account.objects.filter(pk=book[4].account_id).update(last_touch_on=DAY - dt.timedelta(1))
    scored_as_decided = {book[4].pk}  # stands with the blank ones until it is scored again
    open_ids = [row.pk for row in book if row.outcome == "open"]
    only_open = Slices(["open"], [t for t in TimingClass if t <= TimingClass.LAPSED])
    rows = Renewal.objects.filter(outcome="open")
    found = page_ids(rows, sort, only_open, first=0, count=50)
    assert sorted(found) == sorted(open_ids)
    whole = [pk for pk in page_ids(Renewal.objects.all(), sort, EVERYTHING, first=0, count=50) if pk in open_ids]
    kept = [[pk for pk in ids if pk not in scored_as_decided] for ids in (found, whole)]
    assert kept[0] == kept[1]


def test_rows_of_one_stage_come_by_due_date_over_all_outcomes(book: list[Renewal]) -> None:
    rows = Renewal.objects.filter(stage=book[0].stage)
    assert page_ids(rows, "due_on", EVERYTHING, first=0, count=50) == [book[0].pk, book[4].pk, book[3].pk]
