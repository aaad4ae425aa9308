import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.log_odds import expit, logit
from forecasting.engine.probability import RepRecords, disagreement, join_probability, measure_reps
from forecasting.engine.timing import NO_ID, TimingClass

NAN = float("nan")
UPCOMING = TimingClass.UPCOMING


def join(likelihood, confidence, records=None, rep=1, timing=UPCOMING):
    joined = join_probability(
        likelihood=np.array([likelihood]),
        confidence=np.array([confidence]),
        rep_ids=np.array([rep]),
        timing=np.array([timing]),
        records=records or RepRecords.empty(),
    )
    return float(joined[0])


def simulate(rng, reps, calls, bias=0.0, stretch=1.0, noise=0.5):
    """Closed calls of reps who see the true log-odds with noise, bias and overconfidence; the model sees others."""
    n = reps * calls
    truth = rng.normal(1.6, 1.2, n)
    rep = np.repeat(np.arange(reps), calls)
    personal = np.repeat(rng.normal(bias, 0.5 if bias else 0.0, reps), calls)
    return {
        "rep_ids": rep,
        "confidence": expit(personal + stretch * (truth + rng.normal(0, noise, n))),
        "likelihood": expit(truth + rng.normal(0, 0.8, n)),
        "is_renewed": rng.random(n) < expit(truth),
    }


def brier(probability, calls):
    return float(((probability - calls["is_renewed"]) ** 2).mean())


def joined(calls, records):
    timing = np.full(calls["rep_ids"].size, UPCOMING)
    return join_probability(
        likelihood=calls["likelihood"],
        confidence=calls["confidence"],
        rep_ids=calls["rep_ids"],
        timing=timing,
        records=records,
    )


def test_without_a_record_both_count_the_same():
    assert join(0.8, 0.8) == pytest.approx(0.8)
    assert join(0.9, 0.5) == pytest.approx(float(expit(logit(0.9) / 2)))
    assert join(0.9, 0.5) == pytest.approx(0.75)


def test_what_is_missing_leaves_the_other_alone():
    assert join(0.73, NAN) == 0.73
    assert join(NAN, 0.6) == pytest.approx(0.6)
    assert np.isnan(join(NAN, NAN))


@pytest.mark.parametrize(
    ("timing", "expected"),
    [("EARLY", 1.0), ("ON_TIME", 1.0), ("LATE", 1.0), ("WIN_BACK", 0.0), ("LOST", 0.0), ("LAPSED", 0.0)],
)
def test_decided_and_lapsed_ignore_every_opinion(timing, expected):
    assert [join(0.5, word, timing=TimingClass[timing]) for word in (0.0, 0.5, 1.0, NAN)] == [expected] * 4


def test_certainty_is_bounded():
    assert join(0.5, 1.0) == pytest.approx(float(expit(logit(0.99) / 2)))
    assert join(0.5, 0.0) == pytest.approx(1 - join(0.5, 1.0))


@given(st.floats(0.005, 0.995), st.floats(0, 1))
def test_joined_lies_between_the_two(likelihood, confidence):
    word = min(max(confidence, 0.01), 0.99)
    probability = join(likelihood, confidence)
    assert min(likelihood, word) - 1e-12 <= probability <= max(likelihood, word) + 1e-12


def test_no_rows():
    none, ids = np.empty(0), np.empty(0, dtype=np.int64)
    result = join_probability(likelihood=none, confidence=none, rep_ids=ids, timing=ids, records=RepRecords.empty())
    assert result.size == 0


def test_a_confidence_in_percent_is_refused():
    with pytest.raises(ValueError, match=r"row 0: confidence 70\.0 is not between 0 and 1"):
        join(0.5, 70.0)


def test_few_calls_leave_no_record():
    calls = simulate(np.random.default_rng(0), reps=1, calls=14, bias=2)
    assert measure_reps(**calls).to_dict() == RepRecords.empty().to_dict()


def test_below_fifteen_calls_a_rep_is_taken_at_their_word():
    rng = np.random.default_rng(1)
    calls = simulate(rng, reps=40, calls=14, bias=1.0)
    records = measure_reps(**calls)
    assert (records.intercepts.tolist(), records.slopes.tolist()) == ([0.0] * 40, [1.0] * 40)
    assert set(records.weights.tolist()) == {records.pooled_weight}


def test_calls_without_a_number_are_left_out():
    calls = simulate(np.random.default_rng(2), reps=2, calls=20)
    calls["confidence"][3], calls["likelihood"][25] = NAN, NAN
    assert measure_reps(**calls).call_counts.tolist() == [19, 19]


def test_debiasing_thirty_calls_makes_the_word_better():
    rng = np.random.default_rng(3)
    calls = simulate(rng, reps=200, calls=60, bias=0.8, stretch=1.3)
    seen = np.tile(np.arange(60) < 30, 200)
    past, later = ({name: values[rows] for name, values in calls.items()} for rows in (seen, ~seen))
    records = measure_reps(**past)
    word = logit(np.clip(later["confidence"], 0.01, 0.99))
    debiased = expit(records.intercepts[later["rep_ids"]] + records.slopes[later["rep_ids"]] * word)
    assert brier(debiased, later) < 0.96 * brier(later["confidence"], later)


def test_joined_beats_both_on_calls_it_has_not_seen():
    rng = np.random.default_rng(4)
    calls = simulate(rng, reps=100, calls=60, bias=0.5)
    seen = np.tile(np.arange(60) < 30, 100)
    past, later = ({name: values[rows] for name, values in calls.items()} for rows in (seen, ~seen))
    result = brier(joined(later, measure_reps(**past)), later)
    assert result < 0.97 * min(brier(later["likelihood"], later), brier(later["confidence"], later))


def test_a_rep_whose_calls_were_right_counts_for_more():
    rng = np.random.default_rng(5)
    sharp = simulate(rng, reps=1, calls=200, noise=0.05)
    blind = simulate(rng, reps=1, calls=200)
    blind["rep_ids"] = blind["rep_ids"] + 7
    blind["confidence"] = rng.random(200)
    records = measure_reps(**{name: np.concatenate([sharp[name], blind[name]]) for name in sharp})
    assert records.rep_ids.tolist() == [0, 7]
    assert records.weights[0] > records.pooled_weight > records.weights[1]
    assert abs(join(0.5, 0.95, records, rep=0) - 0.5) > abs(join(0.5, 0.95, records, rep=7) - 0.5)
    assert records.slopes[1] < 0.5 < records.slopes[0]


def test_an_unknown_rep_has_the_pooled_weight_and_no_correction():
    records = measure_reps(**simulate(np.random.default_rng(6), reps=10, calls=30, bias=1.0))
    expected = expit(records.pooled_weight * logit(0.9) + (1 - records.pooled_weight) * logit(0.6))
    assert join(0.6, 0.9, records, rep=NO_ID) == pytest.approx(float(expected))
    assert join(0.6, 0.9, records, rep=10_000) == pytest.approx(float(expected))


@pytest.mark.parametrize("came", [True, False])
def test_calls_that_all_ended_alike_stay_finite(came):
    n = 50
    records = measure_reps(
        rep_ids=np.ones(n),
        confidence=np.full(n, 1.0),
        likelihood=np.full(n, 0.9),
        is_renewed=np.full(n, came),
    )
    assert np.isfinite([*records.intercepts, *records.slopes, *records.weights]).all()
    assert (join(0.9, 1.0, records) > 0.9) is came


def test_records_survive_json():
    records = measure_reps(**simulate(np.random.default_rng(8), reps=3, calls=20, bias=1.0))
    again = RepRecords.from_dict(json.loads(json.dumps(records.to_dict())))
    assert again.to_dict() == records.to_dict()
    assert join(0.7, 0.4, again) == join(0.7, 0.4, records)


def test_disagreement_is_the_distance():
    found = disagreement(np.array([0.25, 0.5, NAN]), np.array([1.0, 0.25, 0.5]))
    assert np.array_equal(found, [0.75, 0.25, NAN], equal_nan=True)
