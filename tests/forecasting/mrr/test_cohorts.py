"""Recurring value and customers by when they came, against levels taken line by line, over books made at random."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from forecasting.models import MrrCohort, MrrTriangle
from forecasting.mrr.services import roll_up_mrr
from forecasting.services import refresh_stale_months
from tests.cast import Cast
from tests.forecasting.mrr.books import AS_OF, FIRST_ON, make_rates, random_book
from tests.forecasting.mrr.oracle import Line, Oracle
from tests.forecasting.mrr.test_services import edit_something, oracle, publish

Found = tuple[dict[tuple[object, ...], int], dict[tuple[object, ...], int]]


def month_ends(slow: Oracle) -> list[dt.date]:
    """The last day of each month from the one before the ledger begins to the day of the report."""
    starts = [*slow.months, slow.as_of + dt.timedelta(days=1)]
    ends = [start - dt.timedelta(days=1) for start in starts if start <= slow.as_of]
    return [*ends, slow.as_of]


def quarter_of(day: dt.date) -> dt.date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def levels_of(slow: Oracle) -> Found:
    """Value and customers at the end of every quarter, by scope and the quarter that each customer came in."""
    value: Counter[tuple[object, ...]] = Counter()
    count: Counter[tuple[object, ...]] = Counter()
    days = month_ends(slow)
    accounts: dict[int, list[Line]] = defaultdict(list)
    for line in slow.lines.values():
        accounts[line.account].append(line)
    for lines in accounts.values():
        first = next((day for day in days if any(line.level(day) for line in lines)), None)
        if first is None:
            continue
        came_on = None if first < FIRST_ON else quarter_of(first)
        named = min(
            (line for line in lines if line.level(first)), key=lambda one: (-one.level(first), one.scope[0] or 0)
        )
        for at, day in enumerate(days):
            if at + 1 < len(days) and quarter_of(days[at + 1]) == quarter_of(day):
                continue  # a later month of the quarter is there
            for line in lines:
                value[line.scope, came_on, quarter_of(day)] += line.level(day)
            count[named.scope, came_on, quarter_of(day)] += any(line.level(day) > 0 for line in lines)
    return {key: one for key, one in value.items() if one}, {key: one for key, one in count.items() if one}


def stored_levels(slow: Oracle) -> Found:
    quarters = list(dict.fromkeys(map(quarter_of, month_ends(slow))))
    value: Counter[tuple[object, ...]] = Counter()
    count: Counter[tuple[object, ...]] = Counter()
    for row in MrrCohort.objects.all():
        for quarter_on in quarters:
            if quarter_on >= row.quarter_on:
                key = ((row.owner_id, row.segment_id), row.came_on, quarter_on)
                value[key] += int(row.amount * 100)
                count[key] += row.account_count
    return {key: one for key, one in value.items() if one}, {key: one for key, one in count.items() if one}


def assert_whole_is_their_sum() -> None:
    sums: Counter[tuple[object, ...]] = Counter()
    for row in MrrCohort.objects.all():
        sums[row.came_on, row.quarter_on, "cents"] += int(row.amount * 100)
        sums[row.came_on, row.quarter_on, "count"] += row.account_count
    whole: dict[tuple[object, ...], int] = {}
    for one in MrrTriangle.objects.all():
        whole[one.came_on, one.quarter_on, "cents"] = int(one.amount * 100)
        whole[one.came_on, one.quarter_on, "count"] = one.account_count
    assert {key: one for key, one in whole.items() if one} == {key: one for key, one in sums.items() if one}
    assert whole


@pytest.mark.parametrize("seed", range(10))
def test_cohorts_are_the_levels_of_their_lines(cast: Cast, seed: int) -> None:
    make_rates()
    random_book(seed, cast)
    publish()
    assert roll_up_mrr()
    slow = oracle()
    expected = levels_of(slow)
    assert len(expected[0]) > 20
    assert stored_levels(slow) == expected
    assert_whole_is_their_sum()


@pytest.mark.parametrize("seed", range(200, 204))
def test_edits_change_cohorts_as_the_whole_book_anew_would(cast: Cast, seed: int) -> None:
    make_rates()
    random_book(seed, cast)
    publish()
    assert roll_up_mrr()
    rng = random.Random(seed)
    for _ in range(6):
        edit_something(rng, cast)
        assert refresh_stale_months() >= 0
    slow = oracle()
    edited = stored_levels(slow)
    assert edited == levels_of(slow)
    assert_whole_is_their_sum()
    publish()
    assert roll_up_mrr()
    assert stored_levels(slow) == edited
    assert not MrrCohort.objects.filter(amount=Decimal(0), account_count=0).exists()


def test_an_edit_before_the_first_roll_up_of_cohorts_leaves_them_to_it(cast: Cast) -> None:
    make_rates()
    random_book(7, cast)
    publish()
    assert roll_up_mrr()
    MrrCohort.objects.all().delete()
    rng = random.Random(7)
    for _ in range(3):
        edit_something(rng, cast)
    refresh_stale_months()
    assert not MrrCohort.objects.exists()
    assert AS_OF > FIRST_ON
