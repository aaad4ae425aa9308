import numpy as np
import pytest

from forecasting.engine.fitted import fit
from forecasting.engine.fitted.advice import best_changes, measure_importance
from forecasting.engine.fitted.rows import Numbers
from tests.forecasting.engine.fitted.books import made, plain


@pytest.fixture(scope="module")
def judged():
    rows, _ = made(3_000)
    older, newer = np.flatnonzero(rows.cohorts < 6), np.flatnonzero(rows.cohorts >= 6)
    return fit(rows.take(older)), rows.take(newer)


def test_what_matters_comes_first_and_with_certainty(judged):
    model, rows = judged
    found = measure_importance(model, rows)
    assert [one.column for one in found[:2]] == ["usage", "plan"]
    assert [one.is_certain for one in found[:2]] == [True, True]
    assert all(abs(one.loss) < 0.01 for one in found[2:])
    assert all(one.lowest <= one.loss <= one.highest for one in found)


def test_nothing_matters_where_nothing_is_known():
    assert measure_importance(fit(plain(0, 0)), plain(0, 0)) == []


def test_changes_name_what_moves_a_renewal_most(judged):
    model, rows = judged
    usage, plan = rows.columns["usage"], rows.columns["plan"]
    assert isinstance(usage, Numbers)
    worst = int(np.nanargmin(np.where(plan.codes == 0, usage.values, np.nan)))
    first, second = best_changes(model, rows, worst, {"plan": 0, "usage": 0})
    assert (first.column, second.column, second.value) == ("usage", "plan", "pro")
    assert first.value == np.quantile(usage.values[~np.isnan(usage.values)], 0.9, method="nearest")
    assert first.gain > second.gain > 0
    now = model.formula.log_odds(rows.take(np.array([worst])))[0]
    assert first.likelihood == pytest.approx(1 / (1 + np.exp(-(now + first.gain))))


def test_no_change_is_named_where_none_helps(judged):
    model, rows = judged
    best = int(np.argmax(model.likelihood(rows)))
    assert all(change.gain > 0 for change in best_changes(model, rows, best, {"plan": 0, "usage": 0}))
    assert best_changes(model, rows, best, {}) == []


def test_a_number_is_moved_only_in_its_sense(judged):
    model, rows = judged
    usage = rows.columns["usage"].values
    middle = int(np.nanargmin(np.abs(usage - np.nanmedian(usage))))
    (more,) = best_changes(model, rows, middle, {"usage": 1})
    assert more.value > usage[middle]
    assert best_changes(model, rows, middle, {"usage": -1}) == []
