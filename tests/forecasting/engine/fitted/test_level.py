import numpy as np
import pytest

from forecasting.engine.fitted.level import Level, carry_on, learn_level, miss
from forecasting.engine.log_odds import logit


def test_a_miss_is_the_shift_that_makes_the_forecast_come_true():
    came = np.arange(100) < 80
    shift, error = miss(np.full(100, float(logit(0.7))), came)
    assert shift == pytest.approx(logit(0.8) - logit(0.7))
    assert error == pytest.approx(1 / np.sqrt(100 * 0.8 * 0.2))
    assert miss(np.empty(0), np.empty(0, dtype=bool)) == (0.0, np.inf)
    assert np.isfinite(miss(np.zeros(40), np.ones(40, dtype=bool))).all()


def test_one_cohort_tells_nothing_of_the_next():
    assert learn_level(np.zeros(90), np.arange(90) < 60, np.zeros(90, dtype=np.int64), 1) == Level()


def test_cohorts_as_forecast_shift_nothing():
    found = carry_on(np.zeros(6), np.full(6, 0.05), 1)
    assert found.shift == pytest.approx(0.0, abs=1e-12)
    assert 0.05 < found.deviation < 0.15


def test_a_drift_is_carried_past_the_newest_cohort_and_further_over_a_gap():
    misses = 0.09 * np.arange(-4, 5)  # 73 to 85 % in nine quarters
    errors = np.full(9, 0.06)
    ahead = [carry_on(misses, errors, count).shift for count in (1, 2)]
    assert misses[-1] < ahead[0] < misses[-1] + 0.09
    assert ahead[0] < ahead[1] < misses[-1] + 0.18


def test_one_strange_cohort_is_not_taken_for_a_new_level():
    steady = carry_on(np.array([0.02, -0.01, 0.0, -0.02, 0.01, -0.3]), np.full(6, 0.05), 1)
    assert -0.2 < steady.shift < 0.0
    assert steady.deviation > carry_on(np.zeros(6), np.full(6, 0.05), 1).deviation


def test_small_cohorts_say_little():
    found = carry_on(np.array([0.3, -0.3]), np.array([0.5, 0.5]), 1)
    assert abs(found.shift) < 0.2
    assert found.deviation > 0.25


def test_forecasts_of_drifting_books_are_nearer_than_their_last_level_and_lie_within_their_deviation():
    rng = np.random.default_rng(5)
    inside, carried, last = [], [], []
    for _ in range(200):
        levels = rng.normal(0, 0.07) * np.arange(9) + rng.normal(0, 0.1, 9)
        seen = levels + rng.normal(0, 0.06, 9)
        told = seen[:-1] - seen[:-1].mean()
        found, truth = carry_on(told, np.full(8, 0.06), 1), seen[-1] - seen[:-1].mean()
        inside.append(abs(truth - found.shift) < 1.2816 * np.hypot(found.deviation, 0.06))
        carried.append((truth - found.shift) ** 2)
        last.append((truth - told[-1]) ** 2)
    assert 0.72 < np.mean(inside) < 0.9
    assert np.mean(carried) < 0.95 * np.mean(last)


def test_a_drift_is_not_believed_to_go_on_for_ever():
    misses, errors = 0.09 * np.arange(-4, 5), np.full(9, 0.06)
    assert carry_on(misses, errors, 50) == carry_on(misses, errors, 4)


def test_many_cohorts_of_a_few_renewals_are_taken_together():
    rng = np.random.default_rng(0)
    came = rng.random(6_000) < 0.8
    found = [
        learn_level(np.full(6_000, float(logit(0.8))), came, np.arange(6_000) // size, 1) for size in (3, 250)
    ]  # 2,000 cohorts of three are 24 periods of 252
    assert found[0].shift == pytest.approx(found[1].shift, abs=0.03)
    assert abs(found[0].shift) < 0.1
    assert found[0].deviation < 0.2


def test_small_cohorts_that_all_came_do_not_pull_the_level_down():
    rng = np.random.default_rng(1)
    cohorts = np.repeat(np.arange(6), 8)
    shifts = [learn_level(np.full(48, float(logit(0.95))), rng.random(48) < 0.95, cohorts, 1).shift for _ in range(400)]
    assert np.mean(shifts) == pytest.approx(0.0, abs=0.03)
    assert np.abs(shifts).max() < 0.4
