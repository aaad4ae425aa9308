import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.calls import Tally, join_unseen, tally_calls, total
from forecasting.engine.log_odds import expit
from forecasting.engine.probability import RepRecords, join_probability
from forecasting.engine.timing import TimingClass

NAN = float("nan")


def tally(reps, confidence, likelihood, joined, came):
    return tally_calls(
        rep_ids=np.array(reps),
        confidence=np.array(confidence),
        likelihood=np.array(likelihood),
        joined=np.array(joined),
        is_renewed=np.array(came),
    )


def test_sums_of_each_rep():
    found = tally([7, 7, 3, 7], [0.9, 0.5, 1.0, NAN], [0.8, 0.6, 0.5, 0.5], [0.8, 0.5, 0.5, 0.5], [1, 0, 1, 1])
    assert sorted(found) == [3, 7]
    assert found[7].count == 2
    assert found[7].bias == pytest.approx(0.2)
    assert found[7].brier("rep") == pytest.approx((0.01 + 0.25) / 2)
    assert found[7].brier("model") == pytest.approx((0.04 + 0.36) / 2)
    assert found[7].brier("joined") == pytest.approx((0.04 + 0.25) / 2)
    assert found[7].tenths[5] == (1.0, 0.5, 0.0)
    assert found[3].tenths[9] == (1.0, 1.0, 1.0)  # certainty is in the last tenth
    assert Tally.from_dict(json.loads(json.dumps(found[7].to_dict()))) == found[7]


def test_bias_is_drawn_to_that_of_all_by_the_count():
    ten_high = Tally(10, 9.0, 5.0, 3.0, 2.0, 2.0)  # 40 points too high
    of_all = Tally(100, 80.0, 80.0, 16.0, 16.0, 16.0)
    bias, lowest, highest = ten_high.drawn_bias(of_all)
    assert bias == pytest.approx(0.10)  # (10 x 0.4 + 30 x 0) / 40
    assert highest - bias == pytest.approx(1.96 * (0.16 / 40) ** 0.5)
    assert bias - lowest == pytest.approx(highest - bias)


calls = st.lists(
    st.tuples(st.integers(1, 4), st.floats(0, 1), st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.booleans()),
    min_size=1,
    max_size=40,
)


@given(calls, st.randoms())
def test_totals_are_the_same_however_calls_are_grouped(rows, random):
    whole = total(tally(*zip(*rows, strict=True)).values())
    shuffled = random.sample(rows, len(rows))
    at = random.randint(1, len(rows))
    parts = [part for part in (shuffled[:at], shuffled[at:]) if part]
    again = total(one for part in parts for one in tally(*zip(*part, strict=True)).values())
    assert again.count == whole.count == len(rows)
    for name in ("confidence", "came", "rep_error", "model_error", "joined_error"):
        assert getattr(again, name) == pytest.approx(getattr(whole, name))
    assert np.allclose(again.tenths, whole.tenths)


def test_join_is_judged_by_records_of_other_accounts():
    """Reps who say nothing that is so: weights measured on their own calls would still seem to gain."""
    rng = np.random.default_rng(5)
    n = 4000
    model = np.full(n, 0.8)
    came = rng.random(n) < model
    noise = expit(rng.normal(1.4, 1.5, n))
    joined = join_unseen(
        rep_ids=rng.integers(0, 4, n), confidence=noise, likelihood=model, is_renewed=came, account_ids=np.arange(n)
    )
    assert ((joined - came) ** 2).mean() == pytest.approx(((model - came) ** 2).mean(), abs=0.002)
    assert ((joined - came) ** 2).mean() < ((noise - came) ** 2).mean() - 0.05


rates = st.one_of(st.just(NAN), st.floats(0, 1))


@given(st.lists(st.tuples(st.floats(0.01, 0.99), rates, rates, st.sampled_from(list(TimingClass))), min_size=1))
def test_join_with_a_pin_is_the_pin_and_without_as_before(rows):
    likelihood, confidence, pinned, timing = (np.array(column) for column in zip(*rows, strict=True))
    given = {"likelihood": likelihood, "confidence": confidence, "rep_ids": np.ones(len(rows), dtype=np.int64),
             "timing": timing, "records": RepRecords.empty()}  # fmt: skip
    before, after = join_probability(**given), join_probability(**given, pinned=pinned)
    is_open = timing < TimingClass.LAPSED
    counts = is_open & ~np.isnan(pinned)
    assert (after[counts] == pinned[counts]).all()
    assert (after[~counts] == before[~counts]).all()
    assert (join_probability(**given, pinned=np.full(len(rows), NAN)) == before).all()


def test_a_pin_out_of_range_is_refused():
    with pytest.raises(ValueError, match="pinned probability"):
        join_probability(
            likelihood=np.array([0.5]), confidence=np.array([0.5]), rep_ids=np.array([1]),
            timing=np.array([0]), records=RepRecords.empty(), pinned=np.array([1.2]),
        )  # fmt: skip
