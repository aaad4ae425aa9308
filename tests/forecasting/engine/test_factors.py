import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.factors import (
    FACTOR_KEYS,
    FactorInputs,
    built_in_factors,
    category_factor,
    date_factor,
    flag_factor,
    numeric_factor,
)
from forecasting.engine.timing import NO_DAY


def factors_of(**signals):
    """{factor key: x} of the factors that are there, for one renewal with these signals."""
    inputs = FactorInputs(1, **{name: np.array([value], dtype=np.float64) for name, value in signals.items()})
    row = built_in_factors(inputs)[0]
    return {key: round(float(x), 4) for key, x in zip(FACTOR_KEYS, row, strict=True) if not np.isnan(x)}


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ({"usage_change_rate": 0.05}, {"usage_trend": 0}),
        ({"usage_change_rate": -0.125}, {"usage_trend": 0.5}),
        ({"usage_change_rate": -0.9}, {"usage_trend": 1}),
        ({"days_since_touch": 52}, {"days_since_touch": 0.5}),
        ({"severe_ticket_count": 1, "reopened_ticket_rate": 0.0}, {"severe_tickets": 0.5}),
        ({"reopened_ticket_rate": 0.4}, {"severe_tickets": 1}),
        ({"csat_score": 2.0, "nps_score": 50}, {"satisfaction": 0.5}),
        ({"nps_score": -100}, {"satisfaction": 1}),
        ({"late_payment_days": 5, "failed_payment_count": 3}, {"payment_behaviour": 1}),
        ({"chargeback_count": 1}, {"payment_behaviour": 1}),
        ({"contract_age_days": 1826, "term_days": 30}, {"contract_age": 0.5}),
        ({"past_late_rate": 0.25}, {"past_lateness": 0.25}),
        ({"price_rise_rate": 0.115}, {"price_rise": 0.5}),
        ({"champion_left": 1}, {"champion_left": 1}),
        ({"size_change_rate": -0.1}, {"size_change": 0.5}),
        ({"size_change_rate": 0.8}, {"size_change": 0}),
        ({"stage_progress": 0.25, "days_left": 30}, {"stage_pace": 0.5}),
        ({"stage_progress": 0.9, "days_left": 60}, {"stage_pace": 0}),
        ({"stage_progress": 0.1, "days_left": -20}, {"stage_pace": 0.9}),
        ({"days_left": -20}, {}),
        ({}, {}),
    ],
)
def test_each_factor_has_its_range(signals, expected):
    assert factors_of(**signals) == expected


@given(
    st.dictionaries(
        st.sampled_from([name for name in FactorInputs.__dataclass_fields__ if name != "row_count"]),
        st.floats(-1e6, 1e6) | st.just(float("nan")),
    )
)
def test_factors_stay_between_0_and_1(signals):
    assert all(0 <= x <= 1 for x in factors_of(**signals).values())


def test_extra_columns_are_left_for_custom_factors():
    x = built_in_factors(FactorInputs(2, champion_left=np.array([1.0, np.nan])), extra_count=2)
    assert (x.shape, x.dtype) == ((2, 13), np.float32)
    assert np.argwhere(~np.isnan(x)).tolist() == [[0, FACTOR_KEYS.index("champion_left")]]


def test_no_rows_have_no_factors():
    assert built_in_factors(FactorInputs(0, days_left=np.empty(0))).shape == (0, 11)


def test_numeric_factor_runs_either_way():
    values = np.array([-1, 0, 5, 10, 99, np.nan])
    assert np.array_equal(numeric_factor(values, 0, 10), np.float32([0, 0, 0.5, 1, 1, np.nan]), equal_nan=True)
    assert np.array_equal(numeric_factor(values, 10, 0), np.float32([1, 1, 0.5, 0, 0, np.nan]), equal_nan=True)


def test_a_factor_needs_a_range():
    with pytest.raises(ValueError, match="low and high are both 3"):
        numeric_factor(np.array([1.0]), 3, 3)


def test_flag_factor_is_risk_when_set_or_when_not():
    flags = np.array([0, 1, np.nan])
    assert np.array_equal(flag_factor(flags), np.float32([0, 1, np.nan]), equal_nan=True)
    assert np.array_equal(flag_factor(flags, is_risk_when_set=False), np.float32([1, 0, np.nan]), equal_nan=True)


def test_date_factor_is_the_age_of_the_day():
    x = date_factor(np.array([20000, 19950, NO_DAY, 20100], dtype=np.int32), 20000, 0, 100)
    assert np.array_equal(x, np.float32([0, 0.5, np.nan, 0]), equal_nan=True)


def test_category_factor_looks_the_risk_up():
    x = category_factor(np.array([1, -1, 0]), np.array([0.25, 1.0]))
    assert np.array_equal(x, np.float32([1, np.nan, 0.25]), equal_nan=True)
    with pytest.raises(ValueError, match=r"row 1: risk_by_code 1\.5 is not between 0 and 1"):
        category_factor(np.array([0]), np.array([0.25, 1.5]))
