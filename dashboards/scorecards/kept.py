"""Sums of the cards from cells alone: of each owner in the period chosen, and of groups by period.

Groups are the book's or a team's cells less what is nobody's or a viewer's, and all of it by who owned a renewal on the
day of its decision. Sums of accounts are not among them: what two people share adds up to more than there is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import BigIntegerField, Case, DateField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast

from accounts.models import User, owners_visible_to
from dashboards.figures import FIGURES
from dashboards.frame import Frame
from dashboards.models import Cell, Level
from dashboards.rollups.reading import Total
from dashboards.scorecards.credit import ByPeriod, moved_cells, together
from dashboards.scorecards.people import Group
from forecasting.engine.arrays import Integers
from forecasting.frames import Column, copy_out
from forecasting.periods import Period, period_of

KEYS: Final = ("due_count", "due", "kept", "gross", "net", "on_time", "booked_above", "upsell", "cross_sell")
OWNER: Final = Column("owner_id", "int8", "owner_id")
PLAIN: Final = ("due_count", "upsell_cents", "cross_sell_cents")


def names_of(frame: Frame) -> tuple[str, ...]:
    """The sums that the cards are made of, as the frame counts them."""
    terms = {term.column(frame.attribution, frame.grain) for key in KEYS for term in FIGURES[key].terms}
    return tuple(sorted(terms | set(PLAIN)))


@dataclass(frozen=True, eq=False)
class Moves:
    """What is taken from today's owners and given to those of the day: by owner and period."""

    by_owner: Mapping[int | None, Mapping[dt.date, Mapping[str, int]]]

    def of(self, owner_ids: set[int], start: dt.date, name: str) -> int:
        return sum(
            periods[start][name] for owner, periods in self.by_owner.items() if owner in owner_ids and start in periods
        )


def read_moves(frame: Frame, moved: Mapping[int, int]) -> Moves:
    names, fiscal_start = names_of(frame), frame.company.fiscal_year_start_month
    found: dict[int | None, dict[dt.date, dict[str, int]]] = {}
    for sign, cell in moved_cells(frame, moved):
        start = period_of(frame.grain, cell.month_on, fiscal_start).starts_on
        sums = found.setdefault(cell.owner_id, {}).setdefault(start, dict.fromkeys(names, 0))
        for name in names:
            sums[name] += sign * getattr(cell, name)
    return Moves(found)


@dataclass(frozen=True, eq=False)
class Owners:
    """Totals of each owner in a period. Of hundreds of them any group is added up at once."""

    places: Mapping[int | None, int]
    sums: Integers  # [owner, name]
    names: Sequence[str]

    @classmethod
    def of_totals(cls, totals: Mapping[int | None, Total], names: Sequence[str]) -> Owners:
        sums = [[total.sums[name] for name in names] for total in totals.values()]
        places = {owner: at for at, owner in enumerate(totals)}
        return cls(places, np.array(sums, dtype=np.int64).reshape(-1, len(names)), names)

    def total(self, owner_ids: Iterable[int]) -> Total:
        """Of some owners together."""
        own = [self.places[pk] for pk in owner_ids if pk in self.places]
        return Total(dict(zip(self.names, self.sums[own].sum(axis=0).tolist(), strict=True)), {})

    @cached_property
    def working(self) -> set[int | None]:
        """Who has anything due."""
        due = self.sums[:, self.names.index("due_count")].tolist()
        return {owner for owner, at in self.places.items() if due[at]}


def read_owners(frame: Frame, period: Period, moves: Moves) -> Owners:
    """Of each owner that the reader sees, in a period: one statement."""
    names = names_of(frame)
    where = f"level = {Level.OWNER:d} AND owner_id IS NOT NULL AND month_on BETWEEN %s AND %s"
    parameters: list[object] = [period.starts_on, period.ends_on]
    if frame.scope.segment:
        where, parameters = f"{where} AND segment_id = %s", [*parameters, frame.scope.segment.pk]
    if not frame.user.sees_all:
        seen = list(owners_visible_to(frame.user).values_list("pk", flat=True))
        where, parameters = f"{where} AND owner_id = ANY(%s)", [*parameters, seen]
    columns = [OWNER, *(Column(name, "int8", f"sum({name})") for name in names)]
    with connection.cursor() as cursor:
        rows = copy_out(cursor, columns, f"dashboards_cell WHERE {where} GROUP BY owner_id", parameters)
    moved = {owner: one[period.starts_on] for owner, one in moves.by_owner.items() if period.starts_on in one}
    owners = dict.fromkeys([*rows[OWNER.name].tolist(), *moved])
    places = {owner: at for at, owner in enumerate(owners)}
    sums = np.zeros((len(places), len(names)), dtype=np.int64)
    sums[: rows[OWNER.name].size] = np.stack([rows[name] for name in names], axis=1)
    for owner, more in moved.items():
        sums[places[owner]] += [more[name] for name in names]
    return Owners(places, sums, names)


def read_group(frame: Frame, group: Group, moves: Moves) -> ByPeriod:
    """Of a group by period: two statements, however many are in it."""
    names, ids = names_of(frame), set(group.owner_ids)
    if not ids:
        return {one.starts_on: together([], names) for one in frame.periods}
    sums = {one.starts_on: dict.fromkeys(names, 0) for one in frame.periods}
    for sign, cells in _parts(frame, group):
        period = Case(*(When(month_on__lte=one.ends_on, then=Value(one.starts_on)) for one in frame.periods))
        cells = _in_segment(frame, cells)
        cells = cells.filter(month_on__gte=frame.periods[0].starts_on, month_on__lte=frame.periods[-1].ends_on)
        rows = cells.order_by().values_list(Cast(period, DateField())).annotate(**_sums(names))
        for start, *values in rows:
            for name, value in zip(names, values, strict=True):
                sums[start][name] += sign * value
    for start, own in sums.items():
        for name in names:
            own[name] += moves.of(ids, start, name)
    return {start: Total(own, {}) for start, own in sums.items()}


def _parts(frame: Frame, group: Group) -> list[tuple[int, QuerySet[Any]]]:
    """Cells to add, and cells to take off, that are those of a group today."""
    cells = _cells(frame)
    if len(group.members) == 1:
        return [(1, cells.by_owner(team=None).filter(owner=group.owner_ids[0]))]
    # By their ids, so that the index of owners finds them.
    strangers = Q(owner__in=list(User.objects.filter(role=User.Role.VIEWER).values_list("pk", flat=True)))
    whole = cells.of(team=group.team, owner=None)
    if group.team is None:
        strangers |= Q(owner__isnull=True)
    return [(1, whole), (-1, cells.by_owner(team=group.team).filter(strangers))]


def _cells(frame: Frame) -> Any:
    return Cell.objects.visible_to(frame.user)


def _in_segment(frame: Frame, cells: QuerySet[Any]) -> QuerySet[Any]:
    return cells.filter(segment=frame.scope.segment) if frame.scope.segment else cells


def _sums(names: tuple[str, ...]) -> dict[str, Cast]:
    return {f"all_{name}": Cast(Sum(name), BigIntegerField()) for name in names}
