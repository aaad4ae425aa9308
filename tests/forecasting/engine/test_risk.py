import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.engine import risk
from forecasting.engine.risk import RiskBand, risk_band, score

NAN = float("nan")
x_or_missing = st.floats(0, 1, width=32) | st.just(NAN)
tables = st.tuples(st.integers(1, 12), st.integers(1, 13)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.float32, shape, elements=x_or_missing),
        hnp.arrays(np.float32, shape, elements=st.floats(0, 100, width=32)),
    )
)


def test_score_is_the_weighted_mean_of_what_is_there():
    scores = score(np.float32([[0.5, 1.0, NAN], [NAN, NAN, NAN], [0, 0, 0]]), np.array([3.0, 1.0, 4.0]))
    assert scores.score.tolist()[::2] == [62.5, 0.0]
    assert np.isnan(scores.score[1])
    assert scores.contributions.tolist() == [[3750, 2500, -1], [-1, -1, -1], [0, 0, 0]]
    assert scores.completeness.tolist() == [0.5, 0.0, 1.0]
    assert scores.contributions.dtype == np.int16


def test_thirds_add_up_to_the_score():
    scores = score(np.ones((1, 3), np.float32), np.ones(3))
    assert (scores.score.tolist(), scores.contributions.tolist()) == ([100.0], [[3333, 3334, 3333]])


@given(tables)
def test_contributions_add_up_exactly_and_are_true_to_a_hundredth(table):
    x, weights = table
    scores = score(x, weights)
    is_present = ~np.isnan(x)
    known = (weights * is_present).sum(axis=1, dtype=np.float64)
    is_scored = known > 0
    assert np.array_equal(np.isnan(scores.score), ~is_scored)
    hundredths = np.where(is_present, scores.contributions, 0).sum(axis=1)
    assert np.array_equal(hundredths[is_scored] / 100, scores.score[is_scored])
    true = 10_000 * weights.astype(np.float64) * np.nan_to_num(x) / np.where(is_scored, known, 1)[:, None]
    assert (np.abs(np.where(is_present, scores.contributions, 0) - true) <= 1.0001).all()
    assert np.array_equal(scores.contributions == -1, ~is_present)
    assert ((scores.completeness >= 0) & (scores.completeness <= 1)).all()


def test_weights_by_segment_are_weights_by_row():
    rng = np.random.default_rng(3)
    x, weights, segment = rng.random((50, 4), dtype=np.float32), rng.random((3, 4)), rng.integers(0, 3, 50)
    by_segment, by_row = score(x, weights, segment), score(x, weights[segment])
    assert all(np.array_equal(vars(by_segment)[name], vars(by_row)[name]) for name in vars(by_row))


def test_blocks_do_not_show(monkeypatch):
    rng = np.random.default_rng(4)
    x, weights, segment = rng.random((23, 5), dtype=np.float32), rng.random((3, 5)), rng.integers(0, 3, 23)
    whole = score(x, weights, segment)
    monkeypatch.setattr(risk, "BLOCK_ROWS", 7)
    parts = score(x, weights, segment)
    assert all(np.array_equal(vars(parts)[name], vars(whole)[name]) for name in vars(whole))


def test_a_factor_without_weight_contributes_nothing_but_is_not_missing():
    scores = score(np.float32([[0.5, 1.0]]), np.array([2.0, 0.0]))
    assert (scores.score.tolist(), scores.contributions.tolist()) == ([50.0], [[5000, 0]])


def test_no_weight_at_all_is_no_score():
    scores = score(np.float32([[0.5, 1.0]]), np.zeros(2))
    assert np.isnan(scores.score[0])
    assert (scores.completeness.tolist(), risk_band(scores.score).tolist()) == ([0.0], [RiskBand.UNSCORED])


def test_no_rows():
    scores = score(np.empty((0, 3), np.float32), np.ones(3))
    assert (scores.score.shape, scores.contributions.shape, risk_band(scores.score).size) == ((0,), (0, 3), 0)


@pytest.mark.parametrize(
    ("x", "weights", "message"),
    [
        ([[0.5], [1.5]], [1.0], r"row 1: factors \[1\.5\] are not all between 0 and 1"),
        ([[0.5], [0.5]], [[1.0], [-2.0]], r"row 1: weights \[-2\.\] has a weight below 0"),
        ([[0.5, 0.5]], [1.0], "1 weights for 2 factors"),
        ([[0.5], [0.5], [0.5]], [[1.0], [1.0]], "weights for 2 rows, factors for 3"),
    ],
)
def test_score_names_what_is_wrong(x, weights, message):
    with pytest.raises(ValueError, match=message):
        score(np.float32(x), np.array(weights))


def test_band_bounds():
    bands = risk_band(np.array([0, 24.99, 25, 39.99, 40, 100, NAN]))
    assert [RiskBand(band).label for band in bands] == ["low", "low", "medium", "medium", "high", "high", "unscored"]
