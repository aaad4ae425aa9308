"""P10 and P90 of a closing level: what is certain plus open amounts that are each kept or not, under a shared shock.

Source: docs/domain.md section 5. The largest open amounts are taken outcome by outcome, so that one giant contract
shows as what it is; of the rest, mean, variance and the response to the shock are added up, and their sum is normal.
All three are sums over rows, so any scope has its band from a roll-up without its rows being read.

Given z ~ N(0, 1): each large one is kept with log-odds logit(p) + s z, the rest has the mean M + s z D and the variance
V, with M the sum of p a, V that of p (1 - p) a^2 and D that of p (1 - p) a.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.log_odds import expit, logit

LISTED: Final = 8
# Nodes and weights for a standard normal z.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
NODES: Final = _NODES
WEIGHTS: Final = _WEIGHTS / _WEIGHTS.sum()
LEVELS: Final = (0.1, 0.9)
TIE: Final = 1e-9
NEAR: Final = 0.1  # cents
ROOT_OF_TWO_PI: Final = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Uncertain:
    """Open amounts: the largest one by one (float[k], int64 cents[k]), the rest by its sums."""

    p: Floats
    amount: Integers
    rest_variance: float
    rest_response: float


def closing_band(mean: float, uncertain: Uncertain, *, shock: float) -> tuple[int, int]:
    """(P10, P90) in cents of a sum with this mean. Without uncertainty both are the mean.

    The response of all is centred, so that the shock widens the band and does not move the mean.
    """
    values, weights = _components(uncertain, shock)
    values += mean - float(weights @ values)
    spread = float(np.sqrt(max(uncertain.rest_variance, 0.0)))
    low, high = (_quantile(values, weights, spread, level) for level in LEVELS)
    return round(low), round(high)


def _components(uncertain: Uncertain, shock: float) -> tuple[Floats, Floats]:
    """Value without the rest's own chance, and weight, of each outcome of the large ones at each z."""
    is_open = (uncertain.p > 0) & (uncertain.p < 1) & (uncertain.amount > 0)
    p, amount = uncertain.p[is_open], uncertain.amount[is_open].astype(np.float64)
    values = shock * NODES[:, None] * uncertain.rest_response
    weights = WEIGHTS[:, None]
    for one, cents in zip(p, amount, strict=True):
        kept = expit(logit(np.full(NODES.size, one)) + shock * NODES)[:, None]
        values = np.concatenate([values, values + cents], axis=1)
        weights = np.concatenate([weights * (1 - kept), weights * kept], axis=1)
    return values.ravel(), weights.ravel()


def _quantile(values: Floats, weights: Floats, spread: float, level: float) -> float:
    if spread < 0.5:  # cents: nothing but the listed outcomes
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(weights[order])
        return float(values[order][min(int(np.searchsorted(reached, level - TIE)), values.size - 1)])
    from scipy.special import ndtr  # a quarter of a second that no recompute has to spend: it draws no band

    # Newton's steps, and a half of what is left where one would lead out of it.
    low, high = float(values.min() - 8 * spread), float(values.max() + 8 * spread)
    at = (low + high) / 2
    for _ in range(60):
        away = (at - values) / spread
        missing = level - float(weights @ ndtr(away))
        low, high = (at, high) if missing > 0 else (low, at)
        density = float(weights @ np.exp(-0.5 * away * away)) / (spread * ROOT_OF_TWO_PI)
        step = missing / density if density else np.inf
        if abs(step) < NEAR or high - low < NEAR:
            break
        at = at + step if low < at + step < high else (low + high) / 2
    return at
