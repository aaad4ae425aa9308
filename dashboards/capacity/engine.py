"""Hours of work against hours that people have, by person and week. Pure arithmetic, no database.

Arrays are indexed [person, week]; weeks begin on Mondays and follow each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import ceil

import numpy as np
from numpy.typing import NDArray

Hours = NDArray[np.float64]
WORK_DAYS = 5
SUSTAINED_WEEKS = 4  # as long as a shortage lasts before it is one that only more people end
SLACK = 1e-9  # hours; below it a difference is rounding


def productive_hours(weeks: int, week_hours: Decimal, utilisation_rate: Decimal, overhead_rate: Decimal) -> Decimal:
    """Of a person without absence: 13 weeks x 40 h x 75 % x 85 % = 331.5 h (docs/domain.md section 4.4)."""
    return weeks * week_hours * utilisation_rate * overhead_rate


def days_present(
    mondays: Sequence[dt.date], holidays: Collection[dt.date], absences: Collection[tuple[dt.date, dt.date]]
) -> list[int]:
    """Working days (Monday to Friday) of each week that are neither a holiday nor within an absence; each counts once.

    An absence is its first and its last day.
    """
    days = [[monday + dt.timedelta(days=day) for day in range(WORK_DAYS)] for monday in mondays]
    return [
        sum(day not in holidays and not any(first <= day <= last for first, last in absences) for day in of_week)
        for of_week in days
    ]


@dataclass(frozen=True)
class Work:
    """Work of one kind that falls evenly on the weeks `first` to `last` of the horizon, both included.

    `share` is the part of `hours` that falls within the horizon's weeks each: hours / weeks it is spread over.
    """

    person: int
    first: int
    last: int
    share: float  # hours in each of its weeks


def load_of(works: Sequence[Work], people: int, weeks: int) -> Hours:
    """Hours by person and week. Works that begin after the horizon bring nothing; those that end after it are cut."""
    steps = np.zeros((people, weeks + 1))
    seen = [one for one in works if one.first < weeks]
    at = np.array([(one.person, one.first, min(one.last + 1, weeks)) for one in seen], dtype=np.intp).reshape(-1, 3)
    shares = np.array([one.share for one in seen], dtype=np.float64)
    np.add.at(steps, (at[:, 0], at[:, 1]), shares)
    np.add.at(steps, (at[:, 0], at[:, 2]), -shares)
    load = steps.cumsum(axis=1)[:, :weeks]
    load[np.abs(load) < SLACK] = 0
    return load


def spread_of(weeks: int, work_weeks: int) -> Hours:
    """float64[weeks + work_weeks, weeks]: how the work on what is due is shared out, by when it is due.

    Of what is past due (the first row) evenly on the first `work_weeks`; of what is due in a week (row 1 is the first
    week) evenly on the `work_weeks` up to it, as far as they are to come. What falls beyond the horizon is cut.
    """
    shares = np.zeros((weeks + work_weeks, weeks))
    shares[0, :work_weeks] = 1 / work_weeks
    for at in range(weeks + work_weeks - 1):
        first = max(0, at - work_weeks + 1)
        shares[at + 1, first : at + 1] = 1 / (at - first + 1)
    return shares


class Advice(StrEnum):
    HIRE = "hire"
    REBALANCE = "rebalance"
    WAIT = "wait"


@dataclass(frozen=True)
class Verdict:
    """What to do, and the sum behind it: `load` and `capacity` of all together in weeks `first` to `last`.

    Of `hire` the weeks are the first run in which all together are short; of `rebalance` the first week in which
    somebody is, though all together are not for long; of `wait` the whole horizon.
    """

    advice: Advice
    first: int
    last: int
    load_hours: float
    capacity_hours: float
    short_hours: float
    people_count: int = 0


def judge(
    load: Hours, capacity: Hours, full_week_hours: float, *, may_hire: bool = True, hiring_weeks: int = 0
) -> Verdict:
    """`hire` where all together lack hours for SUSTAINED_WEEKS or more in a row, of those in which somebody hired today
    would be productive: as many people as the hours short in that run are full weeks of a person, rounded up.
    `rebalance` where somebody lacks hours. Otherwise `wait`."""
    short = load.sum(axis=0) - capacity.sum(axis=0)
    run = shortage(load, capacity, since=hiring_weeks)
    if run and may_hire:
        first, last = run
        hours = float(short[first : last + 1].sum())
        full = full_week_hours * (last - first + 1)
        return _verdict(Advice.HIRE, load, capacity, run, hours, ceil(hours / full - SLACK) if full > 0 else 0)
    over = np.maximum(load - capacity, 0)
    weeks = np.flatnonzero((over > SLACK).any(axis=0))
    if len(weeks):
        at = (int(weeks[0]), int(weeks[0]))
        return _verdict(Advice.REBALANCE, load, capacity, at, float(over[:, at[0]].sum()))
    return _verdict(Advice.WAIT, load, capacity, (0, load.shape[1] - 1), 0.0)


def shortage(load: Hours, capacity: Hours, *, since: int = 0) -> tuple[int, int] | None:
    """First and last of the first SUSTAINED_WEEKS or more in a row, not before `since`, in which all together are
    short."""
    is_short = load.sum(axis=0) - capacity.sum(axis=0) > SLACK
    is_short[:since] = False
    return _first_run(is_short)


def _verdict(
    advice: Advice, load: Hours, capacity: Hours, run: tuple[int, int], short: float, people: int = 0
) -> Verdict:
    first, last = run
    of_run = slice(first, last + 1)
    return Verdict(advice, first, last, float(load[:, of_run].sum()), float(capacity[:, of_run].sum()), short, people)


def _first_run(is_short: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The first run of SUSTAINED_WEEKS or more."""
    start = 0
    for week, is_so in enumerate([*is_short.tolist(), False]):
        if is_so:
            continue
        if week - start >= SUSTAINED_WEEKS:
            return start, week - 1
        start = week + 1
    return None
