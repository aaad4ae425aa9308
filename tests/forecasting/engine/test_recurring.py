"""The band of a closing level, and months added to days."""

import datetime as dt
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.recurring import Uncertain, closing_band
from forecasting.engine.recurring.timelines import add_months

EMPTY = Uncertain(np.array([]), np.array([], dtype=np.int64), 0.0, 0.0)


def band_of(p: list[float], cents: list[int], *, shock: float = 0.0) -> tuple[int, int]:
    mean = float(np.dot(p, cents))
    return closing_band(mean, Uncertain(np.array(p), np.array(cents), 0.0, 0.0), shock=shock)


def exact_quantile(p: list[float], cents: list[int], level: float) -> int:
    outcomes = []
    for kept in product((0, 1), repeat=len(p)):
        weight = np.prod([one if is_kept else 1 - one for one, is_kept in zip(p, kept, strict=True)])
        outcomes.append((int(np.dot(kept, cents)), float(weight)))
    reached = 0.0
    for value, weight in sorted(outcomes):
        reached += weight
        if reached >= level - 1e-9:
            return value
    return max(outcomes)[0]


def test_without_uncertainty_both_ends_are_the_mean() -> None:
    assert closing_band(123_456.0, EMPTY, shock=0.175) == (123_456, 123_456)


@given(
    rows=st.lists(st.tuples(st.floats(0.05, 0.95), st.integers(1, 10**8)), min_size=1, max_size=8),
    certain=st.integers(0, 10**9),
)
def test_few_amounts_are_listed_exactly(rows: list[tuple[float, int]], certain: int) -> None:
    p, cents = [one for one, _ in rows], [one for _, one in rows]
    uncertain = Uncertain(np.array(p), np.array(cents), 0.0, 0.0)
    found = closing_band(certain + float(np.dot(p, cents)), uncertain, shock=0.0)
    wanted = [certain + exact_quantile(p, cents, level) for level in (0.1, 0.9)]
    assert list(found) == pytest.approx(wanted, abs=1)


def test_one_giant_contract_is_there_or_not() -> None:
    assert band_of([0.5], [6_000_000]) == (0, 6_000_000)


def test_the_band_of_many_is_that_of_draws() -> None:
    rng = np.random.default_rng(5)
    p, cents = rng.uniform(0.5, 0.97, 400), rng.lognormal(9, 1, 400).astype(np.int64)
    order = np.argsort(-cents)
    rest = order[8:]
    spread = p * (1 - p)
    variance = float(spread[rest] @ cents[rest].astype(np.float64) ** 2)
    uncertain = Uncertain(p[order[:8]], cents[order[:8]], variance, float(spread[rest] @ cents[rest]))
    for shock in (0.0, 0.2):
        low, high = closing_band(float(p @ cents), uncertain, shock=shock)
        z = rng.standard_normal(40_000)[:, None]
        shifted = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shock * z)))
        drawn = ((rng.random((40_000, 400)) < shifted) * cents).sum(axis=1)
        width = float(np.diff(np.quantile(drawn, [0.1, 0.9]))[0])
        # The mean is kept where it is, which a plain shock moves by a little.
        wanted = np.quantile(drawn, [0.1, 0.9]) + float(p @ cents) - drawn.mean()
        assert [low, high] == pytest.approx(wanted.tolist(), abs=0.03 * width)


@given(scale=st.integers(2, 50))
def test_scaling_the_amounts_scales_the_band(scale: int) -> None:
    p, cents = [0.3, 0.8, 0.6], [1_000, 50_000, 7_000]
    once, more = band_of(p, cents), band_of(p, [scale * one for one in cents])
    assert list(more) == pytest.approx([scale * one for one in once], abs=scale)


@pytest.mark.parametrize(
    ("day", "months", "wanted"),
    [
        ("2023-12-31", 12, "2024-12-31"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2023-02-28", 12, "2024-02-29"),  # the last day of its month stays that
        ("2026-01-30", 1, "2026-02-28"),
        ("2026-05-14", 36, "2029-05-14"),
    ],
)
def test_months_are_added_as_contracts_count_them(day: str, months: int, wanted: str) -> None:
    number = (dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days
    moved = add_months(np.array([number]), np.array([months]))
    assert dt.date(1970, 1, 1) + dt.timedelta(days=int(moved[0])) == dt.date.fromisoformat(wanted)
