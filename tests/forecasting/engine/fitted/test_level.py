import numpy as np
import pytest

from forecasting.engine.fitted.level import Level, carry_on, learn_level, miss
from forecasting.engine.log_odds import expit, logit


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


def test_old_cohorts_are_left_out():
    rng = np.random.default_rng(0)
    cohorts = np.repeat(np.arange(60), 20)
    came = rng.random(1_200) < expit(np.where(cohorts < 36, -3.0, 1.0))
    newer = cohorts >= 36
    whole = learn_level(np.full(1_200, 1.0), came, cohorts, 1)
    assert whole == learn_level(np.full(int(newer.sum()), 1.0), came[newer], cohorts[newer], 1)
