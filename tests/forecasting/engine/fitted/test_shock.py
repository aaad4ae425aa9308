import json
from dataclasses import asdict
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.engine.distribution import distribute, quantiles_by_group
from forecasting.engine.fitted import shock
from forecasting.engine.fitted.shock import (
    Shock,
    Z,
    _shocked,
    concentration,
    forecast_period,
    learn_segment_size,
    learn_shock,
    size_of_level,
    unknown_rate,
    weights_of_periods,
    widen_quantiles,
    widening,
)

probability = st.floats(0.01, 0.99) | st.sampled_from([0.0, 1.0, 0.5])
pairs = st.lists(st.tuples(probability, st.integers(0, 10**9)), max_size=40)
sizes = st.sampled_from([0.0, 0.1, 0.2, 0.5])


def columns(rows):
    return np.array([p for p, _ in rows], dtype=np.float64), np.array([a for _, a in rows], dtype=np.int64)


def random_book(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.beta(8, 2, n), rng.lognormal(13, 1, n).astype(np.int64) + 1


def test_without_periods_the_size_is_the_prior():
    assert learn_shock([], []).size == pytest.approx(0.175)
    assert learn_shock([0.3], [np.inf]).size == pytest.approx(0.175)


def test_size_is_that_of_the_misses_less_their_sampling_error():
    assert learn_shock([0.2, -0.2], [0.0, 0.0]).size == pytest.approx(np.sqrt((0.04 + 0.175**2) / 2))
    rng = np.random.default_rng(0)
    misses = rng.normal(0, np.hypot(0.3, 0.1), 4_000)
    assert learn_shock(misses, np.full(4_000, 0.1)).size == pytest.approx(0.3, rel=0.05)
    assert learn_shock(np.zeros(500), np.full(500, 0.1)).size == 0.03


def test_size_of_a_level_is_drawn_to_that_of_real_books():
    assert size_of_level(0.1, 1) == pytest.approx(0.175)
    assert size_of_level(0.1, 5) == pytest.approx(np.sqrt((4 * 0.1**2 + 2 * 0.175**2) / 6))
    assert size_of_level(2.0, 9) == 0.3


def test_a_size_of_few_periods_is_widened_as_students_t_is():
    # P90 of t with 2, 6 and 10 degrees of freedom (published: 1.886, 1.440, 1.372) over 1.2816.
    assert [widening(count) for count in (1, 5, 9)] == pytest.approx([1.4713, 1.1235, 1.0707], abs=2e-4)


def test_a_period_takes_the_size_of_the_horizon_that_its_end_is_within():
    days = np.array([-40, 0, 1, 30, 31, 60, 61, 90, 91, 500])
    shock = Shock(0.2, 8, by_horizon=(0.1, 0.12, 0.15, 0.18))
    assert shock.size_at(days).tolist() == [0.1, 0.1, 0.12, 0.12, 0.15, 0.15, 0.18, 0.18, 0.18, 0.18]
    assert Shock(0.2, 8).size_at(days).tolist() == [0.2] * 10
    assert Shock.from_dict(asdict(shock)) == shock
    assert Shock.from_dict({"size": 0.2, "period_count": 8, "segment_size": 0.0}) == Shock(0.2, 8)


def test_the_rate_of_all_is_unknown_as_stated_until_renewals_are_decided():
    # N(stated, 0.8^2) and an information of sum p (1 - p): precisions add up.
    assert unknown_rate(0.0) == pytest.approx(0.8)
    assert unknown_rate(30 * 0.85 * 0.15) == pytest.approx(1 / np.sqrt(3.825 + 1.5625))
    assert unknown_rate(1e6) == pytest.approx(0.001, rel=0.01)
    assert Shock(0.175, 0, unknown=0.6).size_at(np.array([0, 90])).tolist() == pytest.approx([0.625, 0.625])
    by_horizon = Shock(0.2, 8, by_horizon=(0.3, 0.3, 0.3, 0.8), unknown=0.4)
    assert by_horizon.size_at(np.array([0, 90])) == pytest.approx([0.5, np.sqrt(0.8)])


def test_periods_under_way_have_levels_of_their_own():
    shock = Shock(0.2, 8, told=0.9, levels=((100, 190, 0.3), (191, 281, -0.1)))
    assert shock.level_of(np.array([99, 100, 190, 191, 281, 282])).tolist() == [0.0, 0.3, 0.3, -0.1, -0.1, 0.0]
    assert Shock.from_dict(json.loads(json.dumps(asdict(shock)))) == shock
    assert Shock(0.2, 8).level_of(np.array([100])).tolist() == [0.0]


def test_a_period_says_as_much_of_the_size_as_its_miss_is_no_chance():
    assert weights_of_periods(np.array([0.0, 0.175, 0.525])).tolist() == pytest.approx([1.0, 0.25, 0.01])


def test_size_of_segments_is_what_they_miss_by_beyond_their_period():
    none = np.empty(0)
    assert learn_segment_size(none, none, none) == pytest.approx(0.1)
    rng = np.random.default_rng(0)
    beyond = rng.normal(0, np.hypot(0.2, 0.1 * np.sqrt(0.75)), 4_000)
    assert learn_segment_size(beyond, np.full(4_000, 0.1), np.full(4_000, 0.25)) == pytest.approx(0.2, rel=0.06)
    # One segment is its whole period: what it missed by is the period's own.
    assert learn_segment_size(np.zeros(50), np.full(50, 0.05), np.ones(50)) == pytest.approx(0.1)


def test_concentration_is_one_in_one_segment_and_falls_with_each_equal_one():
    p, amounts = np.full(8, 0.5), np.full(8, 300)
    assert concentration(p, amounts, np.zeros(8, dtype=np.int64)) == 1.0
    assert concentration(p, amounts, np.arange(8) % 4) == pytest.approx(0.25)
    assert concentration(np.ones(8), amounts, np.arange(8)) == 1.0


@settings(deadline=None)
@given(pairs, sizes)
def test_quantiles_are_in_order_and_within_what_is_due(rows, size):
    p, amounts = columns(rows)
    found = forecast_period(p, amounts, size)
    assert amounts[p == 1].sum() <= found.p10 <= found.p50 <= found.p90 <= amounts[p > 0].sum()


@settings(deadline=None)
@given(pairs, sizes, st.randoms(use_true_random=False))
def test_order_of_the_rows_does_not_matter(rows, size, random):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    one, other = forecast_period(*columns(rows), size), forecast_period(*columns(shuffled), size)
    assert [one.p10, one.p50, one.p90] == [other.p10, other.p50, other.p90]


@settings(deadline=None)
@given(pairs, sizes, st.integers(2, 1000))
def test_scaled_amounts_scale_the_distribution(rows, size, factor):
    p, amounts = columns(rows)
    one, other = forecast_period(p, amounts, size), forecast_period(p, amounts * factor, size)
    for level in (0.1, 0.5, 0.9):
        assert other.quantile(level) == pytest.approx(factor * one.quantile(level), rel=1e-6, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 0.95), st.integers(1, 10**6)), min_size=1, max_size=8), sizes)
def test_up_to_fifteen_rows_every_outcome_is_listed(rows, size):
    p, amounts = columns(rows)
    weight = np.exp(-0.5 * Z**2)
    by_node = _shocked(p, size, Z)
    expected = {}
    for outcome in product([False, True], repeat=len(rows)):
        chance = np.where(np.array(outcome)[:, None], by_node, 1 - by_node).prod(axis=0)
        total = int(amounts[np.array(outcome)].sum())
        expected[total] = expected.get(total, 0.0) + float(chance @ weight / weight.sum())
    found = forecast_period(p, amounts, size)
    assert dict(zip(found.values.tolist(), found.pmf.tolist(), strict=True)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [12, 40, 300])
def test_without_a_shock_it_is_the_exact_distribution(n):
    p, amounts = random_book(n)
    found, exact = forecast_period(p, amounts, 0.0), distribute(p, amounts)
    reach = found.error + exact.error_cents + 1
    for mine, theirs in ((found.p10, exact.p10), (found.p50, exact.p50), (found.p90, exact.p90)):
        assert abs(mine - theirs) <= reach


@pytest.mark.parametrize(("n", "size"), [(30, 0.2), (200, 0.15), (3_000, 0.3)])
def test_mixture_agrees_with_drawn_outcomes(n, size):
    p, amounts = random_book(n)
    rng = np.random.default_rng(1)
    shocks = np.array([NormalDist().inv_cdf((draw + 0.5) / 4_000) for draw in range(4_000)])
    totals = [amounts[rng.random(n) < _shocked(p, size, shocks[[draw]])[:, 0]].sum() for draw in range(4_000)]
    found = forecast_period(p, amounts, size)
    spread = np.std(totals)
    assert (
        np.abs(np.array([found.p10, found.p50, found.p90]) - np.quantile(totals, [0.1, 0.5, 0.9])).max() < 0.06 * spread
    )
    assert found.mean == pytest.approx(np.mean(totals), abs=0.06 * spread)
    assert found.values @ found.pmf == pytest.approx(found.mean, abs=0.01 * spread)


def test_equal_amounts_are_exact_on_the_grid():
    found = forecast_period(np.full(200, 0.85), np.full(200, 5_000), 0.15)
    assert (found.is_listed, found.error) == (True, 0.0)
    assert found.p10 % 5_000 == found.p90 % 5_000 == 0
    below, up_to = found.reached(170 * 5_000)
    assert up_to - below == pytest.approx(found.pmf[np.searchsorted(found.values, 170 * 5_000)])


def test_a_shock_widens_and_one_giant_contract_shows_both_its_ends():
    p, amounts = random_book(300)
    alone, shared = forecast_period(p, amounts, 0.0), forecast_period(p, amounts, 0.2)
    assert shared.p90 - shared.p10 > 1.1 * (alone.p90 - alone.p10)
    giant = forecast_period(np.append(p, 0.6), np.append(amounts, 3 * amounts.sum()), 0.2)
    assert giant.p10 < 1.1 * amounts.sum()
    assert giant.p90 > 3 * amounts.sum()


def test_bad_rows_are_named():
    with pytest.raises(ValueError, match=r"row 1: probability 1\.5"):
        forecast_period(np.array([0.5, 1.5]), np.array([1, 1]), 0.1)
    with pytest.raises(ValueError, match="row 0: amount -1"):
        forecast_period(np.array([0.5]), np.array([-1]), 0.1)


def test_nothing_open_is_what_is_certain():
    found = forecast_period(np.array([1.0, 0.0]), np.array([700, 300]), 0.2)
    assert (found.p10, found.p50, found.p90, found.mean) == (700, 700, 700, 700)


@pytest.mark.parametrize("size", [0.1, 0.2, 0.3])
def test_widened_quantiles_are_near_the_mixture(size):
    books = [random_book(n, seed=n) for n in (3, 12, 60, 400)]
    codes = np.repeat(np.arange(5), [3, 12, 60, 400, 0])
    p, amounts = (np.concatenate(parts) for parts in zip(*books, strict=True))
    alone = quantiles_by_group(codes, p, amounts, 5)
    found = widen_quantiles(alone, codes, p, amounts, size)
    for group, book in enumerate(books):
        mixture = forecast_period(*book, size)
        for level in ("p10", "p50", "p90"):
            miss = abs(getattr(found, level)[group] - getattr(mixture, level))
            assert miss < 0.04 * (mixture.p90 - mixture.p10)
    assert (found.p10[4], found.p50[4], found.p90[4]) == (0, 0, 0)


def test_without_a_shock_nothing_is_widened():
    p, amounts = random_book(40)
    codes = np.arange(40) % 3
    alone = quantiles_by_group(codes, p, amounts, 3)
    found = widen_quantiles(alone, codes, p, amounts, 0.0)
    assert found.p10.tolist() == alone.p10.tolist()
    assert found.p90.tolist() == alone.p90.tolist()


@pytest.mark.parametrize("size", [0.0, 0.3])
def test_many_rows_by_cumulants_are_as_one_by_one(monkeypatch, size):
    """Nearly certain rows of very unequal amounts: their fourth cumulant is the largest there is."""
    rng = np.random.default_rng(4)
    p, amounts = rng.beta(60, 1, 6_000), rng.lognormal(12, 1.5, 6_000).astype(np.int64) + 1
    found = forecast_period(p, amounts, size)
    monkeypatch.setattr(shock, "EXACT_ROWS", 10_000)
    exact = forecast_period(p, amounts, size)
    for level in (0.1, 0.5, 0.9):
        assert abs(found.quantile(level) - exact.quantile(level)) < 0.001 * (exact.p90 - exact.p10)
