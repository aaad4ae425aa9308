"""In plain words."""

from typing import Any

from forecasting.accuracy.verdict import percent, verdict


def content(**joined: Any) -> dict[str, Any]:
    usual = {
        "wape": 0.06, "floor": 0.04, "bias": 0.01, "periods": 8.0, "judged": 600.0, "said": 0.8, "came": 0.79,
        "lean": 0.01, "lean_reach": 0.03, "coverage": 0.75, "banded": 8.0,
    }  # fmt: skip
    return {"horizons": {"90": {"all": {"joined": usual | joined, "last_year": {"wape": 0.09}}}}}


def test_an_error_stands_beside_what_chance_leaves() -> None:
    assert verdict(content()) == (
        "The forecast was off by 6.0 % at 90 days, chance alone leaves 4.0 % (8 periods, 600 open renewals)."
        " That is as near as such a book allows: believe it, within its band."
        " P10 to P90 held what came in 6 of 8 periods; 4 of 5 is right."
        " Last year's rate would have been off by 9.0 %."
    )


def test_a_forecast_that_misses_by_more_is_not_to_be_believed() -> None:
    said = verdict(content(wape=0.2, lean=-0.1, said=0.7, came=0.8, coverage=0.25))
    assert "Do not plan with it yet" in said
    assert "Of what was still open, 80 % came where 70 % was said: more than chance explains." in said
    assert "so the band was too narrow" in said
    assert "Last year's rate alone would have been nearer, off by 9.0 %." in said
    assert "It tells the direction" in verdict(content(wape=0.1))


def test_little_history_is_said() -> None:
    said = verdict(content(periods=2.0, banded=2.0))
    assert "Too few periods to say more" in said
    assert "P10" not in said
    assert verdict(content(wape=None)) == "Nothing came of what was due, so there is nothing to compare."
    assert verdict({"horizons": {}}) == "Nothing came of what was due, so there is nothing to compare."


def test_percent_keeps_what_is_known() -> None:
    assert [percent(share) for share in (0.0, 0.0994, -0.0996, 1.234)] == ["0.0 %", "9.9 %", "10 %", "123 %"]
