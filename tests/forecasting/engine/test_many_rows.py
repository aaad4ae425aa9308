"""The characteristic function of very many rows by power sums, against the product of all their factors."""

import numpy as np
import pytest

from forecasting.engine import distribution
from forecasting.engine.distribution import distribute
from forecasting.engine.many_rows import CAUCHY, MOST_ERROR, characteristic_function_of_many


def product_of_all(p, angles, frequencies):
    powers = np.arange(frequencies + 1)
    blocks = [slice(first, first + 10_000) for first in range(0, p.size, 10_000)]
    logs = [np.log(1 - p[b] + p[b] * np.exp(1j * k * angles[b])).sum() for k in powers for b in blocks]
    return np.exp(np.reshape(logs, (powers.size, len(blocks))).sum(axis=1))


@pytest.mark.parametrize(("sigma", "large"), [(0.0, 0), (0.4, 0), (0.3, 40)])
def test_sums_over_rows_are_the_product_over_rows(sigma, large):
    rng = np.random.default_rng(4)
    p, angles = rng.beta(1, 1, 150_000), rng.lognormal(-6, sigma, 150_000)
    angles[:large] = 0.9  # some stand out: they are multiplied
    found = characteristic_function_of_many(p, angles, 32)
    assert found is not None
    assert np.abs(found - product_of_all(p, angles, 32)).max() < MOST_ERROR
    assert found[0] == 1
    assert found[-1] == 0


def test_where_few_rows_have_the_variance_it_says_so():
    p, angles = np.full(20_000, 0.5), np.full(20_000, 1e-7)
    assert characteristic_function_of_many(p, angles, 256) is None
    angles[0] = 1.0
    assert characteristic_function_of_many(p, angles, 256) is None


def test_the_constant_of_the_bound():
    """|log(1 - p + p e^z) - p z| / (p (1 - p)) on |z| = 2, the branch followed from 0."""
    p = np.concatenate([np.logspace(-8, -1, 60), np.linspace(0.1, 0.9, 200), 1 - np.logspace(-1, -8, 60)])[
        :, None, None
    ]
    z = 2 * np.exp(1j * np.linspace(0, 2 * np.pi, 181))
    factor = 1 - p + p * np.exp(np.linspace(0, 1, 100)[:, None] * z)
    log = np.log(np.abs(factor[:, -1])) + 1j * np.unwrap(np.angle(factor), axis=1)[:, -1]
    greatest = (np.abs(log - p[:, 0] * z) / (p * (1 - p))[:, 0]).max()
    assert 0.99 * CAUCHY < greatest < CAUCHY


def test_the_distribution_is_that_of_the_factors(monkeypatch):
    rng = np.random.default_rng(7)
    p, cents = rng.beta(2, 1, 150_000), rng.lognormal(13, 0.6, 150_000).astype(np.int64)
    found = distribute(p, cents)
    monkeypatch.setattr(distribution, "characteristic_function_of_many", lambda *_: None)
    slow = distribute(p, cents)
    assert (found.p10, found.p50, found.p90, found.error_cents) == (slow.p10, slow.p50, slow.p90, slow.error_cents)
    assert np.abs(found.pmf - slow.pmf).max() < MOST_ERROR
