"""Books of renewals with a known truth."""

import numpy as np

from forecasting.engine.fitted import Categories, Numbers, Rows
from forecasting.engine.log_odds import expit


def made(n, *, cohorts=8, strength=1.0, drift=0.0, seed=0):
    """(rows, true probability): usage and plan matter as much as `strength` says, noise and colour never."""
    rng = np.random.default_rng(seed)
    cohort = np.sort(rng.integers(0, cohorts, n))
    usage, noise = rng.normal(size=n), rng.normal(size=n)
    usage[rng.random(n) < 0.1] = np.nan
    plan, colour = rng.integers(0, 3, n), rng.integers(0, 4, n)
    effect = np.where(np.isnan(usage), -0.5, usage) + np.array([-0.8, 0.0, 0.8])[plan]
    p = expit(1.2 + strength * effect + drift * cohort)
    columns = {
        "usage": Numbers(usage),
        "noise": Numbers(noise),
        "plan": Categories(plan, ("basic", "plus", "pro")),
        "colour": Categories(colour, ("red", "green", "blue", "grey")),
    }
    return Rows(columns, ("plan",), cohort, rng.random(n) < p), p


def plain(won, lost, *, cohorts=1):
    """Rows that say nothing but how they ended."""
    n = won + lost
    columns = {"size": Numbers(np.arange(n) % 7.0)}
    return Rows(columns, (), np.arange(n) % cohorts, np.arange(n) < won)
