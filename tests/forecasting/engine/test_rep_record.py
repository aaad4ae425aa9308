"""Closed calls of reps with known biases: correcting them must not harm below 15 calls, and help at 30."""

import numpy as np
import pytest

from forecasting.engine import probability
from forecasting.engine.log_odds import expit

REPS = 40


def called(rng, bias, calls):
    """(rep, confidence, likelihood, whether it renewed) of `calls` calls of each rep."""
    rep = np.repeat(np.arange(REPS), calls)
    truth = rng.normal(1.7, 1.3, rep.size)
    word = np.round(np.clip(expit(truth + rng.normal(0, 0.8, rep.size) + bias[rep]), 0.01, 0.99), 2)
    return rep, word, expit(truth + rng.normal(0, 1.2, rep.size)), rng.random(rep.size) < expit(truth)


def brier_scores(calls, seed):
    """Brier scores of new calls: of the word, of the word corrected, of the likelihood, and joined."""
    rng = np.random.default_rng(seed)
    bias = rng.normal(0.4, 0.7, REPS)
    rep, word, likelihood, came = called(rng, bias, calls)
    records = probability.measure_reps(rep_ids=rep, confidence=word, likelihood=likelihood, is_renewed=came)
    rep, word, likelihood, came = called(rng, bias, 300)
    alone = {"rep_ids": rep, "timing": np.zeros(rep.size, dtype=np.int64), "records": records}
    nothing = np.full(rep.size, np.nan)
    corrected = probability.join_probability(likelihood=nothing, confidence=word, **alone)
    joined = probability.join_probability(likelihood=likelihood, confidence=word, **alone)
    return [float(np.mean((p - came) ** 2)) for p in (word, corrected, likelihood, joined)]


@pytest.mark.parametrize("calls", [3, 8, 14])
def test_few_calls_do_no_harm(calls):
    word, corrected, _, _ = np.mean([brier_scores(calls, seed) for seed in range(4)], axis=0)
    assert corrected <= word * 1.001


def test_thirty_calls_take_the_bias_out_and_the_join_beats_both():
    word, corrected, likelihood, joined = np.mean([brier_scores(30, seed) for seed in range(4)], axis=0)
    assert corrected < 0.96 * word
    assert joined < min(corrected, likelihood)
