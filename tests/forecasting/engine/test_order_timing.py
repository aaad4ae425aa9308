"""When open renewals are ordered: worked examples, conditioning on what is over, and invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.engine.arrays import NO_DAY
from forecasting.engine.order_timing import (
    KNOTS,
    OrderChances,
    OrderTiming,
    PastOrders,
    fit_order_timing,
    order_chances,
)

EARLY, GRACE, LATE = 30, 0, 60


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def chances(timing: OrderTiming, age: int, past: list[int] | None = None, segment: int = 1) -> OrderChances:
    """Of one renewal whose account's orders came `past` days after their due days, the newest last."""
    delays = ints(*(past or []))
    orders = PastOrders.of(np.zeros(delays.size, dtype=np.int64), delays, np.arange(delays.size), 1)
    return order_chances(
        timing,
        orders,
        account=ints(0),
        segment_ids=ints(segment),
        age=ints(age),
        early_days=EARLY,
        grace_days=GRACE,
        late_days=LATE,
    )


def settled(*delays: int, segment: int = 1) -> OrderTiming:
    return fit_order_timing(segment_ids=np.full(len(delays), segment), delay=ints(*delays))


def test_shares_follow_the_orders_of_the_segment() -> None:
    timing = settled(*[-40] * 400, *[-10] * 400, *[20] * 200)
    found = chances(timing, age=-200)
    # Four, four and two of ten, less what 10 orders of the prior beside 1,000, and the line between two knots, move.
    assert found.early[0] == pytest.approx(0.4, abs=0.03)
    assert found.on_time[0] == pytest.approx(0.4, abs=0.03)
    assert found.late[0] == pytest.approx(0.2, abs=0.02)
    assert found.by[:, 0] == pytest.approx([0.8, 1.0, 1.0, 1.0], abs=0.02)


def test_without_history_the_stated_prior_speaks() -> None:
    found = chances(OrderTiming.without_history(), age=-300)
    assert found.on_time[0] + found.early[0] == pytest.approx(0.70, abs=0.02)
    assert found.early[0] == pytest.approx(0.16, abs=0.02)
    assert found.by[3, 0] == 1.0


def test_an_accounts_own_orders_count_beside_five_of_the_segment_the_newest_three_times() -> None:
    timing = settled(*[-10] * 10_000)
    # Late, then early: three early and one late beside five of the segment's, nearly all of which are on time.
    found = chances(timing, age=-200, past=[20, -40])
    assert found.early[0] == pytest.approx(3 / 9, abs=0.001)
    assert found.late[0] == pytest.approx(1 / 9, abs=0.001)
    assert found.on_time[0] == pytest.approx(5 / 9, abs=0.001)


def test_what_lies_before_today_is_gone() -> None:
    timing = settled(*[-40] * 400, *[-10] * 400, *[20] * 200)
    in_window = chances(timing, age=-20)
    assert in_window.early[0] == 0.0
    assert in_window.on_time[0] == pytest.approx(2 / 3, abs=0.03)
    overdue = chances(timing, age=5)
    assert (overdue.early[0], overdue.on_time[0], overdue.late[0]) == (0.0, 0.0, 1.0)
    assert overdue.by[0, 0] == 0.0
    assert overdue.by[1, 0] == pytest.approx(1.0, abs=0.02)


def test_where_nothing_is_left_the_order_is_to_come_at_once() -> None:
    timing = OrderTiming(ints(1), np.repeat([(KNOTS >= -50).astype(float)], 2, axis=0), 100)
    found = chances(timing, age=-5)
    assert (found.early[0], found.on_time[0], found.late[0]) == (0.0, 1.0, 0.0)


def test_newest_is_told_by_the_due_day() -> None:
    past = PastOrders.of(ints(1, 0, 1), ints(5, -3, -20), ints(300, 100, 200), 3)
    assert past.newest.tolist() == [-3, 5, NO_DAY]
    assert past.counts(ints(0, 1, 1, 2), ints(0, 0, 10, 500)).tolist() == [1.0, 1.0, 2.0, 0.0]


def test_json_gives_the_same_timing_back() -> None:
    timing = settled(-40, -10, 20, 500)
    assert OrderTiming.from_dict(timing.to_dict()).to_dict() == timing.to_dict()
    assert timing.order_count == 4


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-500, 500), max_size=40),
    st.lists(st.integers(-200, 60), max_size=6),
    st.integers(-400, 60),
)
def test_shares_are_a_distribution_and_never_fall(history: list[int], past: list[int], age: int) -> None:
    timing = settled(*history)
    found = chances(timing, age, past)
    total = found.early + found.on_time + found.late
    assert total[0] == pytest.approx(1.0)
    assert min(found.early[0], found.on_time[0], found.late[0]) >= 0.0
    assert (np.diff(found.by[:, 0]) >= -1e-12).all()
    assert found.by[0, 0] == pytest.approx(found.early[0] + found.on_time[0])  # no grace
    assert (found.by[2:, 0] == 1.0).all()  # 60 days are the last tolerated ones
    assert settled(*history[::-1]).shares == pytest.approx(timing.shares)
