"""What moved between two days, line by line: new, expansion, reactivation, contraction, churn.

Source: docs/domain.md section 4.3. A line's movement from one point in time to the next is one number of one kind, so
opening + new + expansion + reactivation - contraction - churn = closing holds for any set of lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Integers
from forecasting.engine.recurring_kinds import Kind, State


@dataclass(frozen=True)
class Points:
    """The days at whose end levels are taken, ascending: the first opens, the others close."""

    days: Integers
    as_of: int

    @classmethod
    def of_months(cls, first: int, last: int, as_of: int) -> Points:
        """The end of every month before `first` to `last` (months since 1970), and the day of the report."""
        months: NDArray[np.datetime64] = np.arange(first, last + 2).astype("datetime64[M]")
        ends = months.astype("datetime64[D]").astype(np.int64) - 1
        return cls(np.union1d(ends, as_of), as_of)

    @property
    def months(self) -> Integers:
        return self.days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


@dataclass(frozen=True, eq=False)
class Movements:
    """One row per line and point at which its level changed; at the first point one per line that has a level."""

    line: Integers
    month: Integers
    state: Integers
    kind: Integers
    amount: Integers
    cross_sell: Integers
    newest: Integers  # position of the event that stands for the row: the last one with a renewal, else the last


def find_movements(
    *,
    line: Integers,
    account: Integers,
    day: Integers,
    delta: Integers,
    cross_sell: Integers,
    rank: Integers,
    points: Points,
) -> Movements:
    """Movements of events. `rank` says which event of a line and point stands for it: the highest.

    A line that had nothing is new where its account never had anything, an expansion where it has something else at
    the point before, and a reactivation where the line, or the account, had something on that day or earlier.
    """
    at = np.searchsorted(points.days, day)
    kept = np.flatnonzero(at < points.days.size)
    order = kept[np.lexsort((rank[kept], at[kept], line[kept]))]
    groups = _Groups(line[order], at[order])
    change = groups.sums(delta[order])
    level = groups.levels(change)
    before = level - change
    owner_account = account[order][groups.starts]
    began = _firsts(line, day, delta)[groups.key]
    account_began = _firsts(account, day, delta)[owner_account]
    point_before = points.days[np.maximum(groups.point - 1, 0)]
    rest = _account_levels(account, at, delta, kept, owner_account, groups.point - 1)
    kind = np.select(
        [
            groups.point == 0,
            (before == 0) & (began <= point_before),
            (before == 0) & (rest > 0),
            (before == 0) & (account_began <= point_before),
            before == 0,
            change > 0,
            level == 0,
        ],
        [Kind.OPENING, Kind.REACTIVATION, Kind.EXPANSION, Kind.REACTIVATION, Kind.NEW, Kind.EXPANSION, Kind.CHURN],
        Kind.CONTRACTION,
    )
    # What is sold to a customer beside what it has is cross-sell as a whole.
    crossed = np.where(before == 0, change, np.minimum(groups.sums(cross_sell[order]), change))
    rows = np.flatnonzero(change != 0)
    state = np.where(points.days <= points.as_of, State.ACTUAL, State.COMMITTED)
    return Movements(
        line=groups.key[rows],
        month=points.months[groups.point[rows]],
        state=state[groups.point[rows]],
        kind=kind[rows],
        amount=np.abs(change[rows]),
        cross_sell=np.where(kind == Kind.EXPANSION, crossed, 0)[rows],
        newest=order[groups.ends[rows]],
    )


class _Groups:
    """Runs of equal (key, point) in sorted arrays."""

    def __init__(self, key: Integers, point: Integers) -> None:
        is_new = np.ones(key.size, dtype=np.bool_)
        is_new[1:] = (key[1:] != key[:-1]) | (point[1:] != point[:-1])
        self.starts = np.flatnonzero(is_new)
        self.ends = np.append(self.starts[1:], key.size)[: self.starts.size] - 1
        self.key, self.point = key[self.starts], point[self.starts]

    def sums(self, values: Integers) -> Integers:
        if not self.starts.size:
            return np.empty(0, dtype=np.int64)
        return np.add.reduceat(values, self.starts, dtype=np.int64)

    def levels(self, change: Integers) -> Integers:
        """Cumulated within each key."""
        total: Integers = np.cumsum(change)
        is_new = np.ones(self.key.size, dtype=np.bool_)
        is_new[1:] = self.key[1:] != self.key[:-1]
        firsts = np.flatnonzero(is_new)
        sizes = np.diff(np.append(firsts, self.key.size))
        return total - np.repeat((total - change)[firsts], sizes)


def _firsts(key: Integers, day: Integers, delta: Integers) -> Integers:
    """By key: the first day on which it brought anything."""
    first = np.full(int(key.max(initial=-1)) + 1, np.iinfo(np.int64).max, dtype=np.int64)
    is_rise = delta > 0
    np.minimum.at(first, key[is_rise], day[is_rise])
    return first


def _account_levels(
    account: Integers, at: Integers, delta: Integers, kept: Integers, wanted: Integers, point: Integers
) -> Integers:
    """What each wanted account brought at a point."""
    order = kept[np.lexsort((at[kept], account[kept]))]
    groups = _Groups(account[order], at[order])
    level = groups.levels(groups.sums(delta[order]))
    if not level.size:
        return np.zeros(wanted.size, dtype=np.int64)
    keys = groups.key.astype(np.int64) * 2**16 + groups.point
    place = np.searchsorted(keys, wanted.astype(np.int64) * 2**16 + point, side="right") - 1
    is_own = (place >= 0) & (groups.key[np.maximum(place, 0)] == wanted)
    return np.where(is_own, level[np.maximum(place, 0)], 0)
