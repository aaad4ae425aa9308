"""Generated sets whose truth is known: small ones, of which each forecast is one fit. `bench.known_truth` has many."""

from functools import cache

import numpy as np
import pytest

from forecasting.engine.fitted import metrics
from forecasting.evaluation.known_truth import SHAPES, known_set
from forecasting.evaluation.measure import forecast_split, measure, random_books
from forecasting.evaluation.splits import splits_by_time


@cache
def judged(name):
    """(forecast of the last of twelve quarters of 250 renewals, the truth of its rows, what is told)."""
    known = known_set(name, quarters=12, by_quarter=250)
    splits = list(splits_by_time(known.file, known.file.cohorts[-1:], 0))
    forecasts = [forecast_split(known.file, split) for split in splits]
    truth = np.concatenate([known.truth[split.test] for split in splits])
    return forecasts, truth, measure(known.file, forecasts, books=60)


@pytest.mark.parametrize("name", ["linear", "nonlinear", "drift of the level", "heavy amounts"])
def test_a_signal_is_found_and_told_nearly_as_well_as_the_truth_itself_would(name):
    forecasts, truth, told = judged(name)
    came = np.concatenate([one.is_renewed for one in forecasts])
    assert all(split["is_signal"] for split in told["splits"])
    assert told["auc"] > metrics.auc(truth, came).value - 0.04
    assert told["brier"] < metrics.brier(truth, came) + 0.012
    assert told["ece"] < 0.08  # of 250 renewals chance alone leaves 0.05


def test_where_nothing_is_to_be_found_the_simple_rate_stays_and_says_so():
    _, truth, told = judged("no signal")
    assert np.ptp(truth) == 0
    for split in told["splits"]:
        assert split["is_signal"] is False
        assert split["reason"].startswith("The signals carry no information: the simple rate is used")
    assert abs(told["skill"]) < 0.02


@pytest.mark.parametrize("name", ["linear", "heavy amounts", "drift of the level"])
def test_totals_lie_about_what_came_and_bands_hold_most_of_it(name):
    forecasts, _, told = judged(name)
    assert told["total_error"] < 5 * told["total_error_floor"]
    assert 0.68 < random_books(forecasts, 50, 60).coverage < 0.92


@pytest.mark.parametrize("name", SHAPES)
def test_a_set_renews_as_its_truth_says(name):
    known = known_set(name, quarters=40, by_quarter=200, seed=3)
    came, rows = known.file.rows.is_renewed, known.truth.size
    shared = SHAPES[name].shock / np.sqrt(40)
    chance = float(np.sqrt((known.truth * (1 - known.truth)).sum()))
    assert abs(came.sum() - known.truth.sum()) < 3 * np.hypot(chance, shared * rows * 0.15)
    assert np.array_equal(known_set(name, quarters=40, by_quarter=200, seed=3).truth, known.truth)
    assert not np.array_equal(known_set(name, quarters=40, by_quarter=200, seed=4).file.amounts, known.file.amounts)
