"""The page's rows as bars over weeks: from the day to say no to the day the contract ends.

Places are per cent of the axis, for SVG; a bar that begins or ends outside the axis is cut there, and says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renewals.queue.rows import QueueRow

DAYS_BACK, MOST_DAYS = 28, 280
WEEK = 7


@dataclass(frozen=True)
class Week:
    x: float
    label: str  # blank where it would meet its neighbour
    on: dt.date


@dataclass(frozen=True)
class Bar:
    row: QueueRow
    x: float
    width: float
    decision_x: float | None  # None where the day is outside the axis
    is_cut_before: bool
    is_cut_after: bool
    tone: str


@dataclass(frozen=True)
class Timeline:
    weeks: list[Week]
    bars: list[Bar]
    today_x: float


def build_timeline(rows: Sequence[QueueRow], *, as_of: dt.date) -> Timeline:
    """Whole weeks from Monday on: from the earliest day, at most four weeks back, to the last due date of the page."""
    first = max(min((row.renewal.decision_on for row in rows), default=as_of), as_of - dt.timedelta(days=DAYS_BACK))
    start = _monday(min(first, as_of))
    last = max((row.renewal.due_on for row in rows), default=as_of)
    last = min(max(last, as_of + dt.timedelta(days=WEEK)), start + dt.timedelta(days=MOST_DAYS))
    end = _monday(last) + dt.timedelta(days=WEEK)
    length = (end - start).days

    def offset(on: dt.date) -> int:
        return min(max((on - start).days, 0), length)

    def share(days: int) -> float:
        return round(100 * days / length, 3)

    def place(on: dt.date) -> float:
        return share(offset(on))

    count = length // WEEK
    every = max(1, -(-count // 10))
    mondays = [start + dt.timedelta(days=WEEK * number) for number in range(count)]
    weeks = [
        Week(place(on), f"{on:%d %b}" if number % every == 0 and number < count - 1 else "", on)
        for number, on in enumerate(mondays)
    ]
    bars = []
    for row in rows:
        decision_on, due_on = row.renewal.decision_on, row.renewal.due_on
        x = place(decision_on)
        # The due date is the last day of its bar, and a bar of a day still has to be seen.
        days = max(offset(due_on + dt.timedelta(days=1)) - offset(decision_on), 1)
        bars.append(
            Bar(
                row=row,
                x=x,
                width=share(days),
                decision_x=x if start <= decision_on < end else None,
                is_cut_before=decision_on < start,
                is_cut_after=due_on >= end,
                tone="bad" if row.is_past else "warn" if row.days_left <= 14 else "info",
            )
        )
    return Timeline(weeks, bars, place(as_of))


def _monday(on: dt.date) -> dt.date:
    return on - dt.timedelta(days=on.weekday())
