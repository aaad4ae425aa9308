"""Sums of the cards from cells alone: of each owner in the period chosen, and of groups by period.

Groups are the book's or a team's cells less what is nobody's or a viewer's, and all of it by who owned a renewal on the
day of its decision. Sums of accounts are not among them: what two people share adds up to more than there is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import BigIntegerField, Case, DateField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast

from accounts.models import User
from dashboards.figures import FIGURES
from dashboards.frame import Frame
from dashboards.models import Cell
from dashboards.rollups.reading import Total
from dashboards.scorecards.credit import ByPeriod, moved_cells, together
from dashboards.scorecards.people import Group
from forecasting.periods import Period, period_of

KEYS: Final = ("due_count", "due", "kept", "gross", "net", "on_time", "booked_above", "upsell", "cross_sell")
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


def read_owners(frame: Frame, period: Period, moves: Moves) -> dict[int | None, Total]:
    """Of each owner that the reader sees, in a period: one statement."""
    names = names_of(frame)
    cells = _in_segment(frame, _cells(frame).by_owner(team=None)).filter(owner__isnull=False)
    cells = cells.filter(month_on__gte=period.starts_on, month_on__lte=period.ends_on)
    found: dict[int | None, dict[str, int]] = {}
    for owner, *values in cells.order_by().values_list("owner_id").annotate(**_sums(names)):
        found[owner] = dict(zip(names, values, strict=True))
    for owner, periods in moves.by_owner.items():
        if period.starts_on in periods:
            own, more = found.setdefault(owner, dict.fromkeys(names, 0)), periods[period.starts_on]
            found[owner] = {name: own[name] + more[name] for name in names}
    return {owner: Total(sums, {}) for owner, sums in found.items()}


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
