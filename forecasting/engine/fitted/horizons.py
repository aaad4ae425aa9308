"""How far off the level of a period was when only its end was still to come: the size of the shock by horizon.

Of every settled period, what was still open so many days before its end is forecast by the likelihood and by its having
been open (`survivors`), and the common shift d that it missed by (`level.miss`) is one observation. What the next
period may miss by follows from those alone, as `level.carry_on` has it: its deviation s. What d is on average beyond
the level that is applied, the lean, is allowed for and not corrected:

    size^2 = s^2 + lean^2

drawn to the size of a whole period with the weight of two periods. A period of which little is open counts as part of
one, for what it missed by is mostly chance. What rests on few periods may itself be wrong, so it is widened.

Before that, what is decided of a period on the day has told of its shock. Its decided renewals are forecast by their
likelihood and by having been decided by then; the shift that they missed by, drawn to 0 by the shock's size, is added
to the open ones of the period, times the share `told` that it was worth in the settled periods.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.fitted.level import LEVEL_SPREAD, drawn_miss, learn_level, miss
from forecasting.engine.fitted.shock import HORIZONS, PRIOR_PERIODS, SIZE_BOUNDS, Shock, weights_of_periods, widening
from forecasting.engine.log_odds import expit
from forecasting.engine.survivors import Survivors, Waits

MOST_SIZES: Final = 3.0


def with_horizons(
    shock: Shock,
    *,
    log_odds: Floats,
    level: float,
    is_renewed: Booleans,
    periods: Integers,
    ends: Integers,
    waits: Waits,
    survivors: Survivors,
    ahead: int,
) -> Shock:
    """`shock` with its sizes by horizon and the share told, from n settled renewals; as it is from a single period.

    log_odds   float64[n] of the likelihood, without the `level` that it adds for the period that is `ahead`
    periods    int64[n], the number of the period each was due in; ends int64[n], its last day
    """
    period_count = np.unique(periods).size
    if period_count < 2:
        return shock
    looks = [_look(ends - days, log_odds, is_renewed, periods, waits, survivors, shock.size) for days in HORIZONS]
    told = _told(looks, is_renewed, periods, shock.size)
    sizes = []
    for look in looks:
        forecast, period = look.log_odds + told * look.shifts, periods[look.places]
        found = learn_level(forecast, is_renewed[look.places], period, ahead)
        count, missed = 0.0, 0.0
        if found.deviation is not None:
            count = float(weights_of_periods(_standard_errors(forecast + found.shift, period)).sum())
            missed = found.deviation**2 + (found.shift - level) ** 2
        square = (count * missed + PRIOR_PERIODS * shock.size**2) / (count + PRIOR_PERIODS)
        sizes.append(float(np.clip(np.sqrt(square), *SIZE_BOUNDS)) * widening(period_count))
    return replace(shock, by_horizon=tuple(sizes), told=told)


def told_shift(log_odds: Floats, is_renewed: Booleans, size: float) -> float:
    """What decided renewals of a period tell of its shock of a size, in log-odds.

    Never more than MOST_SIZES of it: such a miss is rather one of what was recorded first.
    """
    return float(np.clip(drawn_miss(log_odds, is_renewed, size), -MOST_SIZES * size, MOST_SIZES * size))


@dataclass(frozen=True, eq=False)
class _Look:
    """What was open on a day: its places, its log-odds, and what the decided ones of its period had told by then."""

    places: Integers
    log_odds: Floats
    shifts: Floats


def _look(
    day: Integers,
    log_odds: Floats,
    is_renewed: Booleans,
    periods: Integers,
    waits: Waits,
    survivors: Survivors,
    size: float,
) -> _Look:
    segment_ids, kind, place_on = waits.segment_ids, waits.kind, waits.clock_on(day)
    is_open = waits.decided > day
    # Each period's misses are told from the level of all of them: that one is applied whatever the period says.
    decided = log_odds + survivors.decided_log_odds(segment_ids=segment_ids, kind=kind, place=place_on)
    decided = decided + drawn_miss(decided[~is_open], is_renewed[~is_open], LEVEL_SPREAD)
    known, place = np.unique(periods, return_inverse=True)
    shifts = np.zeros(known.size)
    for at in range(known.size):
        own = ~is_open & (place == at)
        shifts[at] = told_shift(decided[own], is_renewed[own], size)
    places = np.flatnonzero(is_open)
    still_open = log_odds + survivors.log_odds(segment_ids=segment_ids, kind=kind, place=place_on)
    return _Look(places, still_open[places], shifts[place[places]])


def _told(looks: Sequence[_Look], is_renewed: Booleans, periods: Integers, size: float) -> float:
    """The slope, 0..1, of what open renewals missed by on what the decided ones of their periods had, over all looks.

    Two periods in which both missed by the same `size` are counted beside those that were.
    """
    product, square = PRIOR_PERIODS * size**2, PRIOR_PERIODS * size**2
    for look in looks:
        level = drawn_miss(look.log_odds, is_renewed[look.places], LEVEL_SPREAD)
        for period in np.unique(periods[look.places]):
            own = periods[look.places] == period
            shift, error = miss(look.log_odds[own] + level, is_renewed[look.places][own])
            weight = float(weights_of_periods(np.array([error]))[0]) / len(looks)
            product += weight * shift * float(look.shifts[own][0])
            square += weight * float(look.shifts[own][0]) ** 2
    return float(np.clip(product / square, 0.0, 1.0))


def _standard_errors(log_odds: Floats, periods: Integers) -> Floats:
    """Of the common shift of each period, if it is forecast well."""
    p = expit(log_odds)
    _, place = np.unique(periods, return_inverse=True)
    errors: Floats = 1 / np.sqrt(np.bincount(place, p * (1 - p)))
    return errors
