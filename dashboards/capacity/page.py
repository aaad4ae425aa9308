"""The capacity page: what to do, the sum behind it, and the tiles."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

import numpy as np
from django.urls import reverse

from accounts.models import User
from accounts.strip import Total
from accounts.templatetags.money import exact_rate
from dashboards.capacity.engine import SLACK, Advice, Hours, Verdict, judge, productive_hours, shortage
from dashboards.capacity.moves import Group, Move, overload_hours, peak_hours, suggest_moves
from dashboards.capacity.reads import KINDS, Book, Line, WhatIf, read_book
from dashboards.frame import Content, Frame
from dashboards.people import LISTED, NAME, Leaf, leaf_of, orders_of
from dashboards.rollups.work import WEEK
from dashboards.tiles import Cell, Column, Kind, Row, Tile, tile
from forecasting.pictures import Drawing, bar, empty_figure, line

QUARTER: Final = 13
COLOURS: Final = dict(zip(KINDS, ("won", "commit", "expected", "win-back", "best"), strict=True))
# Of whom renewals are tried: the moves, 20 at most, are from the fullest weeks.
FULLEST: Final = 12
NOT_YET: Final = " What was changed in the last moments is being added up."
NOBODY: Final = "Nobody who works renewals is in this choice of filters: a rep has hours, and their open renewals work."


@dataclass(frozen=True)
class Picture:
    """What a reader is shown of a book: `shown` are the people by index; a rep is only told of themselves."""

    frame: Frame
    book: Book
    shown: Sequence[int]
    is_own: bool  # a rep's own, beside the average of the team

    @cached_property
    def load(self) -> Hours:
        return self.book.load[list(self.shown)]

    @cached_property
    def capacity(self) -> Hours:
        return self.book.capacity[list(self.shown)]

    @cached_property
    def verdict(self) -> Verdict:
        terms, full = self.book.terms, float(self.book.full_week_hours)
        return judge(self.load, self.capacity, full, may_hire=not self.is_one, hiring_weeks=terms.hiring_weeks)

    @property
    def is_one(self) -> bool:
        """Of one person, for whom nobody is hired."""
        return self.is_own or self.frame.scope.owner is not None

    def explain_url(self, week: int, person: int | None = None) -> str:
        changes = dict[str, str | None].fromkeys(LISTED) | {"week": self.book.mondays[week].isoformat(), "person": None}
        if person is not None:
            changes["person"] = str(person)
        page = self.frame.scope.url(**changes)
        return reverse("dashboards:capacity_sum") + page[page.index("?") :]

    @cached_property
    def thirteen(self) -> tuple[list[float], list[float], list[int], list[float]]:
        """By person: work and hours of the quarter, the fullest week, and by how much it is over."""
        load, capacity = self.book.load, self.book.capacity
        over = load - capacity
        fullest = over.argmax(axis=1)
        most = np.take_along_axis(over, fullest[:, None], axis=1)[:, 0].clip(min=0)
        sums = (hours[:, :QUARTER].sum(axis=1).tolist() for hours in (load, capacity))
        return *sums, fullest.tolist(), most.tolist()

    def used(self, at: int) -> float | None:
        work, hours, _, _ = self.thirteen
        return work[at] / hours[at] if hours[at] else None

    @cached_property
    def measures(self) -> dict[str, Callable[[int], float | None]]:
        work, hours, _, over = self.thirteen
        return {"work": work.__getitem__, "hours": hours.__getitem__, "used": self.used, "over": over.__getitem__}

    @cached_property
    def listed(self) -> Leaf[int]:
        """The page of people that is shown."""
        scope, people = self.frame.scope, self.book.people
        return leaf_of(
            scope,
            [list(self.shown)],
            name=lambda at: people[at].name,
            measures=self.measures,
            is_whole=self.frame.is_whole,
        )


def draw_picture(frame: Frame, what_if: WhatIf) -> Picture:
    user, scope = frame.user, frame.scope
    is_own = user.role == User.Role.REP and not user.sees_all
    # A rep's own is read with the team's, whose average stands beside it.
    owner = None if is_own and user.team_id else scope.owner
    team = user.team if is_own and user.team_id else scope.team
    book = read_book(user, frame.as_of, team=team, owner=owner, what_if=what_if)
    mine = book.index_of(user.pk)
    shown = ([] if mine is None else [mine]) if is_own else range(len(book.people))
    return Picture(frame, book, list(shown), is_own)


def build_capacity(picture: Picture) -> Content:
    tiles = [load_tile(picture), sum_tile(picture), people_tile(picture)]
    if not picture.is_own:
        tiles.append(moves_tile(picture))
    said = words(picture) + ("" if picture.book.is_current else NOT_YET)
    return Content(build_totals(picture), said, tiles, picture.listed)


def hours_of(number: float | Decimal) -> Decimal:
    """Hours as they are shown: one decimal."""
    return round(Decimal(number), 1)


def words(picture: Picture) -> str:
    if not picture.shown:
        return NOBODY
    verdict, mondays = picture.verdict, picture.book.mondays
    from_on = f"{mondays[verdict.first]:%d %b %Y}"
    if verdict.advice == Advice.HIRE:
        start = hire_by(picture)
        when = "now" if start <= picture.frame.as_of else f"by {start:%d %b %Y}"
        return (
            f"Hire {verdict.people_count}: from the week of {from_on} on, for "
            f"{verdict.last - verdict.first + 1} weeks, all together lack "
            f"{hours_of(verdict.short_hours):,} hours. Somebody new takes "
            f"{picture.book.terms.hiring_weeks} weeks to be productive, so decide {when}."
        )
    if verdict.advice == Advice.REBALANCE:
        return (
            f"Rebalance from the week of {from_on}: {hours_of(verdict.short_hours):,} hours are more than "
            f"{'you have' if picture.is_own else 'those who have them can do'} in it.{too_soon(picture)}"
        )
    return f"Wait: within {len(mondays)} weeks nobody has more work than hours."


def too_soon(picture: Picture) -> str:
    """Said where all together are short, but not for long once somebody hired today would be productive."""
    run = shortage(picture.load, picture.capacity)
    if run is None or picture.is_one:
        return ""
    weeks = slice(run[0], run[1] + 1)
    hours = hours_of((picture.load[:, weeks].sum() - picture.capacity[:, weeks].sum()).item())
    return (
        f" In the {run[1] - run[0] + 1} weeks from {picture.book.mondays[run[0]]:%d %b %Y} all together lack {hours:,} "
        f"hours, too soon to hire for: somebody new takes {picture.book.terms.hiring_weeks} weeks to be productive. "
        "Put work off, or find help for these weeks."
    )


def hire_by(picture: Picture) -> dt.date:
    return picture.book.mondays[picture.verdict.first] - WEEK * picture.book.terms.hiring_weeks


def build_totals(picture: Picture) -> list[Total]:
    book, verdict = picture.book, picture.verdict
    load, capacity = picture.load[:, :QUARTER].sum(), picture.capacity[:, :QUARTER].sum()
    quarter = productive_hours(QUARTER, book.terms.week_hours, book.terms.utilisation_rate, book.terms.overhead_rate)
    advice = {Advice.HIRE: f"Hire {verdict.people_count}", Advice.REBALANCE: "Rebalance", Advice.WAIT: "Wait"}
    peak = peak_hours(picture.load, picture.capacity)
    formula = (
        f"{QUARTER} weeks × {book.terms.week_hours.normalize():f} h × {exact_rate(book.terms.utilisation_rate)} "
        f"× {exact_rate(book.terms.overhead_rate)}"
    )
    since = "" if verdict.advice == Advice.WAIT else f"from {book.mondays[verdict.first]:%d %b}"
    carried = f"{hours_of(quarter / book.renewal_hours)}" if book.renewal_hours else "–"
    used = exact_rate(Decimal(float(load / capacity))) if capacity else "–"
    return [
        Total("What to do", advice[verdict.advice], since, words(picture), picture.explain_url(verdict.first)),
        Total("Work, 13 weeks", f"{hours_of(load):,} h", "", "Hours of all kinds of work, see the chart", ""),
        Total("Hours there are", f"{hours_of(capacity):,} h", used, "Productive hours less absence and holidays", ""),
        Total("Peak over hours", f"{hours_of(peak):,} h", "a week", "The fullest week of one person, over", ""),
        Total("A person’s quarter", f"{hours_of(quarter)} h", "", formula, ""),
        Total("Renewals a person", carried, f"at {book.renewal_hours.normalize():f} h", f"{formula} / hours", ""),
    ]


def load_tile(picture: Picture) -> Tile:
    """Work by kind and the hours there are; beside a rep's own the average of the team."""
    book = picture.book
    if not picture.shown:
        return Tile("load", "Work by week, hours", "", "Week of", [], [], empty=NOBODY, span="p-span-12")
    labels = [f"{monday:%d %b}" for monday in book.mondays]
    urls = [picture.explain_url(week) for week in range(len(labels))]
    stacked = [
        Column(kind, Kind.COUNT, _rounded(book.load_by_kind(kind, picture.shown)), COLOURS[kind], urls)
        for kind in KINDS
    ]
    work = Column("All work", Kind.COUNT, _rounded(picture.load.sum(axis=0)), "total", (), urls)
    hours = Column("Hours there are", Kind.COUNT, _rounded(picture.capacity.sum(axis=0)), "total", urls)
    drawn_lines = [hours]
    if picture.is_own:
        there = [at for at, one in enumerate(book.people) if one.is_there]
        average = book.load[there].mean(axis=0)
        drawn_lines.append(Column("Team average, work", Kind.COUNT, _rounded(average), "call"))
    return tile(
        "load",
        "Work by week, hours",
        "A renewal’s hours fall evenly on the weeks before it is due; what is past due on the weeks to come. "
        "A bar opens its sum.",
        labels=labels,
        label_head="Week of",
        columns=[*stacked, work, *drawn_lines],
        figure=_load_figure(stacked, drawn_lines, labels),
        span="p-span-12",
    )


def _rounded(hours: Hours) -> list[Decimal]:
    return [hours_of(float(one)) for one in hours]


def _load_figure(stacked: Sequence[Column], drawn_lines: Sequence[Column], labels: Sequence[str]) -> Drawing:
    figure = empty_figure("stack", labels, every=4)
    for column in stacked:
        if any(column.numbers):
            figure.add_trace(bar(column.series(), labels, 1))
    for column in drawn_lines:
        figure.add_trace(line(column.series(), labels, 1))
    return figure


def sum_tile(picture: Picture) -> Tile:
    """The weeks that what to do rests on, which add up to its sum."""
    verdict, book = picture.verdict, picture.book
    weeks = range(verdict.first, verdict.last + 1) if picture.shown else range(0)
    load, capacity = picture.load.sum(axis=0), picture.capacity.sum(axis=0)
    short = load - capacity
    if verdict.advice != Advice.HIRE:
        short = (picture.load - picture.capacity).clip(min=0).sum(axis=0)
    rows = [
        Row(
            f"{book.mondays[week]:%d %b %Y}",
            [Cell(hours_of(float(one[week])), Kind.COUNT) for one in (load, capacity, short)],
            picture.explain_url(week),
        )
        for week in weeks
    ]
    sums = (verdict.load_hours, verdict.capacity_hours, verdict.short_hours)
    if rows:
        rows.append(Row("Together", [Cell(hours_of(one), Kind.COUNT) for one in sums], is_total=True))
    full = hours_of(book.full_week_hours)
    formulas = {
        Advice.HIRE: f"All together lack hours for {len(weeks)} weeks in a row. People to hire = short "
        f"{hours_of(verdict.short_hours):,} h / ({len(weeks)} weeks × {full} h a week) = "
        f"{verdict.people_count}, rounded up.",
        Advice.REBALANCE: "The first week in which somebody has more work than hours; short is what is over, "
        "person by person. All together do not lack hours for four weeks in a row.",
        Advice.WAIT: "Nobody has more work than hours in any of these weeks.",
    }
    return Tile(
        "sum",
        "The sum behind it, hours",
        formulas[verdict.advice],
        "Week of",
        ["Work", "Hours there are", "Short"],
        rows,
        empty=NOBODY,
    )


def people_tile(picture: Picture) -> Tile:
    """Thirteen weeks of each person, and their fullest one."""
    book = picture.book
    rows = [_person_row(picture, at) for at in picture.listed.entries]
    there = [at for at, one in enumerate(book.people) if one.is_there]
    if picture.is_own and rows:
        load, capacity = (hours[there, :QUARTER].sum(axis=1).mean() for hours in (book.load, book.capacity))
        numbers = [Cell(hours_of(float(one)), Kind.COUNT) for one in (load, capacity)]
        used = Cell(Decimal(float(load / capacity)) if capacity else None, Kind.RATE)
        rows.append(Row("Team average", [*numbers, used, Cell(None, Kind.COUNT)], is_total=True))
    return Tile(
        "people",
        "By person, 13 weeks",
        "Work against hours less absence and holidays; a name opens the sum of the fullest week.",
        "Person",
        ["Work, h", "Hours", "Used", "Fullest week over, h"],
        rows,
        empty=NOBODY,
        orders=orders_of(picture.frame.scope, [NAME, *picture.measures], picture.measures),
    )


def _person_row(picture: Picture, at: int) -> Row:
    work, hours, fullest, over = (numbers[at] for numbers in picture.thirteen)
    used = picture.used(at)
    return Row(
        picture.book.people[at].name,
        [
            Cell(hours_of(work), Kind.COUNT),
            Cell(hours_of(hours), Kind.COUNT),
            Cell(None if used is None else Decimal(used), Kind.RATE),
            Cell(hours_of(over), Kind.COUNT),
        ],
        picture.explain_url(int(fullest), at),
    )


def moves_tile(picture: Picture) -> Tile:
    """Renewals that could go to a colleague of the team. What nobody does is to be given to somebody first."""
    book = picture.book
    people = [at for at in picture.shown if book.people[at].is_there]
    load, capacity = book.load[people], book.capacity[people]
    teams = [book.people[at].team_id for at in people]
    fullest = _fullest(load, capacity, teams)
    weeks, place = len(book.mondays), {people[at]: at for at in fullest}
    lines = [one for one in book.renewal_lines(list(place)) if one.work.first < weeks]
    groups = [
        Group(
            place[one.work.person],
            one.work.first,
            min(one.work.last, weeks - 1),
            one.work.share / one.count,
            one.count,
        )
        for one in lines
    ]
    moves, after = suggest_moves(load, capacity, groups, teams)
    rows = [_move_row(picture, move, lines[move.group]) for move in moves]
    if rows:
        changed = sum(move.count for move in moves)
        rows.append(Row("Owners changed", [Cell(changed, Kind.COUNT), Cell(None, Kind.COUNT)], is_total=True))
    before_peak, after_peak = peak_hours(load, capacity), peak_hours(after, capacity)
    unowned = " What has no owner is to be given to somebody first." if len(people) < len(picture.shown) else ""
    empty = (
        f"Nobody has more work than hours.{unowned}"
        if before_peak <= SLACK
        else (
            f"Somebody has {hours_of(before_peak):,} hours too many in a week, and no colleague of the team "
            "has room for any of it."
        )
    )
    return Tile(
        "moves",
        "Moves that lower the peak",
        f"The fullest week of anybody goes from {hours_of(before_peak):,} to {hours_of(after_peak):,} hours over, all "
        f"that is over from {hours_of(overload_hours(load, capacity)):,} to "
        f"{hours_of(overload_hours(after, capacity)):,}. Within teams, up to 20 renewals"
        f"{f' of the {FULLEST} people with the fullest weeks' if len(people) > FULLEST else ''}; "
        "nothing is changed by this page.",
        "Renewals, and from whom to whom",
        ["Renewals", "Hours each"],
        rows,
        empty=empty,
        span="p-span-12",
    )


def _fullest(load: Hours, capacity: Hours, teams: Sequence[int | None]) -> list[int]:
    """Who has more work than hours in a week, and a colleague with room in any, by their fullest week."""
    over = load - capacity
    has_room = [one < -SLACK for one in over.min(axis=1, initial=np.inf).tolist()]
    rooms = Counter(team for team, is_so in zip(teams, has_room, strict=True) if is_so)
    most = over.max(axis=1, initial=0)
    givers = [
        at
        for at in np.argsort(-most, kind="stable").tolist()
        if most[at] > SLACK and teams[at] is not None and rooms[teams[at]] > has_room[at]
    ]
    return givers[:FULLEST]


def _move_row(picture: Picture, move: Move, group: Line) -> Row:
    book = picture.book
    source, target = book.people[group.work.person], book.people[move.to]
    return Row(
        f"{source.name} → {target.name}: {group.label}",
        [Cell(move.count, Kind.COUNT), Cell(group.hours, Kind.COUNT)],
        rows_url(picture, group.work.person, group.due_on, group.segment_id, group.stage_id),
    )


def rows_url(
    picture: Picture, person: int, due_on: dt.date | None, segment_id: int | None, stage_id: int | None
) -> str:
    """The open renewals of a line, in the table."""
    owner_id, first = picture.book.people[person].user_id, picture.book.mondays[0]
    if due_on is None or owner_id is None:
        return ""
    filters: dict[str, object] = {"outcome": "open", "owner": owner_id, "stage": stage_id}
    if segment_id:
        filters["segment"] = segment_id
    if due_on >= first:
        filters["due_from"] = due_on
    filters["due_to"] = (due_on if due_on >= first else first - WEEK) + dt.timedelta(days=6)
    return f"{reverse('renewals:table')}?{urlencode(filters)}"
