import numpy as np
import pytest

from forecasting.engine.fitted import metrics

P = np.array([0.9, 0.8, 0.6, 0.4])
CAME = np.array([True, True, False, True])


def test_brier_skill_and_log_loss():
    assert metrics.brier(P, CAME) == pytest.approx((0.01 + 0.04 + 0.36 + 0.36) / 4)
    assert metrics.skill(P, CAME, 0.75) == pytest.approx(1 - 0.1925 / 0.1875)
    assert metrics.log_loss(P, CAME) == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.4]).mean())


def test_auc_counts_ties_half_and_has_delongs_interval():
    assert metrics.auc(P, CAME).value == pytest.approx(2 / 3)
    assert metrics.auc(np.full(4, 0.5), CAME).value == 0.5
    p, came = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    found = metrics.auc(p, came)
    assert found.value == 0.75
    # placements of the renewed (0.5, 1) and of the lost (1, 0.5): variance 0.125 / 2 + 0.125 / 2
    assert found.lowest == pytest.approx(0.75 - 1.959964 * np.sqrt(0.125))
    assert found.highest == 1.0


def test_auc_of_one_class_is_not_defined():
    assert np.isnan(metrics.auc(P, np.ones(4, dtype=bool)).value)


def test_calibration_error_of_ten_equal_bins():
    p = np.repeat(np.arange(10) / 10 + 0.05, 20)
    came = np.tile(np.arange(20) < 10, 10)  # half of each bin
    assert metrics.calibration_error(p, came) == pytest.approx(np.abs(np.arange(10) / 10 + 0.05 - 0.5).mean())
    assert metrics.calibration_bins(p, came).count.tolist() == [20] * 10


def test_equal_forecasts_stay_in_one_bin():
    found = metrics.calibration_bins(np.full(50, 0.3), np.arange(50) < 20)
    assert (found.count.tolist(), found.error) == ([50], pytest.approx(0.1))


def test_totals():
    amounts = np.array([100.0, 100.0, 100.0, 100.0])
    assert metrics.total_error(P, amounts, CAME) == pytest.approx(270 / 300 - 1)
    assert metrics.wape(np.array([90.0, 120.0]), np.array([100.0, 100.0])) == pytest.approx(0.15)
    assert metrics.bias(np.array([90.0, 120.0]), np.array([100.0, 100.0])) == pytest.approx(0.05)
    assert np.isnan(metrics.total_error(P, amounts, np.zeros(4, dtype=bool)))


def test_chance_floor_of_fifty_renewals_at_ninety_percent():
    """Sum of 50 at 0.9: sd 2.12, so half of all outcomes lie within one or two of 45."""
    assert metrics.chance_floor(np.full(50, 0.9), np.ones(50), draws=4_000) == pytest.approx(1 / 46, abs=0.002)


def test_coverage_counts_an_outcome_on_the_edge_by_its_part_within():
    below, up_to = np.array([0.5, 0.95, 0.0, 0.85]), np.array([0.5, 0.95, 0.2, 0.95])
    assert metrics.coverage(below, up_to) == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
