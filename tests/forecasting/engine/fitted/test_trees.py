import json

import numpy as np
import pytest
import sklearn.ensemble

from forecasting.engine.fitted.trees import Trees, learn_trees


def sample(n=3_000, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    x[:, 1] = rng.integers(0, 4, n)
    x[rng.random((n, 4)) < 0.1] = np.nan
    score = np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 1]) + np.isnan(x[:, 2])
    return x, score + rng.normal(size=n) > 0


def test_trees_give_what_scikit_learn_gives(monkeypatch):
    fits = []
    machine = sklearn.ensemble.HistGradientBoostingClassifier

    class Watched(machine):
        def fit(self, x, *args, **kwargs):
            fits.append((self, x))
            return super().fit(x, *args, **kwargs)

    monkeypatch.setattr(sklearn.ensemble, "HistGradientBoostingClassifier", Watched)
    x, y = sample()
    trees, count = learn_trees(x, y, np.ones(x.shape[0]), iterations=40)
    assert count == 40
    (fitted, binned), found = fits[0], trees.log_odds(x)
    assert np.abs(found - fitted.decision_function(binned)).max() < 1e-12


def test_contributions_add_up():
    x, y = sample()
    trees, _ = learn_trees(x, y, np.ones(x.shape[0]), iterations=30)
    other, _ = sample(seed=1)
    contributions = trees.contributions(other)
    assert trees.base + contributions.sum(axis=1) == pytest.approx(trees.log_odds(other), abs=1e-12)
    assert np.abs(contributions[:, 3]).mean() < 0.2 * np.abs(contributions[:, 0]).mean()  # column 3 says nothing


def test_trees_stop_when_the_held_out_rows_gain_no_more():
    x, y = sample()
    noise = np.random.default_rng(2).random(1_000) < 0.5
    _, count = learn_trees(x, y, np.ones(3_000), held_out=(x[:1_000], noise, np.ones(1_000)))
    assert count < 10


def test_trees_survive_json():
    x, y = sample()
    trees, _ = learn_trees(x, y, np.ones(x.shape[0]), iterations=10)
    again = Trees.from_dict(json.loads(json.dumps(trees.to_dict(), allow_nan=False)))
    assert np.array_equal(again.log_odds(x), trees.log_odds(x))
    assert np.array_equal(again.contributions(x), trees.contributions(x))
