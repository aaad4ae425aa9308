import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from forecasting.engine.log_odds import expit
from forecasting.engine.weighing import fit_weights, rank, rank_gain, suggest_weights


def simulate(true_weights, n=4000, seed=1, strength=8.0, missing=0.2):
    """Factors between 0 and 1, a fifth of them missing; lost by the score that the true weights give."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, len(true_weights)))
    share = np.array(true_weights) / sum(true_weights)
    is_lost = rng.random(n) < expit(-strength / 2 + strength * (x @ share))
    x[rng.random(x.shape) < missing] = np.nan
    return x, is_lost, np.arange(n)


def brute_auc(scores, is_lost):
    lost, kept = scores[is_lost], scores[~is_lost]
    wins = (lost[:, None] > kept[None, :]) + 0.5 * (lost[:, None] == kept[None, :])
    return wins.mean()


@given(
    arrays.arrays(np.int64, 60, elements=st.integers(0, 8)),
    st.integers(20, 40).flatmap(lambda k: st.permutations([True] * k + [False] * (60 - k))),
)
def test_auc_is_the_share_of_pairs_in_the_right_order(values, lost):
    scores, is_lost = values.astype(np.float64), np.array(lost)
    found = rank(scores, is_lost)
    assert found.auc == pytest.approx(brute_auc(scores, is_lost))
    assert found.lowest <= found.auc <= found.highest
    assert rank_gain(scores, scores, is_lost) == (0.0, 0.0)
    assert rank(-scores, is_lost).auc == pytest.approx(1 - found.auc)


def test_interval_covers_in_19_of_20():
    """Normal scores a unit apart: the true AUC is Phi(1 / sqrt 2) = 0.7602."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        is_lost = rng.random(300) < 0.3
        found = rank(rng.normal(0, 1, 300) + is_lost, is_lost)
        covered += found.lowest <= 0.7602 <= found.highest
    assert 0.92 <= covered / 400 <= 0.98


def test_too_few_of_one_outcome_say_nothing():
    assert rank(np.arange(100.0), np.arange(100) < 19) is None
    assert rank(np.arange(100.0), np.arange(100) >= 20).lost_count == 80
    scores = np.arange(100.0)
    scores[:60] = np.nan
    assert rank(scores, np.arange(100) % 2 == 0).count == 40
    assert rank(np.empty(0), np.empty(0, dtype=bool)) is None


def test_wrong_weights_are_mended():
    x, is_lost, due = simulate([8, 2, 0, 0])
    found = suggest_weights(x, is_lost, due, np.array([0.0, 0.0, 5.0, 5.0]))
    assert found.is_offered
    assert found.gain > 0.05
    assert 1100 < found.count <= 1200  # less those of which nothing is known that has a weight
    assert found.weights.sum() == pytest.approx(10, abs=0.02)
    assert found.weights[0] > max(found.weights[1:])
    assert (found.weights[2:] >= 0.5).all()  # a tenth of what they had
    assert found.weights[1] >= 0


def test_right_weights_are_left_alone():
    x, is_lost, due = simulate([8, 2, 0, 0], missing=0.0)
    found = suggest_weights(x, is_lost, due, np.array([8.0, 2.0, 0.0, 0.0]))
    assert abs(found.gain) < 0.015
    assert found.weights == pytest.approx([8, 2, 0, 0], abs=0.8)


def test_nothing_is_offered_where_nothing_is_to_be_learned():
    """By chance one in six would win by more than its standard error; of ten sets without any signal few do."""
    offered = 0
    for seed in range(10):
        x, is_lost, due = simulate([1, 1, 1, 1], seed=seed, strength=0.0)
        found = suggest_weights(x, is_lost, due, np.array([4.0, 3.0, 2.0, 1.0]))
        offered += found.is_offered
    assert offered <= 3


def test_few_rows_stay_near_the_present_weights():
    x, is_lost, _ = simulate([8, 2, 0, 0], n=30)
    near = fit_weights(x, is_lost, np.array([2.5, 2.5, 2.5, 2.5]))
    x, is_lost, _ = simulate([8, 2, 0, 0], n=4000)
    far = fit_weights(x, is_lost, np.array([2.5, 2.5, 2.5, 2.5]))
    assert np.abs(near - 2.5).max() < np.abs(far - 2.5).max()


def test_a_factor_that_nobody_knows_keeps_its_share():
    x, is_lost, _ = simulate([8, 2, 0, 0])
    x[:, 3] = np.nan
    found = fit_weights(x, is_lost, np.array([4.0, 2.0, 2.0, 2.0]))
    others = fit_weights(x[:, :3], is_lost, np.array([4.0, 2.0, 2.0]))
    assert found[3] > 0
    assert found[0] / found[:3].sum() == pytest.approx(others[0] / others.sum(), abs=0.1)


def test_too_few_rows_suggest_nothing():
    x, is_lost, due = simulate([8, 2], n=90)
    assert suggest_weights(x, is_lost, due, np.array([1.0, 1.0])) is None
    x, _, due = simulate([8, 2], n=500)
    assert suggest_weights(x, np.zeros(500, dtype=bool), due, np.array([1.0, 1.0])) is None
