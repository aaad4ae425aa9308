import pytest

from forecasting.evaluation.rep_calls import score_calls


@pytest.mark.parametrize("calls", [3, 8, 14])
def test_few_calls_do_no_harm(calls):
    assert score_calls(calls, books=4).gain >= -0.001


def test_thirty_calls_take_the_bias_out_and_the_join_beats_both():
    scores = score_calls(30, books=4)
    assert scores.gain >= 0.04
    assert scores.joined < min(scores.corrected, scores.likelihood)
    assert scores == score_calls(30, books=4)
