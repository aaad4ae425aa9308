import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.booking import split

cents = st.integers(0, 10**13)


def split_one(baseline, renewed, cross_sell=0):
    booking = split(np.array([baseline]), np.array([renewed]), np.array([cross_sell]))
    return {name: int(amounts[0]) for name, amounts in vars(booking).items() if amounts[0]}


@pytest.mark.parametrize(
    ("baseline", "renewed", "cross_sell", "expected"),
    [
        (100, 100, 0, {"renewal": 100}),
        (100, 130, 0, {"renewal": 100, "upsell": 30}),
        (100, 130, 50, {"renewal": 80, "cross_sell": 50, "downsell": 20}),
        (100, 60, 0, {"renewal": 60, "downsell": 40}),
        (100, 60, 60, {"cross_sell": 60, "downsell": 100}),
        (100, 0, 0, {"churn": 100}),
        (0, 70, 0, {"upsell": 70}),
        (0, 0, 0, {}),
    ],
)
def test_split_into_booking_types(baseline, renewed, cross_sell, expected):
    assert split_one(baseline, renewed, cross_sell) == expected


@given(st.lists(st.tuples(cents, cents, st.fractions(0, 1)), max_size=30))
def test_booking_types_add_up_to_the_cent(rows):
    baseline = np.array([row[0] for row in rows], dtype=np.int64)
    renewed = np.array([row[1] for row in rows], dtype=np.int64)
    cross_sell = np.array([int(row[1] * row[2]) for row in rows], dtype=np.int64)
    booking = split(baseline, renewed, cross_sell)
    total = baseline + booking.upsell + booking.cross_sell - booking.downsell - booking.churn
    assert np.array_equal(total, renewed)
    assert np.array_equal(booking.renewal + booking.downsell + booking.churn, baseline)
    assert all((amounts >= 0).all() and amounts.dtype == np.int64 for amounts in vars(booking).values())


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 1000))
def test_split_scales_with_the_amounts(baseline, renewed, factor):
    scaled = {name: amount * factor for name, amount in split_one(baseline, renewed).items()}
    assert split_one(baseline * factor, renewed * factor) == scaled


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        (([5, -1], [5, 5], [0, 0]), "row 1: baseline -1 is below 0"),
        (([5, 5], [-7, 5], [0, 0]), "row 0: renewed -7 is below 0"),
        (([5, 5], [5, 5], [0, 6]), "row 1: cross_sell 6 is above the renewed value"),
    ],
)
def test_split_names_the_bad_row(amounts, message):
    with pytest.raises(ValueError, match=message):
        split(*map(np.array, amounts))
