"""How far the level of the cohorts lay from their forecasts, and how much of that to carry on.

In a book that drifts, every model fitted on all of its past is wrong in the same direction; its newest closed cohorts
know. Each closed cohort's miss m_i, i cohorts before the newest, is taken as

    m_i = level - slope x i - (sum of i steps) + stray + sampling error

with level ~ N(0, 0.3^2), slope ~ N(0, b^2), steps ~ N(0, 0.05^2), strays ~ N(0, s^2): a drift goes on, a stray quarter
does not. What b and s are is not chosen: the forecast is the mean over all pairs of SLOPES and STRAYS, each weighted by
how likely it makes the misses. Few or small cohorts say little about b, and the slope stays near 0. How far the cohort
to come may lie from that mean, its own stray included, is the shock that its renewals share.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.log_odds import expit

LEVEL_SPREAD: Final = 0.3  # of the level around that of all cohorts together
STEP: Final = 0.05
SLOPES: Final = (0.0, 0.05, 0.1)  # log-odds by cohort: 73 to 85 % in nine quarters is 0.09
STRAYS: Final = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)  # of a cohort by itself
STRAY_SPREAD: Final = 0.15  # how large they are believed to be before any cohort has told: real books, 0.15 to 0.20
MOST_AHEAD: Final = 4.0  # no drift is believed to go on for longer
MOST_PERIODS: Final = 24  # where there are more cohorts, neighbours are taken together


def miss(log_odds: Floats, is_renewed: Booleans) -> tuple[float, float]:
    """(d, its standard error): the most likely common shift of the log-odds.

    (0, inf) without rows. Where all rows came, or none, half a renewal is counted as the other way.
    """
    if is_renewed.size == 0:
        return 0.0, np.inf
    came = float(np.clip(is_renewed.sum(), 0.5, is_renewed.size - 0.5)) if is_renewed.size > 1 else 0.5
    shift, information = _common_shift(log_odds, came, 0.0)
    return shift, float(1 / np.sqrt(information))


def drawn_miss(log_odds: Floats, is_renewed: Booleans, spread: float) -> float:
    """The most likely common shift of the log-odds, given that it is N(0, spread^2); 0 without rows."""
    return _common_shift(log_odds, float(is_renewed.sum()), spread**-2)[0]


def _observed(log_odds: Floats, is_renewed: Booleans) -> tuple[float, float]:
    """As `miss`, of cohorts however small: half a renewal too many or too few in each of them would move the level.

    The most likely shift is sought under N(0, LEVEL_SPREAD^2), and what that pulled it by is put back in a line.
    """
    pull = LEVEL_SPREAD**-2
    shift, information = _common_shift(log_odds, float(is_renewed.sum()), pull)
    return shift * (1 + pull / information), float(1 / np.sqrt(information))


def _common_shift(log_odds: Floats, came: float, pull: float) -> tuple[float, float]:
    """(shift of the log-odds at which `came` of them come, sum of p (1 - p) there); Newton's method."""
    shift = 0.0
    for _ in range(50):
        expected = expit(log_odds + shift)
        information = float((expected * (1 - expected)).sum())
        step = float(np.clip((came - float(expected.sum()) - pull * shift) / (information + pull), -0.5, 0.5))
        shift += step
        if abs(step) < 1e-9:
            break
    return shift, information


@dataclass(frozen=True)
class Level:
    """What to add to the log-odds of a cohort to come, and how far (one standard deviation) it may lie from that."""

    shift: float = 0.0
    deviation: float | None = None


def learn_level(log_odds: Floats, is_renewed: Booleans, cohorts: Integers, ahead: int) -> Level:
    """Level of the cohort that is `ahead` after the newest closed one; nothing is known of it from one cohort."""
    known, place = np.unique(cohorts, return_inverse=True)
    if known.size < 2:
        return Level()
    width = -(-known.size // MOST_PERIODS)
    age = (known.size - 1 - place) // width
    found = [_observed(log_odds[age == at], is_renewed[age == at]) for at in range(int(age.max()), -1, -1)]
    misses, errors = np.array(found).T
    return carry_on(misses, errors, ahead / width)


def carry_on(misses: Floats, standard_errors: Floats, ahead: float) -> Level:
    """Level of the cohort that comes `ahead` after the last of `misses` (the oldest first)."""
    age, ahead = np.arange(misses.size)[::-1].astype(np.float64), min(ahead, MOST_AHEAD)
    walk, line = LEVEL_SPREAD**2 + STEP**2 * np.minimum.outer(age, age), np.outer(age, age)
    found = []
    for slope, stray in product(SLOPES, STRAYS):
        covariance = walk + slope**2 * line + np.diag(standard_errors**2 + stray**2)
        with_next = LEVEL_SPREAD**2 - slope**2 * ahead * age
        weights = np.linalg.solve(covariance, with_next)
        fit = float(misses @ np.linalg.solve(covariance, misses)) + float(np.linalg.slogdet(covariance)[1])
        fit += (stray / STRAY_SPREAD) ** 2
        own = LEVEL_SPREAD**2 + STEP**2 * ahead + slope**2 * ahead**2 + stray**2
        found.append((-0.5 * fit, float(weights @ misses), own - float(weights @ with_next)))
    likelihood, mean, variance = np.array(found).T
    weight = np.exp(likelihood - likelihood.max())
    weight /= weight.sum()
    shift = float(weight @ mean)
    return Level(shift, float(np.sqrt(weight @ (variance + (mean - shift) ** 2))))
