"""What it says of an open renewal that it is still open, so many days before or after its due day.

The likelihood is learned from all decided renewals, but who means to leave often says so early, and who stays often
orders early. By Bayes' rule, of a renewal of which only that is new,

    logit P(renewed | open at t) = logit P(renewed) + log S_R(t) - log S_L(t),

S_R(t) and S_L(t) the shares of those that came to be renewed, and to be lost, that were still open at t. Both are
learned from settled renewals and never rise with t: S = product of 1 - h, h the share of what is open that each tick
decides. Each h is drawn to that of a wider group with the weight of m open renewals,

    h = (decided + m h_wider) / (open + m):

the segment's to its kind of contract (m = 50), that to the outcome's, and that to what decides renewals whatever the
outcome (m = 20), of which being open says nothing. So it says nothing either where nobody is left to learn from.

A renewal that is decided by t has told the same way: log(1 - S_R) - log(1 - S_L) beside what it came to be, for those
that leave may tell earlier than those that stay.

Time is told by a clock that counts what people work by: days to the decision day (the notice) and the due day, within
a notice its share that is left, and past the due day the share of the tolerance that is used up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from forecasting.engine.amounts import place_of
from forecasting.engine.arrays import Booleans, Floats, Integers

# Places of the clock: a tick is 5 days, a twelfth of a notice, or a twentieth of the days tolerated after the due day.
DUE: Final = 73.0
NOTICE_TICKS: Final = 12.0
LATE_TICKS: Final = 20.0
DAYS_A_TICK: Final = 5.0
TICKS: Final = int(DUE + LATE_TICKS) + 1
NEVER: Final = float(TICKS)  # decided by running out of tolerance: open at every tick

KINDS: Final = 4  # by whether it renews by itself, and whether it has a notice
BOOK_STRENGTH: Final = 20.0  # open renewals that the wider group counts as
SEGMENT_STRENGTH: Final = 50.0
# Log-odds that being overdue costs before there is evidence, as in engine.likelihood.
OVERDUE_STEP: Final = -1.735
SUREST: Final = 0.98  # share that a tick may decide: of what is left after that nothing would be known
MOST: Final = 4.0  # log-odds that being open may say, either way
DIGITS: Final = 4


@dataclass(frozen=True, eq=False)
class Survivors:
    """steps: float64[s + 1, KINDS, TICKS] in log-odds; the last row is for a segment that was never seen.

    decided_steps   of the same shape: what it says to be decided by then; empty where an older fit did not learn it
    """

    segment_ids: Integers
    steps: Floats
    row_count: int
    decided_steps: Floats = field(default_factory=lambda: np.empty(0))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON."""
        return {
            "segment_ids": self.segment_ids.tolist(),
            "steps": self.steps.tolist(),
            "row_count": self.row_count,
            "decided_steps": self.decided_steps.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Survivors":
        steps = np.asarray(stored["steps"], dtype=np.float64)
        segment_ids = np.asarray(stored["segment_ids"], dtype=np.int64)
        if steps.shape != (segment_ids.size + 1, KINDS, TICKS):
            raise ValueError(f"steps have the shape {steps.shape}")
        return cls(segment_ids, steps, stored["row_count"], np.asarray(stored.get("decided_steps", ()), np.float64))

    @classmethod
    def without_history(cls) -> "Survivors":
        none = np.empty(0, dtype=np.int64)
        return fit_survivors(segment_ids=none, kind=none, decided=none.astype(np.float64), is_renewed=none > 0)

    def log_odds(self, *, segment_ids: Integers, kind: Integers, place: Floats) -> Floats:
        """float64[n] that being open at a place of the clock adds: a line from tick to tick."""
        return self._along(self.steps, segment_ids, kind, place)

    def decided_log_odds(self, *, segment_ids: Integers, kind: Integers, place: Floats) -> Floats:
        """float64[n] that being decided by a place of the clock adds, from every decision by then; 0 when all are."""
        found = self._along(self.decided_steps, segment_ids, kind, place)
        return np.where(place < TICKS - 1, found, 0.0)

    def _along(self, steps: Floats, segment_ids: Integers, kind: Integers, place: Floats) -> Floats:
        cell = place_of(self.segment_ids, np.asarray(segment_ids)) * KINDS + kind
        place = np.clip(place, 0.0, TICKS - 1.0)
        tick = np.minimum(place.astype(np.int64), TICKS - 2)
        at = cell * TICKS + tick
        steps = steps.reshape(-1)
        found: Floats = steps[at] + (place - tick) * (steps[at + 1] - steps[at])
        return found


def clock(*, days_left: Integers, notice_days: Integers, late_days: Integers) -> Floats:
    """Place of n moments, float64[n]: `days_left` to the due day, negative past it; `late_days` tolerated after it.

    All in calendar days. A renewal without notice is decided by its due day.
    """
    left, notice = (np.asarray(days, dtype=np.float64) for days in (days_left, notice_days))
    ticks = np.where(notice > 0, NOTICE_TICKS, 0.0)
    before = DUE - ticks - np.maximum(left - notice, 0.0) / DAYS_A_TICK
    within = ticks * (1 - np.clip(left / np.maximum(notice, 1.0), 0.0, 1.0))
    after = LATE_TICKS * np.clip(-left / np.maximum(late_days, 1), 0.0, 1.0)
    place: Floats = np.maximum(before + within + after, 0.0)
    return place


def kind_of(*, is_auto_renewing: Booleans, notice_days: Integers) -> Integers:
    kind: Integers = 2 * np.asarray(is_auto_renewing).astype(np.int64) + (np.asarray(notice_days) > 0)
    return kind


@dataclass(frozen=True, eq=False)
class Waits:
    """When n settled renewals were decided; days are day numbers, those of notice and tolerance calendar days.

    ran_out   bool[n], that it ran out of tolerance: `decided` is the day after it then
    """

    segment_ids: Integers
    kind: Integers
    due: Integers
    decided: Integers
    ran_out: Booleans
    notice_days: Integers
    late_days: Integers

    def places(self) -> Floats:
        """Place of the clock of each decision, NEVER of what ran out."""
        return np.where(self.ran_out, NEVER, self.clock_on(self.decided))

    def clock_on(self, day: Integers) -> Floats:
        """Place of the clock on a day of each."""
        return clock(days_left=self.due - day, notice_days=self.notice_days, late_days=self.late_days)


def fit_survivors(*, segment_ids: Integers, kind: Integers, decided: Floats, is_renewed: Booleans) -> Survivors:
    """Learn from n settled renewals.

    `decided` is the place of the clock at which each was ordered or declined, NEVER where it ran out of tolerance.
    Settled: the last tolerated day is over, or early orders would count and late losses would not.
    """
    segment_ids = np.asarray(segment_ids)
    segments = np.unique(segment_ids)
    segments = segments[segments >= 0].astype(np.int64)
    cell = place_of(segments, segment_ids) * KINDS + kind
    # Decided by a tick is what is no longer open at it; the last place is for what never was.
    at = cell * (TICKS + 1) + np.clip(np.ceil(decided), 0, TICKS).astype(np.int64)
    shape = (segments.size + 1, KINDS, TICKS + 1)
    renewed, lost = (
        np.bincount(at[rows], minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
        for rows in (is_renewed, ~is_renewed)
    )
    # As it is, drawn to nothing: an outcome that is all there is must not differ from it.
    book = _hazards((renewed + lost).sum(axis=(0, 1)), np.zeros(TICKS), 0.0)
    late = book.copy()
    late[int(DUE) + 1] = 1 - (1 - book[int(DUE) + 1]) * np.exp(OVERDUE_STEP)
    open_renewed, open_lost = _log_open(renewed, late), _log_open(lost, book)
    steps = np.clip(open_renewed - open_lost, -MOST, MOST).round(DIGITS)
    gone_renewed, gone_lost = -np.expm1(open_renewed), -np.expm1(open_lost)
    is_known = (gone_renewed > 0) & (gone_lost > 0)
    ratio = np.divide(gone_renewed, gone_lost, out=np.ones_like(steps), where=is_known)
    return Survivors(segments, steps, int(decided.size), np.clip(np.log(ratio), -MOST, MOST).round(DIGITS))


def _log_open(decided: Floats, of_all: Floats) -> Floats:
    """Logarithm of the share of one outcome that is open at each tick, float64[s + 1, KINDS, TICKS]."""
    of_book = _hazards(decided.sum(axis=(0, 1)), of_all, BOOK_STRENGTH)
    of_kind = _hazards(decided.sum(axis=0), of_book, BOOK_STRENGTH)
    hazards = _hazards(decided, of_kind, SEGMENT_STRENGTH)
    hazards[-1] = of_kind
    found: Floats = np.cumsum(np.log1p(-hazards), axis=-1)
    return found


def _hazards(decided: Floats, wider: Floats, strength: float) -> Floats:
    """Share of what is still open that each tick decides, float64[..., TICKS], drawn to that of the wider group."""
    still_open = decided[..., ::-1].cumsum(axis=-1)[..., ::-1]
    open_weight = still_open[..., :-1] + strength
    found: Floats = (decided[..., :-1] + strength * wider) / np.where(open_weight > 0, open_weight, 1.0)
    return np.minimum(found, SUREST)
