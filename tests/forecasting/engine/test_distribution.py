from collections import defaultdict
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.distribution import distribute, quantiles_by_group

# Millionths: within 1e-9 of a level counts as reached, and two ways to add up would not agree on which side that is.
probability = st.integers(0, 10**6).map(lambda millionths: millionths / 1e6) | st.sampled_from(
    [0.0, 1.0, 0.1, 0.5, 0.9]
)
rows = st.lists(st.tuples(probability, st.integers(0, 10**10) | st.integers(0, 3)), max_size=12)


def columns(pairs):
    return np.array([p for p, _ in pairs], dtype=np.float64), np.array([a for _, a in pairs], dtype=np.int64)


def enumerate_outcomes(pairs):
    """{sum: probability} over every outcome, one row at a time."""
    outcomes = {0: 1.0}
    for p, amount in pairs:
        following = defaultdict(float)
        for total, weight in outcomes.items():
            following[total] += weight * (1 - p)
            following[total + amount] += weight * p
        outcomes = following
    return dict(sorted((total, weight) for total, weight in outcomes.items() if weight > 0))


def quantiles_of(outcomes, levels=(0.1, 0.5, 0.9)):
    values, reached = np.array(list(outcomes)), np.cumsum(list(outcomes.values()))
    return [int(values[np.argmax(reached >= min(level - 1e-9, reached[-1]))]) for level in levels]


def spread(p, amounts):
    return float(np.sqrt((p * (1 - p) * amounts.astype(float) ** 2).sum()))


def random_book(seed, n):
    rng = np.random.default_rng(seed)
    return rng.beta(8, 2, n), rng.lognormal(13, 1, n).astype(np.int64) + 1


@given(rows)
def test_up_to_twelve_rows_every_outcome_is_exact(pairs):
    p, amounts = columns(pairs)
    found, expected = distribute(p, amounts), enumerate_outcomes(pairs)
    listed = dict(zip(found.values_cents.tolist(), found.pmf.tolist(), strict=True))
    for total in listed.keys() | expected.keys():
        assert listed.get(total, 0.0) == pytest.approx(expected.get(total, 0.0), abs=1e-12)
    assert [found.p10, found.p50, found.p90] == quantiles_of(expected)
    assert found.mean == pytest.approx(float(p @ amounts), rel=1e-12)
    assert (found.step_cents, found.error_cents) == (0, 0)


@given(rows, st.permutations(range(12)))
def test_order_of_the_rows_does_not_matter(pairs, order):
    shuffled = [pairs[place] for place in order if place < len(pairs)]
    one, other = distribute(*columns(pairs)), distribute(*columns(shuffled))
    assert (one.p10, one.p50, one.p90) == (other.p10, other.p50, other.p90)


@given(rows, st.integers(1, 1000))
def test_scaled_amounts_scale_the_distribution(pairs, factor):
    p, amounts = columns(pairs)
    one, other = distribute(p, amounts), distribute(p, amounts * factor)
    assert [factor * cents for cents in (one.p10, one.p50, one.p90)] == [other.p10, other.p50, other.p90]


@pytest.mark.parametrize("seed", range(6))
def test_eighteen_rows_stay_within_the_stated_error(seed):
    p, amounts = random_book(seed, 18)
    found, outcomes = distribute(p, amounts), enumerate_outcomes(zip(p.tolist(), amounts.tolist(), strict=True))
    exact = np.array(quantiles_of(outcomes))
    quantiles = np.array([found.p10, found.p50, found.p90])
    below = quantiles_of(outcomes, (0.1 - 7e-5, 0.5 - 7e-5, 0.9 - 7e-5))
    above = quantiles_of(outcomes, (0.1 + 7e-5, 0.5 + 7e-5, 0.9 + 7e-5))
    assert found.step_cents > 0
    assert (quantiles >= np.array(below) - found.error_cents).all()
    assert (quantiles <= np.array(above) + found.error_cents).all()
    assert found.error_cents < 0.06 * spread(p, amounts)
    assert (np.abs(quantiles - exact) < 0.015 * spread(p, amounts)).all()


@pytest.mark.parametrize(("n", "p"), [(16, 0.9), (50, 0.9), (200, 0.9), (300, 0.5), (60, 0.02)])
def test_equal_amounts_are_binomial_to_the_cent(n, p):
    found = distribute(np.full(n, p), np.full(n, 123_457))
    binomial = {won * 123_457: comb(n, won) * p**won * (1 - p) ** (n - won) for won in range(n + 1)}
    assert [found.p10, found.p50, found.p90] == quantiles_of(binomial)
    assert (found.step_cents, found.error_cents) == (123_457, 0)
    listed = dict(zip(found.values_cents.tolist(), found.pmf.tolist(), strict=True))
    assert listed == pytest.approx({total: binomial.get(total, 0.0) for total in listed}, abs=2e-8)


def test_round_amounts_are_exact_for_large_counts():
    rng = np.random.default_rng(0)
    p, amounts = rng.beta(8, 2, 400), rng.integers(1, 5, 400) * 1_000_000
    pmf = np.ones(1)
    for won, amount in zip(p, amounts // 1_000_000, strict=True):
        longer = np.zeros(pmf.size + amount)
        longer[: pmf.size] += pmf * (1 - won)
        longer[amount:] += pmf * won
        pmf = longer
    found = distribute(p, amounts)
    exact = [1_000_000 * int(np.argmax(np.cumsum(pmf) >= level)) for level in (0.1, 0.5, 0.9)]
    assert ([found.p10, found.p50, found.p90], found.error_cents) == (exact, 0)


@pytest.mark.parametrize("n", [600, 5000, 25_000])
def test_many_rows_agree_with_the_expansion_they_tend_to(n):
    """Cornish-Fisher to the third cumulant is good to some thousandths of the standard deviation here."""
    p, amounts = random_book(n, n)
    found, sigma = distribute(p, amounts), spread(p, amounts)
    skew = float((p * (1 - p) * (1 - 2 * p) * amounts.astype(float) ** 3).sum()) / sigma**3
    for level, cents in ((-1.2815516, found.p10), (0.0, found.p50), (1.2815516, found.p90)):
        expected = float(p @ amounts) + sigma * (level + (level**2 - 1) * skew / 6)
        assert cents == pytest.approx(expected, abs=0.015 * sigma)
    assert found.mean == pytest.approx(float(p @ amounts), rel=1e-12)
    assert float(found.pmf @ found.values_cents) == pytest.approx(found.mean, rel=1e-6)


@pytest.mark.parametrize("chance", [0.001, 0.15, 0.5, 0.97])
def test_one_large_renewal_among_many_small_ones(chance):
    p, amounts = np.append(np.full(40, 0.9), chance), np.append(np.full(40, 10_000), 987_654_321)
    small = {won * 10_000: comb(40, won) * 0.9**won * 0.1 ** (40 - won) for won in range(41)}
    outcomes = {total: weight * (1 - chance) for total, weight in small.items()}
    outcomes |= {total + 987_654_321: weight * chance for total, weight in small.items()}
    found = distribute(p, amounts)
    assert found.pmf[found.values_cents > 500_000_000].sum() == pytest.approx(chance, abs=1e-7)
    exact = quantiles_of(dict(sorted(outcomes.items())))
    assert [found.p10, found.p50, found.p90] == pytest.approx(exact, abs=found.error_cents)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 10**12)), min_size=16, max_size=40),
)
def test_quantiles_of_any_book_are_in_order_and_in_range(pairs):
    p, amounts = columns(pairs)
    found = distribute(p, amounts)
    certain, possible = int(amounts[p == 1].sum()), int(amounts[p > 0].sum())
    assert certain <= found.p10 <= found.p50 <= found.p90 <= possible
    assert found.pmf.sum() == pytest.approx(1, abs=1e-6)
    assert (found.pmf >= 0).all()
    assert (np.diff(found.values_cents) > 0).all()


def test_certain_rows_shift_the_sum_and_impossible_ones_do_nothing():
    plain = distribute(np.array([0.3, 0.6]), np.array([500, 700]))
    found = distribute(np.array([1.0, 0.3, 0.0, 0.6, 0.5]), np.array([10_000, 500, 999_999, 700, 0]))
    assert found.values_cents.tolist() == (plain.values_cents + 10_000).tolist()
    assert found.pmf.tolist() == plain.pmf.tolist()
    assert found.p90 == plain.p90 + 10_000


def test_amounts_too_large_to_pack_are_sorted_too():
    pairs = [(0.5, 3 * 10**15 + row * 10**9) for row in range(12)]
    found = distribute(*columns(pairs))
    assert [found.p10, found.p50, found.p90] == quantiles_of(enumerate_outcomes(pairs))


def test_nothing_open_brings_nothing():
    found = distribute(np.empty(0), np.empty(0, dtype=np.int64))
    assert (found.values_cents.tolist(), found.pmf.tolist()) == ([0], [1.0])
    assert (found.mean, found.p10, found.p50, found.p90) == (0.0, 0, 0, 0)


def test_groups_have_the_numbers_of_their_own_rows():
    rng = np.random.default_rng(1)
    sizes = [0, 1, 3, 3, 15, 16, 20, 90, 700, 5000]
    code = rng.permutation(np.repeat(np.arange(10), sizes))
    p, amounts = random_book(2, code.size)
    p[rng.random(code.size) < 0.1] = 1.0
    found = quantiles_by_group(code, p, amounts, 10)
    assert found.count.tolist() == sizes
    for group in range(10):
        alone = distribute(p[code == group], amounts[code == group])
        assert found.mean[group] == pytest.approx(alone.mean, rel=1e-12)
        together = [int(cents[group]) for cents in (found.p10, found.p50, found.p90, found.error_cents)]
        assert together == [alone.p10, alone.p50, alone.p90, alone.error_cents]


def test_more_groups_than_are_worked_at_a_time():
    code = np.repeat(np.arange(400), 17)
    p, amounts = random_book(3, code.size)
    found = quantiles_by_group(code, p, amounts, 400)
    for group in (0, 255, 256, 399):
        alone = distribute(p[code == group], amounts[code == group])
        assert [found.p10[group], found.p50[group], found.p90[group]] == [alone.p10, alone.p50, alone.p90]


def test_no_groups():
    found = quantiles_by_group(np.empty(0, int), np.empty(0), np.empty(0, int), 0)
    assert (found.count.size, found.mean.size, found.p10.size) == (0, 0, 0)


@pytest.mark.parametrize(
    ("code", "p", "amount", "message"),
    [
        (0, 1.2, 5, r"row 1: probability 1\.2 is not between 0 and 1"),
        (0, float("nan"), 5, "row 1: probability nan is not between 0 and 1"),
        (0, 0.5, -5, "row 1: amount -5 is below 0"),
        (2, 0.5, 5, "row 1: group 2 is not one of 2"),
    ],
)
def test_a_bad_row_is_named(code, p, amount, message):
    with pytest.raises(ValueError, match=message):
        quantiles_by_group(np.array([0, code]), np.array([0.5, p]), np.array([1, amount]), 2)
