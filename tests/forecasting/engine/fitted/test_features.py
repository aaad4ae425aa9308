import json

import numpy as np
import pytest

from forecasting.engine.fitted import Categories, Numbers, Rows
from forecasting.engine.fitted.features import Encoding, learn_encoding


def rows_of(columns, n, is_renewed=None):
    outcome = np.arange(n) % 2 == 0 if is_renewed is None else is_renewed
    return Rows(columns, (), np.zeros(n, dtype=np.int64), outcome)


def test_numbers_are_standardised_and_missing_is_a_column_of_its_own():
    rows = rows_of({"usage": Numbers(np.array([1.0, 2.0, 3.0, np.nan] * 25))}, 100)
    encoding, encoded = learn_encoding(rows, np.ones(100))
    assert encoding.names == ("usage",)
    assert encoding.sources.tolist() == [0, 0]
    assert encoded.design[:4].round(6).tolist() == [[-1.224745, 0], [0, 0], [1.224745, 0], [0, 1]]
    assert encoding.tree(rows)[:3, 0].tolist() == [1, 2, 3]


def test_what_was_learned_stays_with_other_rows():
    train = rows_of({"x": Numbers(np.arange(100.0)), "plan": Categories(np.arange(100) % 2, ("a", "b"))}, 100)
    encoding, _ = learn_encoding(train, np.ones(100))
    other = rows_of({"x": Numbers(np.array([1e12, np.inf])), "plan": Categories(np.array([0, 1]), ("new", "b"))}, 2)
    plan, x = encoding.design(other)[:, :3], encoding.design(other)[:, 3]
    assert encoding.names == ("plan", "x")
    assert plan.tolist() == [[0, 0, 1], [0, 1, 0]]  # a plan never seen is as a missing one
    assert x[0] == pytest.approx(encoding.design(train)[-1, 3], rel=0.02)  # cut at the 99th percentile
    assert x[1] == 0  # infinite is missing


def test_a_column_that_is_gone_is_missing():
    train = rows_of({"x": Numbers(np.arange(100.0)), "plan": Categories(np.arange(100) % 2, ("a", "b"))}, 100)
    encoding, _ = learn_encoding(train, np.ones(100))
    bare = rows_of({}, 3)
    assert encoding.design(bare).tolist() == [[0, 0, 1, 0]] * 3
    assert np.isnan(encoding.tree(bare)[:, 1]).all()


def test_columns_that_say_one_thing_are_left_out():
    columns = {"same": Numbers(np.ones(60)), "never": Numbers(np.full(60, np.nan)), "x": Numbers(np.arange(60.0))}
    assert learn_encoding(rows_of(columns, 60), np.ones(60))[0].names == ("x",)


def test_many_categories_become_shrunken_log_odds_that_do_not_know_their_own_row():
    rng = np.random.default_rng(0)
    codes, names = rng.integers(0, 60, 1_200), tuple(f"town {place}" for place in range(60))
    rows = rows_of({"town": Categories(codes, names)}, 1_200, rng.random(1_200) < 0.5)
    encoding, encoded = learn_encoding(rows, np.ones(1_200))
    assert encoded.design.shape == (1_200, 1)
    # Nothing is to be learned from towns: in the own row's absence what they say must not fit the outcome.
    assert abs(np.corrcoef(encoded.design[:, 0], rows.is_renewed)[0, 1]) < 0.1
    unknown = rows_of({"town": Categories(np.array([0, -1]), ("elsewhere",))}, 2)
    assert encoding.design(unknown)[:, 0].tolist() == [0.0, 0.0]


def test_encoding_survives_json():
    columns = {"x": Numbers(np.arange(600.0) ** 3), "plan": Categories(np.arange(600) % 3, ("a", "b", "c"))}
    rows = rows_of(columns, 600)
    encoding, _ = learn_encoding(rows, np.ones(600))
    again = Encoding.from_dict(json.loads(json.dumps(encoding.to_dict(), allow_nan=False)))
    assert np.array_equal(again.design(rows), encoding.design(rows))
    assert np.array_equal(again.tree(rows), encoding.tree(rows))


def test_what_a_design_comes_to_needs_no_design():
    rng = np.random.default_rng(0)
    x = rng.lognormal(0, 2, 900)
    train = rows_of(
        {
            "bent": Numbers(np.where(rng.random(900) < 0.1, np.nan, x)),
            "plain": Numbers(rng.normal(size=900)),
            "plan": Categories(rng.integers(-1, 4, 900), ("a", "b", "c", "d")),
            "town": Categories(rng.integers(0, 40, 900), tuple(f"town {place}" for place in range(40))),
        },
        900,
        rng.random(900) < 0.6,
    )
    encoding, _ = learn_encoding(train, np.ones(900))
    coefficients = rng.normal(size=encoding.sources.size)
    asked = rows_of(
        {
            "bent": Numbers(np.array([np.nan, np.inf, 1e300, -5.0, 2.0])),
            "plain": Numbers(np.array([0.5, np.nan, -np.inf, 9.0, -9.0])),
            "plan": Categories(np.array([0, 1, -1, 0, 1]), ("never seen", "c")),
            "town": Categories(np.array([0, 0, 1, -1, 1]), ("town 7", "elsewhere")),
        },
        5,
    )
    for rows in (train, asked, rows_of({}, 2)):
        assert encoding.linear(rows, coefficients) == pytest.approx(encoding.design(rows) @ coefficients, abs=1e-12)
    whole = encoding.linear(train, coefficients)
    assert encoding.linear(train.take(np.array([5])), coefficients)[0] == whole[5]


@pytest.mark.parametrize(("numbers", "width"), [(1, 4), (20, 4), (21, 1)])
def test_numbers_bend_where_there_are_rows_enough_for_as_many(numbers, width):
    x = np.random.default_rng(0).normal(size=(numbers, 800))
    encoding, encoded = learn_encoding(rows_of({f"x{at}": Numbers(x[at]) for at in range(numbers)}, 800), np.ones(800))
    assert {encoder.width for encoder in encoding.encoders} == {width}
    assert encoded.design.shape == (800, numbers * width)
