"""Which renewals to hand to a colleague so that nobody has more to do than hours, with few changes of owner. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboards.capacity.engine import SLACK, Hours

LARGEST_FIRST = 60  # groups of a person that are tried in one step


@dataclass(frozen=True)
class Group:
    """`count` renewals of a person that are alike: each brings `share` hours to every week of `first` to `last`."""

    person: int
    first: int
    last: int
    share: float
    count: int


@dataclass(frozen=True)
class Move:
    """`count` renewals of a group go to a person."""

    group: int
    to: int
    count: int


def overload_hours(load: Hours, capacity: Hours) -> float:
    """Hours of all people and weeks that go beyond what the person has in that week."""
    return float(np.maximum(load - capacity, 0).sum())


def peak_hours(load: Hours, capacity: Hours) -> float:
    """By how much the fullest week of anybody goes beyond the hours of that person; 0 where none does."""
    return float(np.maximum(load - capacity, 0).max(initial=0))


def suggest_moves(
    load: Hours, capacity: Hours, groups: Sequence[Group], teams: Sequence[int | None], *, most: int = 20
) -> tuple[list[Move], Hours]:
    """Moves of single renewals within teams that lower the peak, and the load after them. At most `most` changes.

    Greedy: from the person of the fullest week goes the renewal whose new owner leaves the least overload of all,
    never raising anybody above the peak of the moment; until nobody is over, or no move helps. A move that turns out
    not to be needed for the peak that was reached is taken back. The peak after is never above the one before.
    """
    after = load.copy()
    left = [group.count for group in groups]
    steps: list[tuple[int, int]] = []
    while len(steps) < most and peak_hours(after, capacity) > SLACK:
        step = _best_step(after, capacity, groups, left, teams)
        if step is None:
            break
        _apply(after, groups[step[0]], step[1])
        left[step[0]] -= 1
        steps.append(step)
    steps = _needed(load, after, capacity, groups, steps)
    counts = Counter(steps)
    return [Move(group, to, count) for (group, to), count in counts.items()], after


def _apply(load: Hours, group: Group, to: int, sign: int = 1) -> None:
    weeks = slice(group.first, group.last + 1)
    load[group.person, weeks] -= sign * group.share
    load[to, weeks] += sign * group.share


def _best_step(
    load: Hours, capacity: Hours, groups: Sequence[Group], left: Sequence[int], teams: Sequence[int | None]
) -> tuple[int, int] | None:
    """Of the fullest week whose overload a move lowers: group and new owner."""
    over = load - capacity
    peak = float(over.max())
    for at in np.argsort(-over, axis=None):
        person, week = divmod(int(at), over.shape[1])
        if over[person, week] <= SLACK:
            return None
        mates = [to for to, team in enumerate(teams) if to != person and team is not None and team == teams[person]]
        # Of those alike one is enough; what brings most to the week comes first.
        movable = [
            at for at, one in enumerate(groups) if one.person == person and left[at] and one.first <= week <= one.last
        ]
        movable.sort(key=lambda at: (-groups[at].share, at))
        best = _best_of(over, peak, groups, movable[:LARGEST_FIRST], mates) if mates else None
        if best:
            return best
    return None


def _best_of(
    over: Hours, peak: float, groups: Sequence[Group], movable: Sequence[int], mates: Sequence[int]
) -> tuple[int, int] | None:
    best: tuple[float, int, int] | None = None
    rows: NDArray[np.intp] = np.array(mates, dtype=np.intp)
    for at in movable:
        group = groups[at]
        weeks = slice(group.first, group.last + 1)
        mine, theirs = over[group.person, weeks], over[rows, weeks]
        gain = (np.maximum(mine, 0) - np.maximum(mine - group.share, 0)).sum()
        cost = (np.maximum(theirs + group.share, 0) - np.maximum(theirs, 0)).sum(axis=1)
        net = np.where((theirs + group.share).max(axis=1) < peak - SLACK, gain - cost, -1.0)
        # Where several take it at the same cost, whoever has most room in those weeks.
        ties = np.flatnonzero(net >= net.max() - SLACK)
        to = int(ties[np.argmin(theirs[ties].sum(axis=1))])
        if net[to] > SLACK and (best is None or net[to] > best[0] + SLACK):
            best = float(net[to]), at, int(rows[to])
    return best and best[1:]


def _needed(
    before: Hours, after: Hours, capacity: Hours, groups: Sequence[Group], steps: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The steps without those that the peak reached does not need; `after` is set to what they leave."""
    reached = peak_hours(after, capacity)
    if reached >= peak_hours(before, capacity) - SLACK:
        after[:] = before
        return []
    kept = list(steps)
    for step in steps:
        _apply(after, groups[step[0]], step[1], -1)
        if peak_hours(after, capacity) <= reached + SLACK:
            kept.remove(step)
        else:
            _apply(after, groups[step[0]], step[1])
    return kept
