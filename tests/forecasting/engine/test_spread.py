"""Wider quantiles against the exact mixture: every renewal with its outcomes, over all values of the shared shock."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.engine.amounts import AmountModel, Outcomes, outcomes
from forecasting.engine.distribution import GroupQuantiles, quantiles_by_group
from forecasting.engine.fitted.shock import Shock
from forecasting.engine.log_odds import expit, logit
from forecasting.engine.spread import widen

Z = np.linspace(-4, 4, 41)
WEIGHT_OF_Z = np.exp(-0.5 * Z**2) / np.exp(-0.5 * Z**2).sum()


def exact(p: np.ndarray, found: Outcomes, size: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    """(values, cumulated probability) of the sum by plain convolution of every renewal's outcomes, in steps."""
    points = int(found.amounts.max(axis=0).sum() / step) + 2 * p.size + 2
    pmf = np.zeros(points)
    for z, weight in zip(Z, WEIGHT_OF_Z, strict=True):
        chance = expit(logit(p) - 0.5 * size**2 * (1 - 2 * p) + size * z)
        own = np.zeros(points)
        own[0] = 1.0
        for row in range(p.size):
            moved = own * (1 - chance[row])
            for amount, share in zip(found.amounts[:, row], found.weights[:, row], strict=True):
                by = round(amount / step)
                moved[by:] += chance[row] * share * own[: points - by]
            own = moved
        pmf += weight * own
    return np.arange(points) * step, np.cumsum(pmf)


def told(shock: Shock, groups: int = 1) -> dict[str, Any]:
    return {"sizes": np.full(groups, shock.size), "segment_size": shock.segment_size}


def quick(
    p: np.ndarray, found: Outcomes, shock: Shock, codes: np.ndarray | None = None, groups: int = 1
) -> GroupQuantiles:
    codes = np.zeros(p.size, dtype=np.int64) if codes is None else codes
    mean = found.mean
    base = quantiles_by_group(codes, p, np.rint(mean).astype(np.int64), groups)
    highest = found.amounts.max(axis=0)
    none = np.zeros(p.size, dtype=np.int64)
    return widen(base, codes, p, mean, found.variance(mean), mean, highest, **told(shock, groups), segment_codes=none)


def book(count: int, seed: int) -> tuple[np.ndarray, Outcomes]:
    chance = np.random.default_rng(seed)
    baseline = (chance.lognormal(3.5, 0.9, count) * 100).astype(np.int64) + 100
    none = np.zeros(count, dtype=np.int64)
    found = outcomes(
        AmountModel.without_history(),
        segment_ids=none,
        baseline=baseline,
        forecast=none,
        has_forecast=none.astype(bool),
    )
    return chance.beta(6, 2, count), found


@pytest.mark.parametrize(("count", "room"), [(12, 0.06), (40, 0.04), (120, 0.03)])
def test_it_is_near_the_exact_mixture(count: int, room: float) -> None:
    """In distances from P10 to P90."""
    misses = []
    for seed in range(4):
        p, found = book(count, seed)
        values, cumulated = exact(p, found, 0.2, step=100)
        wide = quick(p, found, Shock(0.2, 5))
        true = [float(np.interp(level, cumulated, values)) for level in (0.1, 0.5, 0.9)]
        width = true[2] - true[0]
        misses.append([(near[0] - far) / width for near, far in zip((wide.p10, wide.p50, wide.p90), true, strict=True)])
    assert np.abs(misses).mean() < room


def drawn_sums(p: np.ndarray, found: Outcomes, size: float, count: int = 4_000) -> np.ndarray:
    """What came of all renewals, `count` times by chance."""
    chance = np.random.default_rng(1)
    z = chance.normal(size=(count, 1))
    won = chance.random((count, p.size)) < expit(logit(p) - 0.5 * size**2 * (1 - 2 * p) + size * z)
    kind = (chance.random((count, p.size, 1)) > np.cumsum(found.weights, axis=0).T).sum(axis=2)
    sums: np.ndarray = (won * found.amounts[np.minimum(kind, 6), np.arange(p.size)]).sum(axis=1)
    return sums


def test_eighty_of_a_hundred_outcomes_lie_within() -> None:
    p, found = book(200, 3)
    wide = quick(p, found, Shock(0.2, 5))
    sums = drawn_sums(p, found, 0.2)
    assert np.mean((sums >= wide.p10[0]) & (sums <= wide.p90[0])) == pytest.approx(0.80, abs=0.03)


@pytest.mark.parametrize("giant_p", [0.85, 0.905, 0.93, 0.97])
@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
def test_a_giant_comes_or_does_not(giant_p: float, share: float) -> None:
    """One in ten lies below P10 and one above P90, also where one contract is most of the sum."""
    p, small = book(40, 5)
    p[0] = giant_p
    amounts = small.amounts.copy()
    amounts[:, 0] *= share / (1 - share) * (small.mean.sum() - small.mean[0]) / small.mean[0]
    found = Outcomes(amounts, small.weights)
    wide = quick(p, found, Shock(0.25, 5))
    sums = drawn_sums(p, found, 0.25, 20_000)
    assert np.mean(sums < wide.p10[0]) == pytest.approx(0.10, abs=0.03)
    assert np.mean(sums > wide.p90[0]) == pytest.approx(0.10, abs=0.03)


def test_a_single_renewal_is_lost_or_brings_what_it_brings() -> None:
    p, cents, one = np.array([0.8, 0.95]), np.array([100_000, 100_000]), np.array([0, 1])
    base, spread = quantiles_by_group(one, p, cents, 2), np.full(2, 5_000.0**2)
    wide = widen(base, one, p, cents * 1.0, spread, cents, cents * 2, **told(Shock(0.2, 0), 2), segment_codes=one)
    assert wide.p10[0] == 0
    assert wide.p10[1] == pytest.approx(95_090, abs=100)
    assert wide.p50.tolist() == pytest.approx([99_500, 99_900], abs=200)


def test_a_giant_group_is_the_same_alone_and_among_others() -> None:
    p, cents = np.array([0.9, 0.7, 0.6, 0.4, 0.93]), np.array([9_000_000, 40_000, 70_000, 3, 60_000])
    codes, spread = np.array([0, 0, 0, 1, 2]), (cents * 0.1) ** 2

    def wide(rows: np.ndarray, codes: np.ndarray, groups: int) -> GroupQuantiles:
        base = quantiles_by_group(codes, p[rows], cents[rows], groups)
        most, none = cents[rows] * 2, np.zeros(rows.size, dtype=np.int64)
        sizes = told(Shock(0.2, 0), groups)
        return widen(base, codes, p[rows], cents[rows] * 1.0, spread[rows], most, most, **sizes, segment_codes=none)

    together, alone = wide(np.arange(5), codes, 3), wide(np.arange(3), codes[:3], 1)
    assert [together.p10[0], together.p50[0], together.p90[0]] == [alone.p10[0], alone.p50[0], alone.p90[0]]


def test_without_shock_and_spread_nothing_moves() -> None:
    p, cents = np.array([0.3, 0.9, 0.5]), np.array([1_000, 2_500, 70])
    codes = np.zeros(3, dtype=np.int64)
    base = quantiles_by_group(codes, p, cents, 1)
    same = widen(base, codes, p, cents * 1.0, np.zeros(3), cents, cents, **told(Shock(0.0, 0)), segment_codes=codes)
    assert [same.p10[0], same.p50[0], same.p90[0]] == [base.p10[0], base.p50[0], base.p90[0]]


def test_renewals_that_are_certain_spread_by_their_amounts_alone() -> None:
    p, mean, codes = np.ones(4), np.full(4, 1_000.0), np.zeros(4, dtype=np.int64)
    base = quantiles_by_group(codes, p, mean.astype(np.int64), 1)
    wide = widen(
        base, codes, p, mean, np.full(4, 100.0**2), mean * 0.5, mean * 1.5, **told(Shock(0.2, 0)), segment_codes=codes
    )
    # Standard deviation 200, of which 1.2816 below and above.
    assert [wide.p10[0], wide.p50[0], wide.p90[0]] == [3_744, 4_000, 4_256]


def test_each_group_has_the_size_of_its_own_horizon() -> None:
    p, cents, codes = np.full(400, 0.8), np.full(400, 1_000), np.arange(400) % 2
    base, none = quantiles_by_group(codes, p, cents, 2), np.zeros(400)
    sizes = Shock(0.2, 5, by_horizon=(0.1, 0.1, 0.1, 0.3)).size_at(np.array([0, 90]))
    alone = np.zeros(400, dtype=np.int64)
    wide = widen(base, codes, p, cents * 1.0, none, cents, cents, sizes=sizes, segment_size=0.0, segment_codes=alone)
    # V = 200 x 0.16, D = 32, in thousands.
    growth = (wide.p90 - wide.p10) / (base.p90 - base.p10)
    assert growth.tolist() == pytest.approx([np.sqrt(1 + (size * 32) ** 2 / 32) for size in (0.1, 0.3)], rel=0.01)


def test_segments_that_stray_on_their_own_widen_by_their_squares() -> None:
    p, cents, codes = np.full(200, 0.8), np.full(200, 1_000), np.zeros(200, dtype=np.int64)
    base = quantiles_by_group(codes, p, cents, 1)
    none = np.zeros(200)

    def width(segments: np.ndarray) -> float:
        alone = told(Shock(0.0, 0, 0.2))
        wide = widen(base, codes, p, cents * 1.0, none, cents, cents, **alone, segment_codes=segments)
        return float((wide.p90[0] - wide.p10[0]) / (base.p90[0] - base.p10[0]))

    # V = 200 x 0.16, D = 32 in one segment, twice 16 in two; in thousands.
    assert width(codes) == pytest.approx(np.sqrt(1 + (0.2 * 32) ** 2 / 32), rel=0.01)
    assert width(np.arange(200) % 2) == pytest.approx(np.sqrt(1 + 2 * (0.2 * 16) ** 2 / 32), rel=0.01)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 10**8), st.integers(0, 3)), min_size=1, max_size=25),
    st.integers(2, 9),
    st.floats(0, 0.3),
)
def test_quantiles_are_ordered_whatever_the_order_of_rows_and_the_scale(
    rows: list[tuple[float, int, int]], scale: int, size: float
) -> None:
    def wide(rows: list[tuple[float, int, int]], scale: int = 1) -> GroupQuantiles:
        p, cents, codes = (np.array(column) for column in zip(*rows, strict=True))
        none = np.zeros(p.size, dtype=np.int64)
        found = outcomes(
            AmountModel.without_history(),
            segment_ids=none,
            baseline=cents * scale,
            forecast=none,
            has_forecast=none.astype(bool),
        )
        return quick(p, found, Shock(size, 3), codes, 4)

    own, turned, scaled = wide(rows), wide(rows[::-1]), wide(rows, scale)
    assert ((own.p10 <= own.p50) & (own.p50 <= own.p90)).all()
    assert own.mean.sum() == pytest.approx(sum(p * cents for p, cents, _ in rows), rel=1e-6, abs=len(rows))
    for level in ("p10", "p50", "p90"):
        assert getattr(turned, level) == pytest.approx(getattr(own, level), abs=2)
        # Amounts are whole cents, and sixteen rows or more lie on a grid.
        room = 2 * scale + 0.02 * scale * float((own.p90 - own.p10).max())
        assert getattr(scaled, level) == pytest.approx(getattr(own, level) * scale, abs=room)
