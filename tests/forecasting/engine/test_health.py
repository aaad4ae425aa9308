import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine import health

NAN = math.nan


def weighing(weights, stale_days, *, accounts=1, row=None, healthy_from=(70,), watch_from=(50,)):
    return health.Weighing(
        weights=np.atleast_2d(np.array(weights, dtype=float)),
        stale_days=np.array(stale_days),
        healthy_from=np.array(healthy_from, dtype=float),
        watch_from=np.array(watch_from, dtype=float),
        row=np.zeros(accounts, dtype=np.int64) if row is None else np.array(row),
    )


def measured(*rows):
    account, day, *values = zip(*rows, strict=True)
    return health.Measured(np.array(account), np.array(day), np.array(values, dtype=float).T)


def told(steps):
    score = [None if math.isnan(one) else one for one in steps.score]
    days = zip(steps.account, steps.day, score, steps.band, steps.completeness, strict=True)
    return [(int(a), int(d), s, int(b), float(c)) for a, d, s, b, c in days]


def test_scale_runs_from_worst_to_best_in_either_direction():
    assert health.scale(np.array([-1.0, 0.0, 0.5, 2.0]), 0, 1).tolist() == [0, 0, 0.5, 1]
    assert health.scale(np.array([4.0, 3.0, 0.0]), 4, 0).tolist() == [0, 0.25, 1]
    assert math.isnan(health.scale(np.array([NAN]), 0, 1)[0])
    with pytest.raises(ValueError, match=r"both 2"):
        health.scale(np.array([1.0]), 2, 2)


def test_a_value_counts_until_a_newer_one_or_until_it_is_too_old():
    # Weights 3 and 1; the first factor is fresh for 10 days, the second for 100.
    steps, standing = health.judge(
        measured((0, 100, 1.0, 0.0), (0, 105, 0.5, NAN)), weighing([3, 1], [10, 100]), as_of=130
    )
    assert told(steps) == [
        (0, 100, 75.0, 2, 1.0),
        (0, 105, 37.5, 0, 1.0),
        (0, 116, 0.0, 0, 0.25),  # only the second is left: unknown lowers completeness, and counts as nothing else
    ]
    assert standing.contributions.tolist() == [[-1, 0]]
    assert standing.stands_until.tolist() == [134]  # 105 + 30 - 1: then the score of 30 days before is another one
    assert standing.before[0, 0] == 75.0  # on day 100
    assert math.isnan(standing.before[0, 1])


def test_when_everything_is_too_old_there_is_no_score_at_all():
    steps, standing = health.judge(measured((0, 10, 1.0)), weighing([2], [5]), as_of=1000)
    assert told(steps) == [(0, 10, 100.0, 2, 1.0), (0, 16, None, -1, 0.0)]
    assert standing.stands_until.tolist() == [health.NEVER]
    assert standing.contributions.tolist() == [[-1]]


def test_how_an_account_stands_holds_until_the_next_value_that_is_measured_already():
    rows = ((0, 10, 1.0), (1, 10, 1.0), (1, 1003, 0.5), (1, 1009, 0.1))
    _, standing = health.judge(measured(*rows), weighing([2], [5], accounts=2), as_of=1000)
    assert standing.stands_until.tolist() == [health.NEVER, 1002]


def test_each_account_is_weighed_and_banded_by_its_own_row():
    steps, _ = health.judge(
        measured((0, 50, 1.0, 0.0), (1, 50, 1.0, 0.0)),
        weighing([[1, 1], [3, 1]], [90, 90], row=[0, 1], healthy_from=(70, 80), watch_from=(50, 60)),
        as_of=60,
    )
    assert told(steps) == [(0, 50, 50.0, 1, 1.0), (1, 50, 75.0, 1, 1.0)]


def test_what_is_measured_after_the_day_is_not_known_on_it():
    steps, standing = health.judge(measured((0, 50, 1.0), (0, 51, 0.0)), weighing([1], [90]), as_of=50)
    assert told(steps) == [(0, 50, 100.0, 2, 1.0)]
    assert standing.steps.score.tolist() == [100.0]


def test_what_has_no_weight_says_nothing():
    steps, standing = health.judge(measured((0, 50, 1.0, 0.5), (0, 55, NAN, 0.0)), weighing([1, 0], [90, 90]), as_of=60)
    assert told(steps) == [(0, 50, 100.0, 2, 1.0)]
    assert standing.contributions.tolist() == [[10_000, -1]]


def test_too_little_known_is_a_score_without_a_band():
    steps, _ = health.judge(measured((0, 50, 0.0, NAN), (0, 51, NAN, 1.0)), weighing([24, 76], [90, 90]), as_of=60)
    assert told(steps) == [(0, 50, 0.0, -1, 0.24), (0, 51, 76.0, 2, 1.0)]


def test_nothing_measured_is_nothing_judged():
    nothing = health.Measured(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, 2)))
    steps, standing = health.judge(nothing, weighing([1, 1], [9, 9], accounts=0), as_of=50)
    assert told(steps) == []
    assert standing.contributions.shape == (0, 2)


VALUES = st.one_of(st.just(NAN), st.integers(0, 4).map(lambda quarter: quarter / 4))
ROWS = st.dictionaries(st.tuples(st.integers(0, 2), st.integers(1, 60)), st.tuples(VALUES, VALUES), max_size=12)


@given(rows=ROWS, stale=st.tuples(st.integers(1, 40), st.integers(1, 40)), as_of=st.integers(1, 120))
def test_the_steps_are_what_each_day_by_itself_says(rows, stale, as_of):
    weights = (3.0, 2.0)
    listed = sorted((account, day, *values) for (account, day), values in rows.items())
    table = health.Measured(
        np.array([row[0] for row in listed], dtype=np.int64),
        np.array([row[1] for row in listed], dtype=np.int64),
        np.array([row[2:] for row in listed], dtype=float).reshape(len(listed), 2),
    )
    steps, standing = health.judge(table, weighing(weights, stale, accounts=3), as_of)

    def on_day(account, day):
        """(score, completeness) by looking at each value there is, or None where nothing was measured so far."""
        theirs = [row for row in listed if row[0] == account and row[1] <= min(day, as_of)]
        if not theirs:
            return None
        total = known = 0.0
        for factor in range(2):
            values = [(row[1], row[2 + factor]) for row in theirs if not math.isnan(row[2 + factor])]
            if values and day - values[-1][0] <= stale[factor]:
                known += weights[factor]
                total += weights[factor] * values[-1][1]
        return (None if known == 0 else pytest.approx(100 * total / known, abs=0.006)), pytest.approx(known / 5)

    def by_steps(account, day):
        found = [row for row in told(steps) if row[0] == account and row[1] <= day]
        return (found[-1][2], found[-1][4]) if found else None

    for account in range(3):
        for day in range(1, as_of + 1):
            assert by_steps(account, day) == on_day(account, day)
    for row, (account, *_) in enumerate(told(standing.steps)):
        parts = [part for part in standing.contributions[row].tolist() if part >= 0]
        score = standing.steps.score[row]
        assert (sum(parts) == round(100 * score)) if parts else math.isnan(score)
        for column, days in enumerate(health.TREND_DAYS):
            earlier = on_day(account, as_of - days) if as_of > days else None
            shown = standing.before[row, column]
            assert (None if math.isnan(shown) else shown) == (earlier and earlier[0])
        # Until that day nothing changes without news, and on the next one something does.
        until = int(standing.stands_until[row])
        for day in range(as_of, min(until, as_of + 200) + 1):
            assert on_day(account, day) == on_day(account, as_of)
            for days in health.TREND_DAYS:
                assert on_day(account, day - days) == on_day(account, as_of - days)
