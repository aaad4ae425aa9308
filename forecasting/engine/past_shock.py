"""The size of the shock that a period's renewals share, where no fitted likelihood tells it. Source: domain section 5.

Each closed cohort is forecast from the ones before it, by renewal rates of segments with the miss of the cohort before
carried on; how far the forecasts were off, less what chance explains, is the shock (`fitted.shock.learn_shock`).
"""

from dataclasses import replace
from typing import Final

import numpy as np

from forecasting.engine.amounts import place_of
from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.fitted.level import miss
from forecasting.engine.fitted.shock import Shock, learn_shock, unknown_rate
from forecasting.engine.fitted.shrinkage import base_log_odds, group_log_odds
from forecasting.engine.log_odds import expit

MOST_COHORTS: Final = 12
LEAST_TRAINED: Final = 50  # decided renewals before a cohort
LEAST_FORECAST: Final = 10  # and in it
HALVING: Final = 0.84  # weight of a cohort of a quarter against the next newer one: half in a year
LEVEL_SPREAD: Final = 0.15  # standard deviation, in log-odds, with which a level is believed to stray


def learn_past_shock(*, segment_ids: Integers, cohort: Integers, is_renewed: Booleans) -> Shock:
    """From n settled renewals; `cohort` is a number that is greater for a newer one."""
    segment_ids, is_renewed = np.asarray(segment_ids), np.asarray(is_renewed, dtype=np.bool_)
    segments = np.unique(segment_ids)
    segment = place_of(segments, segment_ids)
    cohorts, place = np.unique(np.asarray(cohort), return_inverse=True)
    found: list[tuple[float, float]] = []
    for at in range(max(cohorts.size - MOST_COHORTS, 1), cohorts.size):
        own = place == at
        if np.count_nonzero(place < at) < LEAST_TRAINED or np.count_nonzero(own) < LEAST_FORECAST:
            continue
        # As a forecast was made: the level of the newest closed cohort, by rates that did not know it.
        before = place == at - 1
        known = _segment_log_odds(segment, place, is_renewed, at - 1, segments.size)
        level = _shrunken_miss(known[segment[before]], is_renewed[before]) if at > 1 else 0.0
        log_odds = _segment_log_odds(segment, place, is_renewed, at, segments.size) + level
        found.append(miss(log_odds[segment[own]], is_renewed[own]))
    shock = learn_shock([shift for shift, _ in found], [error for _, error in found])
    rate = float(expit(base_log_odds(float(is_renewed.sum()), float(is_renewed.size))))
    return replace(shock, unknown=unknown_rate(is_renewed.size * rate * (1 - rate)))


def _shrunken_miss(log_odds: Floats, is_renewed: Booleans) -> float:
    shift, error = miss(log_odds, is_renewed)
    return shift * LEVEL_SPREAD**2 / (LEVEL_SPREAD**2 + error**2) if np.isfinite(error) else 0.0


def _segment_log_odds(segment: Integers, place: Integers, is_renewed: Booleans, end: int, segments: int) -> Floats:
    """Shrunken log-odds of each segment from the cohorts before `end`."""
    weight = np.where(place < end, HALVING ** np.maximum(end - 1 - place, 0), 0.0)
    n, won = (np.bincount(segment, each, segments).astype(np.float64) for each in (weight, weight * is_renewed))
    return group_log_odds(won, n, np.full(segments, base_log_odds(float(won.sum()), float(n.sum()))))
