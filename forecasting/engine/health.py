"""Health of accounts over time: 100 x sum(w_k x_k) / sum(w_k) over the signals that are known and fresh.

The weighted mean is the risk score's (docs/domain.md section 5), with x_k = 1 for good instead of bad: contributions
add up to the score exactly, and what is missing lowers the completeness and never counts as zero.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine import risk
from forecasting.engine.arrays import Booleans, Floats, Integers

TREND_DAYS: Final = (30, 90)
NEVER: Final = 2**31 - 1  # a day that does not come
DAY_BITS: Final = 32
# Where less of the weight is known there is a score, but no band: one answer to one survey is no state of an account.
LEAST_KNOWN: Final = 0.25


@dataclass(frozen=True, eq=False)
class Measured:
    """m measurements of n accounts, sorted by account and day; at most one of an account and day.

    account  int64[m], position of the account, 0 to n - 1
    day      int64[m]
    x        float64[m, k], share of health 0 (bad) to 1 (good) by factor; NaN where nothing was measured
    """

    account: Integers
    day: Integers
    x: Floats


@dataclass(frozen=True, eq=False)
class Weighing:
    """How k factors count.

    weights       float64[s, k] by row of weights
    stale_days    int64[k]; an older value counts as missing
    healthy_from  float64[s], watch_from float64[s]: lower bounds of the bands
    row           int64[n], row of weights by account
    """

    weights: Floats
    stale_days: Integers
    healthy_from: Floats
    watch_from: Floats
    row: Integers


@dataclass(frozen=True, eq=False)
class Steps:
    """s days on which the health of an account became another one, sorted by account and day.

    account, day  int64[s]
    score         float64[s], 0 to 100 in whole hundredths; NaN where every input is missing
    band          int16[s], 0 poor, 1 watch, 2 healthy; -1 where too little is known
    completeness  float64[s], 0 to 1
    """

    account: Integers
    day: Integers
    score: Floats
    band: Integers
    completeness: Floats

    def take(self, rows: NDArray[Any]) -> "Steps":
        return Steps(self.account[rows], self.day[rows], self.score[rows], self.band[rows], self.completeness[rows])


@dataclass(frozen=True, eq=False)
class Standing:
    """How each account that was ever measured is on the last day; as `Steps`, and:

    contributions  int16[n, k], hundredths of a point that add up to the score exactly; -1 = missing
    before         float64[n, 2], score 30 and 90 days earlier; NaN where there was none
    stands_until   int64[n], last day on which all of this holds if nothing new is measured; NEVER: for good
    """

    steps: Steps
    contributions: Integers
    before: Floats
    stands_until: Integers


def scale(values: Floats, worst: float, best: float) -> Floats:
    """Share of health 0..1, linear from `worst` to `best`, which may be the smaller one; NaN stays."""
    if worst == best:
        raise ValueError(f"the worst and the best value are both {worst}")
    scaled: Floats = np.clip((np.asarray(values, dtype=np.float64) - worst) / (best - worst), 0.0, 1.0)
    return scaled


def judge(measured: Measured, weighing: Weighing, as_of: int) -> tuple[Steps, Standing]:
    """The whole history of each account up to a day, and how it stands on that day.

    A value counts from its day on, until a newer one of its factor or until it is older than its stale_days. Rows
    after `as_of`, and before 1970, are left out; how an account stands holds until the day before the first of them.
    Raises ValueError for an x out of range or a negative weight.
    """
    is_past = (measured.day >= 0) & (measured.day <= as_of)
    account, day = measured.account[is_past], measured.day[is_past]
    # What has no weight says nothing, whether it was measured or not.
    x = np.where(weighing.weights[weighing.row[account]] == 0, np.nan, measured.x[is_past])
    keys = _key(account, day)
    days, stale = _days_of_change(keys, account, day, x, weighing.stale_days, as_of)
    state, fresh_until = _state_on(days, keys, x, weighing.stale_days, stale)
    days_account = days >> DAY_BITS
    scores = risk.score(state, weighing.weights, weighing.row[days_account])
    completeness = scores.completeness.round(4)
    steps = Steps(
        days_account,
        days & NEVER,
        scores.score,
        band(scores.score, completeness, weighing, weighing.row[days_account]),
        completeness,
    )
    is_last = np.append(days_account[1:] != days_account[:-1], True)[: days.size]
    kept = steps.take(_is_change(steps))
    ahead = np.full(weighing.row.size, NEVER, dtype=np.int64)
    np.minimum.at(ahead, measured.account[measured.day > as_of], measured.day[measured.day > as_of] - 1)
    holds_until = np.minimum(fresh_until, ahead[days_account])[is_last]
    return kept, _standing(kept, scores.contributions[is_last], holds_until, as_of)


def band(score: Floats, completeness: Floats, weighing: Weighing, row: Integers) -> Integers:
    """int16[n]: 0 poor, 1 watch, 2 healthy by the bounds of the account's row; -1 where less than LEAST_KNOWN is."""
    found = (score >= weighing.watch_from[row]).astype(np.int16) + (score >= weighing.healthy_from[row])
    found[np.isnan(score) | (completeness < LEAST_KNOWN)] = -1
    return found.astype(np.int16)


def _key(account: Integers, day: Integers | int) -> Integers:
    keys: Integers = (account.astype(np.int64) << DAY_BITS) + day
    return keys


def _days_of_change(
    keys: Integers, account: Integers, day: Integers, x: Floats, stale_days: Integers, as_of: int
) -> tuple[Integers, list[Integers]]:
    """Keys of the days on which anything was measured or became too old; and by factor the rows that measured it."""
    candidates: list[Integers] = [keys]
    rows: list[Integers] = []
    for factor, days in enumerate(stale_days.tolist()):
        known = np.flatnonzero(~np.isnan(x[:, factor]))
        rows.append(known)
        too_old = day[known] + days + 1
        next_on = np.append(keys[known][1:], np.iinfo(np.int64).max)
        is_let_go = (too_old <= as_of) & (next_on > _key(account[known], too_old))
        candidates.append(_key(account[known][is_let_go], too_old[is_let_go]))
    return np.unique(np.concatenate(candidates)), rows


def _state_on(
    days: Integers, keys: Integers, x: Floats, stale_days: Integers, rows: list[Integers]
) -> tuple[Floats, Integers]:
    """x by day and factor as it was known then, and the last day on which none of it is too old."""
    state = np.full((days.size, x.shape[1]), np.nan)
    fresh_until = np.full(days.size, NEVER, dtype=np.int64)
    for factor, known in enumerate(rows):
        if not known.size:
            continue
        place = np.searchsorted(keys[known], days, side="right") - 1
        newest = known[np.maximum(place, 0)]
        last_fresh = keys[newest] + int(stale_days[factor])
        holds = (place >= 0) & (keys[newest] >> DAY_BITS == days >> DAY_BITS) & (last_fresh >= days)
        state[holds, factor] = x[newest[holds], factor]
        fresh_until[holds] = np.minimum(fresh_until[holds], last_fresh[holds] & NEVER)
    return state, fresh_until


def _is_change(steps: Steps) -> Booleans:
    """The first row of each account, and those that differ from the one before."""
    changes = np.ones(steps.account.size, dtype=np.bool_)
    if changes.size:
        score = np.where(np.isnan(steps.score), -1.0, steps.score)
        same = (steps.account[1:] == steps.account[:-1]) & (score[1:] == score[:-1])
        changes[1:] = ~(same & (steps.completeness[1:] == steps.completeness[:-1]))
    return changes


def _standing(steps: Steps, contributions: Integers, holds_until: Integers, as_of: int) -> Standing:
    """`contributions` and `holds_until` are those of each account's last day of change."""
    keys = _key(steps.account, steps.day)
    is_last = np.append(steps.account[1:] != steps.account[:-1], True)[: keys.size]
    current = steps.take(is_last)
    before = np.full((current.account.size, len(TREND_DAYS)), np.nan)
    stands_until = holds_until.copy()
    for column, days in enumerate(TREND_DAYS):
        following = np.searchsorted(keys, _key(current.account, as_of - days), side="right")
        place = following - 1
        was_there = (place >= 0) & (steps.account[place] == current.account)
        before[was_there, column] = steps.score[place[was_there]]
        # The first later step becomes the earlier score that many days after it.
        later = np.minimum(following, keys.size - 1)
        comes = (following < keys.size) & (steps.account[later] == current.account)
        stands_until[comes] = np.minimum(stands_until[comes], steps.day[later[comes]] + days - 1)
    return Standing(current, contributions, before, stands_until)
