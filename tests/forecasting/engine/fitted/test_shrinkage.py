import numpy as np
import pytest

from forecasting.engine.fitted.shrinkage import base_log_odds, group_log_odds, shrink, strength
from forecasting.engine.log_odds import expit


def test_shrink_counts_the_parent_as_so_many_renewals():
    assert shrink(np.array([8.0]), np.array([10.0]), 10.0, 0.5) == pytest.approx(0.65)
    assert shrink(0.0, 0.0, 5.0, 0.3) == pytest.approx(0.3)
    assert shrink(1e9, 1e9, 5.0, 0.3) == 0.998


def test_base_is_the_prior_without_history_and_the_rate_with_much():
    assert expit(base_log_odds(0, 0)) == pytest.approx(0.85)
    assert expit(base_log_odds(3, 9)) == pytest.approx(3.85 / 10)
    assert expit(base_log_odds(20_000, 100_000)) == pytest.approx(0.2, abs=1e-5)


def test_strength_is_greatest_where_groups_do_not_differ_and_least_where_they_differ_wholly():
    n = np.array([100.0, 100.0, 100.0])
    assert strength(np.array([50.0, 50.0, 50.0]), n, 0.5) == 1000.0
    assert strength(np.array([0.0, 100.0, 50.0]), n, 0.5) == 5.0
    assert strength(np.array([50.0]), np.array([100.0]), 0.5) == 1000.0


def test_strength_recovers_that_of_beta_distributed_rates():
    rng = np.random.default_rng(0)
    rates = rng.beta(16, 4, 2_000)  # m = 20
    n = np.full(2_000, 50.0)
    assert strength(rng.binomial(50, rates).astype(float), n, 0.8) == pytest.approx(20, rel=0.15)


def test_group_log_odds_lie_between_their_own_rate_and_their_parent():
    found = expit(group_log_odds(np.array([90.0, 30.0]), np.array([100.0, 100.0]), 0.0))
    assert 0.5 < found[0] < 0.9
    assert 0.3 < found[1] < 0.5
