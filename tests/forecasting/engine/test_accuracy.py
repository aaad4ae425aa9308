"""Sums of what forecasts were worth, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.accuracy import MEAN_OF_NORMAL, SHARES, Replay, add_up, by_probability, measures, tenths
from forecasting.engine.arrays import Booleans, Floats


def replay(p: Floats, came: Booleans, amount: float = 100.0, *, is_open: Booleans | None = None) -> Replay:
    is_open = np.ones(p.size, dtype=np.bool_) if is_open is None else is_open
    expected = np.where(is_open, p * amount, came * amount)
    return Replay(expected, came * amount, p, is_open, came, np.where(is_open, p * (1 - p) * amount**2, 0.0))


def test_one_period_by_hand() -> None:
    # Three open ones of 100 at 0.8, 0.8 and 0.5, of which the first and the last came; one was won before.
    rows = replay(
        np.array([0.8, 0.8, 0.5, np.nan]),
        np.array([True, False, True, True]),
        is_open=np.array([True, True, True, False]),
    )
    found = measures(add_up(rows, np.zeros(4, dtype=np.int64), 1)[0])
    assert found["wape"] == pytest.approx(10 / 300)
    assert found["bias"] == pytest.approx(10 / 300)
    assert found["floor"] == pytest.approx(np.sqrt(2 / np.pi) * np.sqrt(2 * 1600 + 2500) / 300)
    assert found["brier"] == pytest.approx((0.04 + 0.64 + 0.25) / 3)
    assert found["log_loss"] == pytest.approx(-(np.log(0.8) + np.log(0.2) + np.log(0.5)) / 3)
    assert (found["said"], found["came"]) == (pytest.approx(0.7), pytest.approx(2 / 3))
    assert found["lean"] == pytest.approx(0.7 - 2 / 3)
    assert found["lean_reach"] == pytest.approx(1.959964 * np.sqrt(0.16 + 0.16 + 0.25) / 3)
    assert (found["due"], found["judged"], found["periods"], found["came_amount"]) == (4, 3, 1, 300)
    assert found["coverage"] is None


def test_errors_of_periods_do_not_cancel_but_bias_does() -> None:
    high = add_up(replay(np.array([0.9]), np.array([False])), np.zeros(1, dtype=np.int64), 1)[0]
    low = add_up(replay(np.array([0.1]), np.array([True])), np.zeros(1, dtype=np.int64), 1)[0]
    found = measures(high + low)
    assert (found["wape"], found["bias"], found["periods"]) == (pytest.approx(1.8), pytest.approx(0.0), 2)


def test_nothing_came_and_nothing_was_open() -> None:
    found = measures(add_up(replay(np.array([0.9]), np.array([False])), np.zeros(1, dtype=np.int64), 1)[0])
    assert (found["wape"], found["bias"], found["floor"]) == (None, None, None)
    empty = measures(np.zeros(14))
    assert (empty["brier"], empty["said"], empty["lean"], empty["coverage"], empty["periods"]) == (None,) * 4 + (0,)


def test_rows_of_no_group_are_left_out() -> None:
    rows = replay(np.array([0.5, 0.5]), np.array([True, True]))
    assert add_up(rows, np.array([-1, 1]), 2)[:, 5].tolist() == [0, 1]


def test_what_chance_leaves_is_what_it_leaves() -> None:
    """If probabilities are right, totals are off by the floor on average: simulated."""
    rng = np.random.default_rng(3)
    p = rng.uniform(0.5, 0.95, 200)
    group = np.zeros(200, dtype=np.int64)
    found = np.sum([add_up(replay(p, rng.random(200) < p), group, 1)[0] for _ in range(400)], axis=0)
    told = measures(found)
    assert told["wape"] == pytest.approx(told["floor"], rel=0.08)
    assert pytest.approx(0.7978845608) == MEAN_OF_NORMAL


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(0, 3)), min_size=1, max_size=60))
def test_groups_add_up_to_the_whole(rows: list[tuple[float, bool, int]]) -> None:
    p, came, group = (np.array(column) for column in zip(*rows, strict=True))
    seen = replay(p, came)
    whole, parts = add_up(seen, np.zeros(p.size, dtype=np.int64), 1)[0], add_up(seen, group, 4).sum(axis=0)
    additive = [1, 2, 5, 6, 7, 8, 9, 10, 11]  # neither the size of errors nor its floor, which cancel within a group
    assert parts[additive] == pytest.approx(whole[additive])
    assert parts[0] >= whole[0] - 1e-6


def test_tenths_hold_every_row_and_are_calibrated_where_the_forecast_is() -> None:
    p = np.concatenate([np.full(500, 0.205), np.full(500, 0.8)])
    came = np.concatenate([np.arange(500) < 100, np.arange(500) < 400])
    shares = by_probability(p[:700], came[:700]) + by_probability(p[700:], came[700:])
    assert shares.shape == (SHARES, 3)
    found = tenths(shares)
    assert [one["count"] for one in found] == [500, 500]
    assert [one["forecast"] for one in found] == [pytest.approx(0.205), pytest.approx(0.8)]
    assert [one["came"] for one in found] == [0.2, 0.8]
    assert tenths(np.zeros((SHARES, 3))) == []


def test_tenths_are_about_equal() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(10_000)
    counts = [one["count"] for one in tenths(by_probability(p, rng.random(10_000) < p))]
    assert len(counts) == 10
    assert all(800 < count < 1200 for count in counts)
    assert by_probability(np.array([1.0]), np.array([True]))[99].tolist() == [1, 1, 1]
