import json
from dataclasses import replace

import numpy as np
import pytest

from forecasting.engine.fitted import Categories, Model, Numbers, Rows, fit, fit_apart, metrics
from forecasting.engine.fitted.calibration import UNCALIBRATED
from forecasting.engine.fitted.candidates import BLEND
from forecasting.engine.fitted.level import miss
from forecasting.engine.log_odds import expit
from tests.forecasting.engine.fitted.books import made, plain


@pytest.fixture(scope="module")
def strong():
    """A book of 4,000 with strong signals: (model of six older cohorts, the two newer, their true probabilities)."""
    rows, p = made(4_000)
    older, newer = np.flatnonzero(rows.cohorts < 6), np.flatnonzero(rows.cohorts >= 6)
    return fit(rows.take(older)), rows.take(newer), p[newer]


def test_nothing_decided_is_the_stated_prior_and_says_so():
    model = fit(plain(0, 0))
    assert (model.way, model.row_count, model.is_small) == ("base", 0, True)
    assert model.reason == "Nothing is decided yet: a stated prior is used."
    assert model.likelihood(plain(2, 2)) == pytest.approx([0.85] * 4)
    assert model.shock.size == pytest.approx(0.175)


def test_one_decided_moves_the_prior_by_half():
    model = fit(plain(0, 1))
    assert model.likelihood(plain(1, 0)) == pytest.approx([0.425])
    assert model.reason.startswith("One renewal is decided: the plain rate is used")


@pytest.mark.parametrize(("won", "lost"), [(30, 0), (0, 30), (400, 0)])
def test_one_class_only_is_no_certainty(won, lost):
    model = fit(plain(won, lost, cohorts=3))
    p = model.likelihood(plain(3, 0))
    assert model.way == "base"
    assert 0.002 <= p.min() <= p.max() <= 0.998
    assert model.is_signal is False


def test_thirty_decided_give_a_rate_and_say_so():
    model = fit(made(30, cohorts=2)[0])
    assert model.way in ("base", "segments")
    assert "30 decided renewals are too few to learn from signals" in model.reason
    assert model.shock.size > 0.12


def test_no_signal_is_recognised():
    rows, _ = made(3_000, strength=0.0)
    model = fit(rows)
    assert (model.way, model.is_signal) == ("segments", False)
    assert model.reason.startswith("The signals carry no information: the simple rate is used")
    p = model.likelihood(rows)
    assert p.std() < 0.02


def test_a_strong_signal_is_found(strong):
    model, newer, p = strong
    assert model.is_signal
    assert model.is_time_ordered
    found = model.likelihood(newer)
    assert np.abs(found - p).mean() < 0.05
    assert metrics.skill(found, newer.is_renewed, model.base_rate) > 0.15


def test_explanation_adds_up_exactly(strong):
    model, newer, _ = strong
    told = model.explain(newer)
    total = told.base + np.sum([*told.contributions.values()], axis=0)
    assert total == pytest.approx(model.formula.log_odds(newer), abs=1e-9)
    size = {name: float(np.abs(values).mean()) for name, values in told.contributions.items()}
    assert sorted(size, key=size.get)[-2:] in (["plan", "usage"], ["usage", "plan"])


def test_boosting_is_taken_where_it_wins_and_its_explanation_adds_up():
    rng = np.random.default_rng(5)
    n = 4_000
    x, y = rng.normal(size=n), rng.normal(size=n)
    came = rng.random(n) < np.where(x * y > 0, 0.95, 0.25)  # no line through x and y tells these apart
    rows = Rows({"x": Numbers(x), "y": Numbers(y)}, (), np.sort(rng.integers(0, 4, n)), came)
    model = fit(rows)
    assert model.way == "boosting"
    told = model.explain(rows)
    total = told.base + told.contributions["x"] + told.contributions["y"]
    assert total == pytest.approx(model.formula.log_odds(rows), abs=1e-9)


def test_order_of_the_rows_does_not_matter(strong):
    rows, _ = made(600)
    shuffled = rows.take(np.random.default_rng(1).permutation(600))
    assert fit(rows).to_dict() == fit(shuffled).to_dict()


def test_a_model_survives_json(strong):
    model, newer, _ = strong
    again = Model.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    assert np.array_equal(again.likelihood(newer), model.likelihood(newer))
    assert again.to_dict() == model.to_dict()


def test_a_model_of_another_version_is_refused(strong):
    stored = strong[0].to_dict() | {"version": 99}
    with pytest.raises(ValueError, match="version 99"):
        Model.from_dict(stored)


def test_new_categories_and_lost_columns_do_not_crash(strong):
    model, newer, _ = strong
    columns = {"usage": newer.columns["usage"], "plan": Categories(np.zeros(len(newer), dtype=np.int64), ("platinum",))}
    p = model.likelihood(Rows(columns, ("plan",), newer.cohorts, newer.is_renewed))
    assert np.isfinite(p).all()


def test_the_level_follows_a_drift():
    rows, p = made(6_000, strength=0.3, drift=-0.15)
    is_older = rows.cohorts < 6
    model = fit(rows.take(np.flatnonzero(is_older)))
    newest = rows.cohorts == 6
    found = model.likelihood(rows.take(np.flatnonzero(newest)))
    assert found.mean() - p[newest].mean() < 0.06  # the rate of all history is 0.1 too high
    assert model.formula.level < -0.05 or model.is_recent


def test_all_from_one_segment():
    rows, _ = made(300)
    one = Categories(np.zeros(300, dtype=np.int64), ("only",))
    model = fit(Rows({"plan": one}, ("plan",), rows.cohorts, rows.is_renewed))
    assert np.ptp(model.likelihood(rows)) < 1e-12


def test_a_score_is_put_on_a_fitted_scale():
    rng = np.random.default_rng(3)
    scores = rng.uniform(5, 95, 400)
    came = rng.random(400) < 1 - scores / 100
    scores[::20] = np.nan
    rows = Rows({}, (), np.zeros(400, dtype=np.int64), came, scores=scores)
    model = fit(rows)
    assert (model.way, model.is_signal) == ("score", True)
    p = model.likelihood(rows)
    known = ~np.isnan(scores)
    assert np.abs(p[known] - (1 - scores[known] / 100)).max() < 0.12
    told = model.explain(rows)
    assert told.base + told.contributions["score"] == pytest.approx(model.formula.log_odds(rows), abs=1e-9)


def test_cohorts_are_missed_as_the_next_one_would_be_not_as_they_were_learned():
    rng, size = np.random.default_rng(8), 0.5
    cohorts = np.repeat(np.arange(9), 110)
    x, shocks = rng.normal(size=cohorts.size), size * np.array([1, 1, -1, -1, -1, 1, 0, 1, -1])
    came = rng.random(cohorts.size) < expit(1.2 * x + 0.5 + shocks[cohorts])
    # One name by cohort: it says which cohort a row is of, and nothing of the next one.
    names = tuple(f"batch {number}" for number in range(9))
    columns = {"batch": Categories(cohorts, names), "x": Numbers(x)}
    rows = Rows(columns, (), cohorts, came)
    model, apart = fit_apart(rows)
    assert model.is_signal
    seen = model.formula.log_odds(rows) - model.formula.level

    def missed(log_odds):
        found = [miss(log_odds[cohorts == cohort], came[cohorts == cohort])[0] for cohort in range(9)]
        return float(np.std(found))

    assert missed(seen) < 0.5 * missed(apart)
    assert missed(apart) == pytest.approx(size, abs=0.2)
    assert model.shock.size == 0.3  # the most there is
    dealt = rng.permutation(cohorts.size)
    assert fit_apart(rows.take(dealt))[1] == pytest.approx(apart[dealt])


def test_rates_are_their_own_forecasts_apart():
    rows, _ = made(3_000, strength=0.0)
    model, apart = fit_apart(rows)
    assert apart == pytest.approx(model.formula.log_odds(rows) - model.formula.level)


def test_a_period_that_is_half_known_has_a_smaller_shock(strong):
    model, _, _ = strong
    assert model.shock_of(model.newest_cohort) < 0.8 * model.shock.size
    whole = np.hypot(model.shock.size, model.shock.unknown)
    assert model.shock_of(model.newest_cohort + 1) == pytest.approx(whole)


def test_a_book_of_one_segment_has_that_segments_shock_too(strong):
    model, _, _ = strong
    alone = np.hypot(np.hypot(model.shock.size, model.shock.unknown), model.shock.segment_size)
    assert model.segments == ("plan",)
    assert model.shock_of(model.newest_cohort + 1, 1.0) == pytest.approx(alone)
    assert model.shock.size < model.shock_of(model.newest_cohort + 1, 0.3) < alone


def test_a_model_stored_before_segments_had_a_shock_is_read(strong):
    model, newer, _ = strong
    stored = json.loads(json.dumps(model.to_dict()))
    del stored["segments"], stored["shock"]["segment_size"], stored["formula"]["deviation"]
    again = Model.from_dict(stored)
    assert np.array_equal(again.likelihood(newer), model.likelihood(newer))
    assert (again.segments, again.shock.segment_size) == ((), 0.0)
    assert again.shock_of(model.newest_cohort + 1, 1.0) == pytest.approx(
        np.hypot(model.shock.size, model.shock.unknown)
    )


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="usage has 3 rows, cohorts has 2"):
        Rows({"usage": Numbers(np.zeros(3))}, (), np.zeros(2, dtype=np.int64), np.zeros(2, dtype=bool))
    with pytest.raises(ValueError, match="segment usage is not a column of categories"):
        Rows({"usage": Numbers(np.zeros(2))}, ("usage",), np.zeros(2, dtype=np.int64), np.zeros(2, dtype=bool))


def test_what_a_try_is_judged_by_is_kept_and_was_the_brier_score_before():
    model = fit(made(400)[0])
    assert model.trials
    assert {trial.measure for trial in model.trials} == {"log loss"}
    stored = model.to_dict()
    for trial in stored["trials"]:
        del trial["measure"]
    assert {trial.measure for trial in Model.from_dict(stored).trials} == {"Brier score"}


def test_renewals_of_one_account_are_no_proof_of_a_signal():
    """The sum of what a single account gained beyond the mean is 0, whatever it gained."""
    for seed in range(4):
        rows, _ = made(240, strength=0.0, seed=seed)
        assert not fit(replace(rows, accounts=np.zeros(len(rows), dtype=np.int64))).is_signal


def test_a_blend_of_few_rows_is_as_bold_as_those_it_did_not_see_say():
    skills = []
    for seed in range(4):
        rows, _ = made(2_200, strength=2.5, seed=seed)
        few, others = rows.take(np.arange(0, 2_200, 11)), rows.take(np.arange(1, 2_200, 11))
        learned = BLEND.learn(few, np.ones(len(few)), None)
        assert learned.calibration.slope > 1
        timid = replace(learned, calibration=UNCALIBRATED)
        skills.append([metrics.brier(expit(way.log_odds(others)), others.is_renewed) for way in (learned, timid)])
    calibrated, uncalibrated = np.mean(skills, axis=0)
    assert calibrated < uncalibrated - 0.005
