"""Quantiles of sums in which one renewal has more than half of the variance: it comes or not, whatever the rest does.

The distance of a quantile from the mean does not grow as the standard deviation does then (`spread.widen`): most of the
standard deviation is one step down, and what a quantile lies in is the hill above or below that step. So the heaviest
three are taken outcome by outcome. Given the shock z ~ N(0, 1), of size s,

    each of them renews with log-odds logit(p) - s^2 (1 - 2 p) / 2 + s z, and brings N(mean, variance) then;
    the rest brings N(sum p mean + s z sum p (1 - p) mean, sum p (1 - p) mean^2 + sum p variance).

Most renewals renew nearly flat and a few far from it (`amounts`), so what the heaviest brings is not one normal but
two with its mean: 85 of 100 times one of a tenth of its variance, else one of the rest.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.log_odds import expit, logit

HALF: Final = 0.500001  # of a sum's variance, that one renewal has to have; two equal ones have a half each
TAKEN: Final = 3
# (share, of its variance) of the parts of what the heaviest brings, and of what another one does.
FLAT: Final = 0.85
OF_HEAVIEST: Final = ((FLAT, 0.1), (1 - FLAT, (1 - 0.1 * FLAT) / (1 - FLAT)))
OF_OTHERS: Final = ((1.0, 1.0),)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
NODES: Final = _NODES
WEIGHTS: Final = _WEIGHTS / _WEIGHTS.sum()
LEAST_SPREAD: Final = 0.5  # cents: what is certain is a step
NEAREST: Final = 1e-12  # of a probability to 0 and 1
REACH: Final = 8.0  # standard deviations beyond which nothing is looked for
STEPS: Final = 60
NEAR: Final = 0.01  # cents
LEAST_SLOPE: Final = 1e-100  # between two far hills there is none
ROOT_OF_TWO_PI: Final = float(np.sqrt(2 * np.pi))
GROUPS_AT_ONCE: Final = 2_048


def variances_of(p: Floats, mean: Floats, variance: Floats) -> Floats:
    """float64[n] of what each renewal brings, decided by itself."""
    found: Floats = p * (1 - p) * mean**2 + p * variance
    return found


def have_giants(group_codes: Integers, variances: Floats, whole: Floats) -> Booleans:
    """bool[groups]: whether one row has HALF of the variance of its group; `whole` float64[groups], shock included."""
    largest = np.zeros(whole.size)
    np.maximum.at(largest, group_codes, variances)
    return (whole > 0) & (largest > HALF * whole)


def quantiles_with_giants(
    group_codes: Integers, p: Floats, mean: Floats, variance: Floats, sizes: Floats, levels: Sequence[float]
) -> Floats:
    """float64[groups, levels], cents of the sum in each group; row i of n belongs to group `group_codes[i]`.

    mean, variance   float64[n], of each renewal's amount given that it is renewed, in cents
    sizes            float64[groups], of the shock that a group shares
    """
    groups = sizes.size
    own = variances_of(p, mean, variance)
    order = np.lexsort((-own, group_codes))
    group = group_codes[order]
    firsts = np.searchsorted(group, np.arange(groups))
    rank = np.arange(group.size) - firsts[group]
    taken, rest = order[rank < TAKEN], order[rank >= TAKEN]
    at = (group_codes[taken], rank[rank < TAKEN])
    heavy = np.zeros((3, groups, TAKEN))
    for place, column in enumerate((p, mean, variance)):
        heavy[place][at] = column[taken]
    codes = group_codes[rest]
    rest_sums = [
        np.bincount(codes, column[rest], groups).astype(np.float64) for column in (p * mean, own, p * (1 - p) * mean)
    ]
    parts = [
        _quantiles(heavy[:, part], [sums[part] for sums in rest_sums], sizes[part], levels)
        for part in (slice(first, first + GROUPS_AT_ONCE) for first in range(0, groups, GROUPS_AT_ONCE))
    ]
    return np.concatenate(parts) if parts else np.empty((0, len(levels)))


def _quantiles(heavy: Floats, rest: Sequence[Floats], sizes: Floats, levels: Sequence[float]) -> Floats:
    mean, spread, weight = _components(heavy, rest, sizes)
    return np.stack([_reached(mean, spread, weight, level) for level in levels], axis=1)


def _components(heavy: Floats, rest: Sequence[Floats], sizes: Floats) -> tuple[Floats, Floats, Floats]:
    """(mean, standard deviation, weight) of each normal part of the sum, float64[groups, parts]."""
    middle, own, response = (column[:, None] for column in rest)
    size = sizes[:, None]
    mean, square = middle + size * NODES * response, np.broadcast_to(own, (sizes.size, NODES.size))
    weight = np.broadcast_to(WEIGHTS, (sizes.size, NODES.size))
    node = np.arange(NODES.size)
    for place, (p, amount, variance) in enumerate(zip(*(column.T for column in heavy), strict=True)):
        log_odds = logit(np.clip(p, NEAREST, 1 - NEAREST)) - 0.5 * sizes**2 * (1 - 2 * p)
        renews = np.where(p[:, None] > 0, expit(log_odds[:, None] + size * NODES), 0.0)[:, node]
        parts = OF_OTHERS if place else OF_HEAVIEST
        square = np.concatenate((square, *(square + part * variance[:, None] for _, part in parts)), axis=1)
        weight = np.concatenate((weight * (1 - renews), *(weight * renews * share for share, _ in parts)), axis=1)
        mean = np.concatenate((mean, *(mean + amount[:, None] for _ in parts)), axis=1)
        node = np.tile(node, 1 + len(parts))
    return mean, np.maximum(np.sqrt(square), LEAST_SPREAD), weight


def _reached(mean: Floats, spread: Floats, weight: Floats, level: float) -> Floats:
    """float64[groups]: where the mixture reaches a level. Newton's steps; half of what is left where one leads out.

    Each group is followed until it is found, so that none depends on the others.
    """
    low, high = (mean - REACH * spread).min(axis=1), (mean + REACH * spread).max(axis=1)
    found: Floats = (weight * mean).sum(axis=1)
    sought = np.arange(found.size)
    for _ in range(STEPS):
        at = found[sought]
        below, density = _normal((at[:, None] - mean) / spread)
        missing = level - (weight * below).sum(axis=1)
        slope = (weight * density / spread).sum(axis=1)
        low, high = np.where(missing > 0, at, low), np.where(missing > 0, high, at)
        step = np.divide(missing, slope, out=np.full(at.size, np.inf), where=slope > LEAST_SLOPE)
        is_within = (at + step > low) & (at + step < high)
        found[sought] = np.where(is_within, at + step, (low + high) / 2)
        is_sought = (~is_within | (np.abs(step) >= NEAR)) & (high - low >= NEAR)
        if not is_sought.any():
            break
        sought, low, high = (kept[is_sought] for kept in (sought, low, high))
        mean, spread, weight = (kept[is_sought] for kept in (mean, spread, weight))
    return found


def _normal(x: Floats) -> tuple[Floats, Floats]:
    """(distribution function, density) of the standard normal; the first is right to 7.5e-8.

    Source: Abramowitz and Stegun 26.2.17. SciPy's takes a quarter of a second to import, in every recompute.
    """
    density = np.exp(-0.5 * x**2) / ROOT_OF_TWO_PI
    t = 1 / (1 + 0.2316419 * np.abs(x))
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    above = density * series
    below: Floats = np.where(x > 0, 1 - above, above)
    return below, density
