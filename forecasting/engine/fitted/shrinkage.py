"""Rates of groups, each drawn towards its parent as strongly as chance explains their differences."""

from typing import Final

import numpy as np

from forecasting.engine.arrays import Floats
from forecasting.engine.log_odds import expit, logit

# With no history at all: five of six annual B2B contracts renew. It counts as much as one decided renewal.
PRIOR_RATE: Final = 0.85
PRIOR_RENEWALS: Final = 1.0
LOWEST: Final = 0.002
HIGHEST: Final = 0.998
# Bounds and fallback of the strength with which a group is drawn to its parent, in renewals.
STRENGTH_BOUNDS: Final = (5.0, 1000.0)
STRENGTH_UNKNOWN: Final = 50.0


def shrink(won: Floats | float, n: Floats | float, strength: float, parent: Floats | float) -> Floats:
    """(won + strength x parent) / (n + strength), kept between LOWEST and HIGHEST; counts may be weighted."""
    return np.clip((won + strength * np.asarray(parent)) / (n + strength), LOWEST, HIGHEST)


def base_log_odds(won: float, n: float) -> float:
    """Log-odds of the whole, the stated prior counted in."""
    return float(logit(shrink(won, n, PRIOR_RENEWALS, PRIOR_RATE)))


def strength(won: Floats, n: Floats, parent: Floats | float) -> float:
    """Strength m of the pull to the parent, in renewals, by the method of moments for a beta-binomial.

    With q = n (won / n - p)^2 / (p (1 - p)) of each of c groups, E[sum q] = c - 1 + rho (sum n - sum n^2 / N - (c - 1))
    and m = 1 / rho - 1. Groups that differ no more than chance have the greatest m.
    """
    is_used = n > 0
    won, n, parent = won[is_used], n[is_used], np.broadcast_to(parent, is_used.shape)[is_used]
    if n.size < 2:
        return STRENGTH_BOUNDS[1]
    spread = float((n * (won / n - parent) ** 2 / (parent * (1 - parent))).sum())
    room = float(n.sum() - (n**2).sum() / n.sum()) - (n.size - 1)
    if room <= 0:
        return STRENGTH_UNKNOWN
    rho = (spread - (n.size - 1)) / room
    lowest, highest = STRENGTH_BOUNDS
    return float(np.clip(1 / rho - 1, lowest, highest)) if rho > 0 else highest


def group_log_odds(won: Floats, n: Floats, parent_log_odds: Floats | float) -> Floats:
    """Shrunken log-odds of groups with `won` of `n` (both may be weighted) under their parents."""
    parent = expit(parent_log_odds)
    return logit(shrink(won, n, strength(won, n, parent), parent))
