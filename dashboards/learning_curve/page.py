"""The tiles of the learning curve."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from accounts.models import Segment, Team
from accounts.strip import Total
from accounts.templatetags.money import NOTHING, exact_rate
from dashboards.frame import Content, Frame
from dashboards.learning_curve.engine import Curve, Month, fit_curve
from dashboards.learning_curve.reads import due_ahead, months_by, read_done
from dashboards.tiles import Cell, Column, Kind, Row, Tile, tile
from forecasting.pictures import empty_figure, line

NO_WORK: Final = (
    "No work is recorded on renewed renewals of this choice of filters: tasks that are done for a renewal bring hours."
)
NOT_THEN: Final = "The learning curve is of all that was done until today: it cannot be asked as at a past day."
FORMULA: Final = "Wright’s law: hours of the n-th renewal = hours of the first × n^b; learning rate = 1 − 2^b."
HORIZONS: Final = (90, 180, 365)


@dataclass(frozen=True)
class Found:
    """A curve by name, and the months it was fitted to."""

    name: str
    months: Sequence[Month]
    curve: Curve

    @property
    def done(self) -> int:
        return sum(month.count for month in self.months)

    @property
    def recorded(self) -> str:
        tasks, recorded = (sum(getattr(month, name) for month in self.months) for name in ("tasks", "recorded"))
        if not tasks:
            return ""
        others = "; the others by their estimate" if recorded < tasks else ""
        return f"{recorded:,} of {tasks:,} tasks with recorded minutes{others}."


def found(name: str, months: Sequence[Month]) -> Found:
    return Found(name, months, fit_curve(months))


def build_learning_curve(frame: Frame, *, is_rep: bool) -> Content:
    """A rep's own beside the average of the team; anybody else's by segment and team."""
    if frame.past is not None:
        return Content([], "", [Tile("curve", "Hours of a renewal", "", "Renewals", [], [], empty=NOT_THEN)])
    user, scope = frame.user, frame.scope
    done = read_done(user, scope, frame.as_of)
    of_all = found("All", months_by(done, lambda _: "all").get("all", []))
    if is_rep:
        mine = months_by(done, lambda one: one.rep_id).get(user.pk, [])
        groups = [found("You", mine), Found("Team average", of_all.months, of_all.curve)]
    else:
        segments = dict(Segment.objects.values_list("pk", "name"))
        teams = dict(Team.objects.values_list("pk", "name"))
        by_segment = months_by(done, lambda one: one.segment_id)
        by_team = months_by(done, lambda one: one.team_id)
        groups = [of_all]
        groups += [found(name, by_segment[pk]) for pk, name in segments.items() if pk in by_segment]
        groups += [found(f"Team {name}", by_team[pk]) for pk, name in teams.items() if pk in by_team]
    tiles = [curve_tile(of_all), rates_tile(groups), savings_tile(frame, of_all)]
    return Content(build_totals(of_all), words(of_all), tiles)


def words(one: Found) -> str:
    if not one.months:
        return NO_WORK
    if one.curve.refusal:
        return f"No finding: {one.curve.refusal}" + ("" if one.curve.is_blank else f" {one.recorded}")
    low, high = one.curve.learning_rates
    verb = "fewer" if one.curve.exponent < 0 else "more"
    rates = [exact_rate(Decimal(abs(rate))) for rate in (one.curve.learning_rate, low, high)]
    return (
        f"Each time the number of renewals doubles, one takes {rates[0]} {verb} hours "
        f"(95 % interval {rates[1]} to {rates[2]}, {one.curve.count:,} renewals). {one.recorded}"
    )


def build_totals(one: Found) -> list[Total]:
    curve, is_finding = one.curve, not one.curve.refusal
    low, high = curve.learning_rates
    interval = f"{exact_rate(Decimal(low))} to {exact_rate(Decimal(high))}" if is_finding else "no finding"
    now = f"{one.months[-1].hours:,.1f} h" if one.months else NOTHING
    rate = exact_rate(Decimal(curve.learning_rate)) if is_finding else NOTHING
    return [
        Total("Learning rate", rate, interval, curve.refusal or FORMULA, ""),
        Total("Exponent b", f"{curve.exponent:+.3f}" if is_finding else NOTHING, "", curve.refusal or FORMULA, ""),
        Total("Renewals n", f"{curve.count:,}", "with work", "Renewed, with recorded work", ""),
        Total(
            "Hours of one, last month",
            now,
            one.recorded.partition(" with ")[0],
            f"Minutes of done tasks / renewals of the month. {one.recorded}".strip(),
            "",
        ),
    ]


def curve_tile(one: Found) -> Tile:
    """Hours of a renewal by how many had been done, and the fitted curve where it is a finding. What nobody measured is
    not drawn."""
    months = [] if one.curve.is_blank else one.months
    labels = [f"{month.cumulative:,g}" for month in months]
    columns = [Column("Hours of one", Kind.COUNT, [_hours(month.hours) for month in months], "won")]
    if not one.curve.refusal:
        fitted = [_hours(one.curve.hours(month.cumulative)) for month in months]
        columns.append(Column("Fitted", Kind.COUNT, fitted, "expected"))
    figure = empty_figure("group", labels, every=max(1, len(labels) // 8))
    for at, column in enumerate(columns):
        figure.add_trace(line(column.series(), labels, 1, is_thin=bool(at)))
    counts = Column("Renewals of the month", Kind.COUNT, [month.count for month in months])
    recorded = Column("Tasks with recorded minutes", Kind.COUNT, [month.recorded for month in months])
    tasks = Column("Tasks", Kind.COUNT, [month.tasks for month in months])
    return tile(
        "curve",
        "Hours of a renewal by cumulative renewals",
        f"{FORMULA} Hours are the minutes of done tasks of a renewal: {one.recorded} {one.curve.refusal}".strip(),
        labels=labels,
        label_head="Renewals done",
        columns=[*columns, counts, tasks, recorded],
        figure=figure,
        empty=one.curve.refusal if one.curve.is_blank else NO_WORK,
        span="p-span-12",
    )


def _hours(number: float) -> Decimal:
    return round(Decimal(number), 2)


def rates_tile(groups: Sequence[Found]) -> Tile:
    """A group whose data says nothing has dashes, and a note that says why."""
    rows = []
    for one in groups:
        numbers = [one.curve.learning_rate, *one.curve.learning_rates]
        rates = [Cell(None if one.curve.refusal else Decimal(number), Kind.RATE) for number in numbers]
        now = Cell(_hours(one.months[-1].hours) if one.months else None, Kind.COUNT)
        rows.append(Row(one.name, [Cell(one.done, Kind.COUNT), now, *rates]))
    return Tile(
        "rates",
        "Learning rate by segment and team",
        "How much one gets cheaper each time the number done doubles, with the interval at 95 %.",
        "Whose",
        ["Renewals n", "Hours of one, last month", "Learning rate", "At least", "At most"],
        rows,
        empty=NO_WORK,
        span="p-span-6",
        notes=[f"{one.name}: {one.curve.refusal}" for one in groups if one.curve.refusal],
    )


def savings_tile(frame: Frame, one: Found) -> Tile:
    """Hours that the renewals ahead take less than as many at the cost of now."""
    rows = []
    if not one.curve.refusal:
        for days in HORIZONS:
            until = frame.as_of + dt.timedelta(days=days)
            more = due_ahead(frame.user, frame.scope, frame.as_of, until)
            saved = _hours(one.curve.saved_hours(one.done, more))
            rows.append(Row(f"Until {until:%d %b %Y}", [Cell(more, Kind.COUNT), Cell(saved, Kind.COUNT)]))
    return Tile(
        "savings",
        "Savings to expect, hours",
        "Open renewals due until then, against as many at the hours of one now, if the curve goes on.",
        "Due",
        ["Renewals", "Hours saved"],
        rows,
        empty=f"No forecast: {one.curve.refusal}" if one.months else NO_WORK,
        span="p-span-6",
    )
