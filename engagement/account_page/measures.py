"""What was measured of an account over time: as changes for its story, and as lines to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import AccountSignal
from renewals.drawer.card import SIGNALS

# Older than so many measurements, a signal is no longer told of.
MEASUREMENTS_READ = 1500
# Of these each change is told. The others move a little every day: they are drawn.
TOLD = (
    "severe_ticket_count", "csat_score", "nps_score", "sentiment_score", "failed_payment_count", "chargeback_count",
    "has_champion_left",
)  # fmt: skip
RISES_ARE_BAD = {"severe_ticket_count", "failed_payment_count", "chargeback_count", "has_champion_left"}
DRAWN = (
    "usage_change_rate", "login_change_rate", "seat_change_rate", "csat_score", "nps_score", "sentiment_score",
    "severe_ticket_count", "late_payment_days",
)  # fmt: skip
WIDTH, HEIGHT, MARGIN = 240, 40, 3
POINTS_DRAWN = 120
NOTHING = "–"


@dataclass(frozen=True)
class Part:
    label: str
    old: str
    new: str
    is_bad: bool


@dataclass
class SignalChange:
    """What one day's measurement changed."""

    id: int
    measured_on: dt.date
    parts: list[Part] = field(default_factory=list)

    @property
    def tone(self) -> str:
        return "bad" if any(part.is_bad for part in self.parts) else "quiet"


def _measured(account_id: int, names: Sequence[str]) -> list[dict[str, Any]]:
    """The newest measurements, the oldest first. One query."""
    rows = AccountSignal.objects.filter(account=account_id).order_by("-measured_on")
    return list(rows.values("id", "measured_on", *names)[:MEASUREMENTS_READ])[::-1]


def changes_of_signals(account_id: int) -> list[SignalChange]:
    """What differs from the newest value before it, the oldest first; a blank is no value."""
    known: dict[str, Any] = {}
    found = []
    for row in _measured(account_id, TOLD):
        change = SignalChange(row["id"], row["measured_on"])
        for name in TOLD:
            value = row[name]
            if value is None or value == known.get(name):
                continue
            label, text_of = SIGNALS[name]
            before = known.get(name)
            is_bad = (value > (before or 0)) if name in RISES_ARE_BAD else before is not None and value < before
            change.parts.append(Part(label, NOTHING if before is None else text_of(before), text_of(value), is_bad))
            known[name] = value
        if change.parts:
            found.append(change)
    return found


@dataclass(frozen=True)
class Line:
    """One measure over time. `points` are those of an SVG polyline of WIDTH x HEIGHT; `rows` the same as a table."""

    label: str
    newest: str
    first_on: dt.date
    last_on: dt.date
    points: str
    last_x: float
    last_y: float
    rows: list[tuple[dt.date, str]]


def read_lines(account_id: int) -> list[Line]:
    """Each drawn measure that was taken on two days or more."""
    rows = _measured(account_id, DRAWN)
    lines = []
    for name in DRAWN:
        taken = [(row["measured_on"], float(row[name])) for row in rows if row[name] is not None]
        if len(taken) > 1:
            lines.append(_line(name, _thinned(taken)))
    return lines


def _thinned(taken: list[tuple[dt.date, float]]) -> list[tuple[dt.date, float]]:
    """At most so many, evenly over the measurements, the first and the last among them."""
    if len(taken) <= POINTS_DRAWN:
        return taken
    step = (len(taken) - 1) / (POINTS_DRAWN - 1)
    return [taken[round(place * step)] for place in range(POINTS_DRAWN)]


def _line(name: str, taken: list[tuple[dt.date, float]]) -> Line:
    label, text_of = SIGNALS[name]
    first_on, last_on = taken[0][0], taken[-1][0]
    values = [value for _, value in taken]
    lowest, highest = min(values), max(values)
    days, span = (last_on - first_on).days or 1, (highest - lowest) or 1

    def place(day: dt.date, value: float) -> tuple[float, float]:
        x = MARGIN + (WIDTH - 2 * MARGIN) * (day - first_on).days / days
        y = HEIGHT / 2 if highest == lowest else HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - lowest) / span
        return round(x, 1), round(y, 1)

    places = [place(day, value) for day, value in taken]
    whole = name.endswith("_count")

    def said(value: float) -> str:
        return text_of(int(value) if whole else value)

    return Line(
        label, said(values[-1]), first_on, last_on, " ".join(f"{x},{y}" for x, y in places), *places[-1],
        [(day, said(value)) for day, value in reversed(taken)],
    )  # fmt: skip
