"""What moved a period's expected amount between two moments, renewal by renewal, in whole cents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.as_at.standing import ROW, Standing, is_open, is_won
from forecasting.bridge.ends import End
from forecasting.engine.arrays import NO_DAY, Booleans, Floats, Integers
from forecasting.engine.timing import PolicyTable, classify, resolve_policy
from forecasting.frames import day_number
from forecasting.frames.book import LOST as OUTCOME_LOST
from forecasting.periods import Period, month_number
from forecasting.scopes.scope import Scope

# As they are drawn. `rates` has no bar where no rate changed.
BARS: Final = (
    "new",
    "pulled_in",
    "won",
    "lost",
    "pushed",
    "amount",
    "probability",
    "owner",
    "reclassified",
    "removed",
    "rates",
)
OPEN, WON, LOST = range(3)


@dataclass(frozen=True, eq=False)
class Bridge:
    """n renewals that are in the period and scope at either end; all amounts int64 cents of the reporting currency.

    before, after   ROW[n]; its `renewal` is 0 where the renewal is not known at that end
    opening, closing   int64[n]
    bars            int64[n] by name; closing = opening + their sum, row by row
    """

    start: End
    end: End
    renewal: Integers
    before: NDArray[Any]
    after: NDArray[Any]
    opening: Integers
    closing: Integers
    bars: dict[str, Integers]

    @property
    def opening_cents(self) -> int:
        return int(self.opening.sum())

    @property
    def closing_cents(self) -> int:
        return int(self.closing.sum())

    @property
    def residual_cents(self) -> int:
        return self.closing_cents - self.opening_cents - sum(int(values.sum()) for values in self.bars.values())

    def rows_of(self, bar: str) -> Integers:
        """Places of the renewals that a bar is made of, the largest change first."""
        changed = np.flatnonzero(self.bars[bar])
        return changed[np.lexsort((self.renewal[changed], -np.abs(self.bars[bar][changed])))]


def build_bridge(start: End, end: End, scope: Scope, period: Period) -> Bridge:
    """The bridge of a scope's period. Both ends hold the renewals that are due in it, and those that have left it."""
    known = np.union1d(start.standing.rows["renewal"], end.standing.rows["renewal"])
    before, after = _aligned(start.standing, known), _aligned(end.standing, known)
    sides = [_Side.at_end(one, rows, scope, period) for one, rows in ((start, before), (end, after))]
    concerned = sides[0].is_in | sides[1].is_in
    known, before, after = known[concerned], before[concerned], after[concerned]
    opened, closed = (side.only(concerned) for side in sides)
    own, own_after = opened.values(), closed.values()
    opening, closing = _allocate_both(
        own, own_after, start.expected_cents(scope, period), end.expected_cents(scope, period)
    )
    bars = {name: np.zeros(known.size, dtype=np.int64) for name in BARS}
    both = opened.is_in & closed.is_in
    _enter(bars, start, known, opened, closed, closing)
    _leave(bars, opened, closed, opening)
    rows = np.flatnonzero(both)
    judged = _decided_by(start, end, after[rows])
    # The amounts of the end at the probabilities of the start.
    mixed = after.copy()
    mixed["probability"] = before["probability"]
    steps = _Steps(own, opened.values(end.standing), closed.values_of(mixed), own_after, opening, closing)
    _move(bars, rows, opened.state[rows], closed.state[rows], judged, steps)
    return Bridge(start, end, known, before, after, opening, closing, bars)


class _Side:
    """The rows at one end: which are in the period and scope, and why not."""

    def __init__(
        self, standing: Standing, rows: NDArray[Any], scope: Scope, period: Period, is_sliced: Booleans
    ) -> None:
        self.standing, self.scope, self.period, self.is_sliced = standing, scope, period, is_sliced
        self.at = standing.of(rows)
        first = month_number(period.starts_on)
        month = self.at.month
        self.is_there = rows["renewal"] != 0
        self.is_counted = self.is_there & self.at.is_counted
        self.is_due = self.is_there & (month >= first) & (month < first + period.month_count)
        self.is_owned = self.at.within(Scope(scope.grain, scope.team, scope.owner))
        self.is_in = self.is_counted & self.is_due & self.at.within(scope) & is_sliced

    @classmethod
    def at_end(cls, end: End, rows: NDArray[Any], scope: Scope, period: Period) -> _Side:
        return cls(end.standing, rows, scope, period, end.are_sliced(scope.slice, rows["renewal"]))

    def only(self, kept: Booleans) -> _Side:
        return _Side(self.standing, self.at.rows[kept], self.scope, self.period, self.is_sliced[kept])

    def values(self, other: Standing | None = None) -> Floats:
        """Unrounded cents, 0 of what is not in; at the rates of another end where that is given."""
        worth: Floats = self.at.values(other.rates if other else None) * self.is_in
        return worth

    def values_of(self, rows: NDArray[Any]) -> Floats:
        """What these would be worth in the place of its own rows."""
        worth: Floats = self.standing.of(rows).values() * self.is_in
        return worth

    @property
    def state(self) -> Integers:
        return state_of(self.at.rows["timing"])


@dataclass(frozen=True, eq=False)
class _Steps:
    """Unrounded values on the way from the start to the end, and the cents of both ends."""

    own: Floats
    rated: Floats
    mixed: Floats
    target: Floats
    opening: Integers
    closing: Integers


def state_of(timing: NDArray[Any]) -> Integers:
    return np.where(is_open(timing), OPEN, np.where(is_won(timing), WON, LOST))


def _aligned(standing: Standing, known: Integers) -> NDArray[Any]:
    rows = np.zeros(known.size, dtype=ROW)
    rows["currency"] = -1
    rows["due"] = NO_DAY
    rows[np.searchsorted(known, standing.rows["renewal"])] = standing.rows
    return rows


def allocate(values: Floats, total: int) -> Integers:
    """Whole cents that add up to the total: each value rounded down, and the rest to the largest remainders.

    Where the total is further off than one cent for each value, what is left is spread evenly over those that have one.
    """
    cents: Integers = np.floor(values).astype(np.int64)
    rest = total - int(cents.sum())
    order = np.argsort(cents - values, kind="stable")
    order = order[values[order] != 0]
    if order.size:
        share, one_more = divmod(rest, order.size)
        cents[order] += share
        cents[order[:one_more]] += 1
    return cents


def _allocate_both(before: Floats, after: Floats, opening: int, closing: int) -> tuple[Integers, Integers]:
    """As `allocate` for both ends; a value that did not change has the same cents in both."""
    is_same = before == after
    was, now = ~is_same & (before != 0), ~is_same & (after != 0)
    # What stayed takes a whole total where nothing else is there to take a cent of it.
    if not now.any():
        shared = closing
    elif not was.any():
        shared = opening
    else:
        shared = int(np.rint(before[is_same].sum()))
    cents = np.zeros(before.size, dtype=np.int64)
    cents[is_same] = allocate(before[is_same], shared)
    first, last = cents.copy(), cents.copy()
    stayed = int(cents.sum())
    first[was] = allocate(before[was], opening - stayed)
    last[now] = allocate(after[now], closing - stayed)
    return first, last


def _enter(
    bars: dict[str, Integers], start: End, known: Integers, opened: _Side, closed: _Side, closing: Integers
) -> None:
    is_new = closed.is_in & ~opened.is_in
    was_there = opened.is_there.copy()
    unseen = np.flatnonzero(is_new & ~was_there)
    # A call does not keep what was decided long before it: such a renewal was there, due elsewhere.
    was_elsewhere = np.zeros(known.size, dtype=np.bool_)
    was_elsewhere[unseen] = start.had(known[unseen])
    choices = [
        ("pulled_in", was_elsewhere),
        ("new", ~was_there | ~opened.is_counted),
        ("pulled_in", ~opened.is_due),
        ("owner", ~opened.is_owned),
        ("reclassified", np.ones(known.size, dtype=np.bool_)),
    ]
    _attribute(bars, is_new, choices, closing)


def _leave(bars: dict[str, Integers], opened: _Side, closed: _Side, opening: Integers) -> None:
    choices = [
        ("removed", ~closed.is_there | ~closed.is_counted),
        ("pushed", ~closed.is_due),
        ("owner", ~closed.is_owned),
        ("reclassified", np.ones(opening.size, dtype=np.bool_)),
    ]
    _attribute(bars, opened.is_in & ~closed.is_in, choices, -opening)


def _attribute(
    bars: dict[str, Integers], concerned: Booleans, choices: list[tuple[str, Booleans]], cents: Integers
) -> None:
    """Each concerned row's cents to the first bar whose condition it meets."""
    left = concerned.copy()
    for name, condition in choices:
        taken = left & condition
        bars[name][taken] += cents[taken]
        left &= ~taken


def _decided_by(start: End, end: End, rows: NDArray[Any]) -> Integers:
    """The state of the rows at the end, judged on its day by the policies of the start."""
    if not rows.size:
        return np.zeros(0, dtype=np.int64)
    policies: PolicyTable = start.policies
    policy = resolve_policy(
        policies,
        account_ids=rows["account"],
        segment_ids=rows["segment"].astype(np.int64),
        industry_ids=rows["industry"].astype(np.int64),
        due=rows["due"],
    )
    classes, _ = classify(
        rows["due"],
        rows["ordered"],
        rows["outcome"] == OUTCOME_LOST,
        day_number(end.standing.as_of),
        policies.early_days[policy],
        policies.grace_days[policy],
        policies.late_days[policy],
        policies.is_business[policy],
    )
    return state_of(classes)


def _move(
    bars: dict[str, Integers], rows: Integers, was: Integers, now: Integers, judged: Integers, steps: _Steps
) -> None:
    """Rows that are in at both ends, step by step; a step that changes nothing leaves the cents as they are."""
    opening, closing, target = steps.opening[rows], steps.closing[rows], steps.target[rows]
    rated, mixed = steps.rated[rows], steps.mixed[rows]
    at_rates = _stepped(rated, steps.own[rows], opening, target, closing)
    bars["rates"][rows] += at_rates - opening
    is_moved = was != now
    by_policy = is_moved & (judged == was)
    decided = is_moved & ~by_policy
    is_lost = decided & ((was == LOST) | (now == LOST))
    for name, taken in (("reclassified", by_policy), ("lost", is_lost), ("won", decided & ~is_lost)):
        bars[name][rows[taken]] += (closing - at_rates)[taken]
    # Still as decided as it was.
    with_amount = _stepped(mixed, rated, at_rates, target, closing)
    bars["amount"][rows] += np.where(is_moved, 0, with_amount - at_rates)
    bars["probability"][rows] += np.where(is_moved, 0, closing - with_amount)


def _stepped(value: Floats, before: Floats, cents: Integers, target: Floats, closing: Integers) -> Integers:
    """Cents of a value on the way: those before it where it is the same, those at the end where it is there."""
    found: Integers = np.where(value == target, closing, np.rint(value).astype(np.int64))
    return np.where(value == before, cents, found)
