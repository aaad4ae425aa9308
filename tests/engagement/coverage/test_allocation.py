from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.coverage.allocation import HIGH, LOW, MID, Coverage, suggest


def coverage(stakes, rep_hours, *, owner=None, hours=(1, 3, 9), saved=(0.0, 0.2, 0.35)):
    count = len(stakes)
    return Coverage(
        owner=np.zeros(count, dtype=np.int64) if owner is None else np.array(owner),
        stake=np.array(stakes, dtype=float),
        hours=np.tile(np.array(hours, dtype=float), (count, 1)),
        saved_rate=np.tile(np.array(saved), (count, 1)),
        rep_hours=np.array(np.atleast_1d(rep_hours), dtype=float),
    )


def test_hours_go_where_an_hour_saves_the_most():
    # Steps save, an hour: 1000 -> 100 to mid and 25 to high; 500 -> 50 and 12.5; 100 -> 10 and 2.5.
    assert suggest(coverage([100, 1000, 500], 3)).tolist() == [LOW, LOW, LOW]
    assert suggest(coverage([100, 1000, 500], 5)).tolist() == [LOW, MID, LOW]
    assert suggest(coverage([100, 1000, 500], 7)).tolist() == [LOW, MID, MID]
    assert suggest(coverage([100, 1000, 500], 13)).tolist() == [LOW, HIGH, MID]
    assert suggest(coverage([100, 1000, 500], 100)).tolist() == [HIGH, HIGH, HIGH]


def test_a_step_that_does_not_fit_leaves_its_hours_to_smaller_ones():
    # 9 hours: low touches take 3, the mid steps of the two large ones 4; a high step (6) does not fit, a mid one does.
    assert suggest(coverage([1000, 900, 1], 9)).tolist() == [MID, MID, MID]


def test_each_rep_has_hours_of_their_own_and_nobody_has_none():
    found = suggest(coverage([100, 100, 100, 100], [3, 9], owner=[0, 1, -1, 1]))
    assert found.tolist() == [MID, MID, LOW, MID]


def test_where_mid_is_worth_less_an_hour_than_high_it_is_left_out():
    at_once = coverage([100], 3, saved=(0.0, 0.01, 0.35))
    assert suggest(at_once).tolist() == [LOW]
    assert suggest(coverage([100], 9, saved=(0.0, 0.01, 0.35))).tolist() == [HIGH]


def test_nothing_at_risk_deserves_no_more_than_low_touch():
    assert suggest(coverage([0, 0], 100)).tolist() == [LOW, LOW]


def test_hours_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="hours rise"):
        suggest(coverage([1], 10, hours=(1, 1, 2)))


@given(
    stakes=st.lists(st.integers(0, 50), min_size=1, max_size=5),
    rep_hours=st.integers(0, 40),
    hours=st.sampled_from([(1, 3, 9), (0, 2, 4), (1, 2, 4)]),
    saved=st.sampled_from([(0.0, 0.2, 0.35), (0.05, 0.05, 0.5), (0.0, 0.3, 0.3)]),
)
def test_what_is_saved_falls_short_of_the_best_by_less_than_one_step(stakes, rep_hours, hours, saved):
    asked = coverage(stakes, rep_hours, hours=hours, saved=saved)
    found = suggest(asked)
    low = len(stakes) * hours[0]
    used = sum(hours[model] for model in found)
    assert used <= max(rep_hours, low)

    def total(models):
        return sum(stake * saved[model] for stake, model in zip(stakes, models, strict=True))

    fitting = [
        models for models in product(range(3), repeat=len(stakes)) if sum(hours[one] for one in models) <= rep_hours
    ]
    best = max((total(models) for models in fitting), default=total([LOW] * len(stakes)))
    largest_step = max(stakes) * (saved[2] - saved[0])
    assert best - total(found) <= largest_step + 1e-9
