"""Which renewals to hand to a colleague so that nobody has more to do than hours, with few changes of owner. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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
    alike = _by_person(groups)
    steps: list[tuple[int, int]] = []
    while len(steps) < most and peak_hours(after, capacity) > SLACK:
        step = _best_step(after, capacity, alike, left, teams)
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
    load: Hours,
    capacity: Hours,
    alike: Mapping[int, Sequence[tuple[int, Group]]],
    left: Sequence[int],
    teams: Sequence[int | None],
) -> tuple[int, int] | None:
    """Of the fullest week whose overload a move lowers: group and new owner."""
    over = load - capacity
    peak = float(over.max())
    seen: dict[int, Takers | None] = {}
    givers = np.array(sorted(alike), dtype=np.intp)
    for at in np.argsort(-over[givers], axis=None).tolist():
        row, week = divmod(at, over.shape[1])
        person = int(givers[row])
        if over[person, week] <= SLACK:
            return None
        if person not in seen:
            mates = [to for to, team in enumerate(teams) if to != person and team is not None and team == teams[person]]
            own = [one for one in alike[person] if left[one[0]]]
            seen[person] = _takers(over, peak, own, mates) if own and mates else None
        takers = seen[person]
        best = takers.best_of(week) if takers else None
        if best:
            return best
    return None


def _by_person(groups: Sequence[Group]) -> dict[int, list[tuple[int, Group]]]:
    """What each person could give away, what brings most to a week first. Of those alike one is enough."""
    found: dict[int, list[tuple[int, Group]]] = defaultdict(list)
    for at, group in enumerate(groups):
        found[group.person].append((at, group))
    for own in found.values():
        own.sort(key=lambda one: (-one[1].share, one[0]))
    return found


@dataclass(frozen=True, eq=False)
class Takers:
    """For each group of a person: who would best take one of it, and how much less overload that leaves."""

    groups: NDArray[np.intp]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    to: NDArray[np.intp]
    net: Hours

    def best_of(self, week: int) -> tuple[int, int] | None:
        """Group and new owner, of the largest groups of a week."""
        movable = np.flatnonzero((self.first <= week) & (week <= self.last))[:LARGEST_FIRST]
        best, most = None, SLACK
        for at in movable[self.net[movable] > SLACK].tolist():
            if self.net[at] > most:
                best, most = at, float(self.net[at]) + SLACK
        return None if best is None else (int(self.groups[best]), int(self.to[best]))


def _takers(over: Hours, peak: float, own: Sequence[tuple[int, Group]], mates: Sequence[int]) -> Takers:
    """All of a person's groups against all mates at once: hours[groups, mates, weeks]."""
    first, last = (np.array([getattr(group, name) for _, group in own], dtype=np.intp) for name in ("first", "last"))
    weeks = np.arange(over.shape[1])
    falls = (first[:, None] <= weeks) & (weeks <= last[:, None])
    share = np.array([group.share for _, group in own])[:, None] * falls
    mine, theirs = over[own[0][1].person], over[list(mates)]
    gain = (np.maximum(mine, 0) - np.maximum(mine - share, 0)).sum(axis=1)
    taken = theirs + share[:, None, :]
    cost = (np.maximum(taken, 0) - np.maximum(theirs, 0)).sum(axis=2)
    highest = np.where(falls[:, None, :], taken, -np.inf).max(axis=2)
    net = np.where(highest < peak - SLACK, gain[:, None] - cost, -1.0)
    # Where several take it at the same cost, whoever has most room in those weeks.
    room = np.where(net >= net.max(axis=1, keepdims=True) - SLACK, falls @ theirs.T, np.inf)
    to = room.argmin(axis=1)
    return Takers(
        np.array([at for at, _ in own], dtype=np.intp),
        first,
        last,
        np.array(mates, dtype=np.intp)[to],
        np.take_along_axis(net, to[:, None], axis=1)[:, 0],
    )


def _needed(
    before: Hours, after: Hours, capacity: Hours, groups: Sequence[Group], steps: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The steps without those that the peak reached does not need; `after` is set to what they leave."""
    reached = peak_hours(after, capacity)
    if reached >= peak_hours(before, capacity) - SLACK:
        after[:] = before
        return []
    kept, before_last = list(steps), len(steps) + 1
    while len(kept) < before_last:  # what one that was taken back made room for may not be needed any more
        before_last = len(kept)
        for step in list(kept):
            _apply(after, groups[step[0]], step[1], -1)
            peak = peak_hours(after, capacity)
            if peak <= reached + SLACK:
                kept.remove(step)
                reached = min(reached, peak)
            else:
                _apply(after, groups[step[0]], step[1])
    return kept
