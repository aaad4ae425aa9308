"""Whose a decided renewal is: its owner on the day of the decision, whoever was given it since."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import BigIntegerField, Case, DateField, Sum, Value, When
from django.db.models.functions import Cast

from accounts.models import User, owners_visible_to
from dashboards.frame import Frame
from dashboards.models import Cell, Level, RollUp
from dashboards.models.cells import SUMS
from dashboards.rollups.adding import Calendar, add_up
from dashboards.rollups.facts import read_facts
from dashboards.rollups.reading import IN_DAYS, Total, cells_of, facts_of
from dashboards.scorecards.people import credited_owners
from forecasting.engine.arrays import NO_ID
from forecasting.frames import Arrays, Reporting, day_number
from forecasting.periods import Period, period_of
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import within

# A row at a moment is its first event after it (config.history). Only rows that ever had another owner are looked up:
# their history is few rows, that of all renewals many times the book.
MOVED: Final = """
SELECT r.id, decided.owner_id FROM renewals_renewal r
CROSS JOIN LATERAL (
    SELECT e.owner_id FROM renewals_renewalevent e
    WHERE e.pgh_obj_id = r.id AND e.pgh_created_at
        >= (coalesce(r.ordered_on, r.declined_on, r.due_on) + 1)::timestamp AT TIME ZONE %(zone)s
    ORDER BY e.pgh_id LIMIT 1
) decided
WHERE r.outcome <> 'open' AND decided.owner_id IS DISTINCT FROM r.owner_id
    AND (r.due_on BETWEEN %(first)s AND %(last)s OR r.ordered_on BETWEEN %(first)s AND %(last)s)
    AND r.id IN (SELECT renewal_id FROM dashboards_movedrenewal)"""
ByPeriod = dict[dt.date, Total]
_ALL: Final = tuple(f"all_{name}" for name in SUMS)
DECISION: Final = "decision"  # as an address says that rows count for who owned them then


@dataclass(frozen=True)
class Credit:
    """Whose the renewals of a period are: those of `owners`, less those that were another's when they were decided."""

    owners: Sequence[int]
    others: Sequence[int]  # decided under somebody else, whoever owns them now
    come: Sequence[int]  # decided under one of the owners, another's now

    def within(self, scope: Scope) -> tuple[str, list[object]]:
        """SQL over a renewal `r` and its account `a`, and its parameters, as forecasting.scopes.slices.within."""
        where, parameters = within(whole_books(scope))
        condition = "(r.owner_id = ANY(%s) AND r.id <> ALL(%s) OR r.id = ANY(%s))"
        return f"{where} AND {condition}", [*parameters, list(self.owners), list(self.others), list(self.come)]


def read_credit(frame: Frame, period: Period) -> Credit:
    owners = credited_owners(frame.scope)
    moved = read_moved(frame.company.time_zone, period.starts_on, period.ends_on)
    come = [pk for pk, owner in moved.items() if owner in owners]
    return Credit(owners, [pk for pk in moved if pk not in come], come)


def read_moved(zone: str, first_on: dt.date, last_on: dt.date) -> dict[int, int]:
    """Owner on the day of the decision, by renewal, of those due or ordered in these days that have another one now.

    NO_ID where nobody owned it. Who decided something before the book was recorded is the first owner known.
    """
    with connection.cursor() as cursor:
        cursor.execute(MOVED, {"zone": zone, "first": first_on, "last": last_on})
        return {pk: NO_ID if owner is None else owner for pk, owner in cursor.fetchall()}


def read_credited(frame: Frame, moved: Mapping[int, int] | None = None) -> dict[int | None, ByPeriod]:
    """Totals by owner and first day of the period: of those that the reader sees, in the frame's segment and slice.

    As at a past moment, owners are those of that moment. `moved` is as of `read_moved`, of all periods of the frame.
    """
    first_on, last_on = frame.periods[0].starts_on, frame.periods[-1].ends_on
    if frame.past is not None:
        book = frame.past.only(frame.past.within(whole_books(frame.scope)))
        return _by_owner(frame, [(1, cell) for cell in _owner_cells(facts_of(book), book.report)])
    found = _read_sliced(frame) if frame.scope.slice else _read_stored(frame)
    owners = read_moved(frame.company.time_zone, first_on, last_on) if moved is None else moved
    for owner, periods in _by_owner(frame, moved_cells(frame, owners)).items():
        known = found.setdefault(owner, {})
        known |= {start: together([known[start], one]) if start in known else one for start, one in periods.items()}
    return found


def whole_books(scope: Scope) -> Scope:
    """Of everybody, in the segment and slice of a scope: peers stand beside whoever a page is about."""
    return replace(scope, team=None, owner=None)


def _owner_cells(facts: Arrays, report: Reporting) -> list[Cell]:
    calendar = Calendar(day_number(report.as_of), report.fiscal_start, report.team_of_owner)
    return cells_of(add_up(facts, calendar), Level.OWNER)


def _read_sliced(frame: Frame) -> dict[int | None, ByPeriod]:
    """Of a part of the rows, which no stored cell is of: the rows themselves."""
    where, parameters = within(whole_books(frame.scope))
    days = [frame.periods[0].starts_on, frame.periods[-1].ends_on] * 2
    if not frame.user.sees_all:
        where, parameters = f"{where} AND r.owner_id = ANY(%s)", [*parameters, _owners_seen(frame.user)]
    with connection.cursor() as cursor:
        facts = read_facts(cursor, frame.report, f"{IN_DAYS} AND {where}", [*days, *parameters])
    return _by_owner(frame, [(1, cell) for cell in _owner_cells(facts, frame.report)])


def _owners_seen(user: User) -> list[int]:
    return list(owners_visible_to(user).values_list("pk", flat=True))


def _read_stored(frame: Frame) -> dict[int | None, ByPeriod]:
    """Cells added up by the database: a row for each owner and period."""
    stored: Any = Cell.objects.visible_to(frame.user).by_owner(team=None)
    stored = stored.filter(month_on__gte=frame.periods[0].starts_on, month_on__lte=frame.periods[-1].ends_on)
    cells = stored.filter(segment=frame.scope.segment) if frame.scope.segment else stored
    period = Case(*(When(month_on__lte=one.ends_on, then=Value(one.starts_on)) for one in frame.periods))
    sums = (Cast(Sum(name), BigIntegerField()) for name in SUMS)
    rows = cells.order_by().values_list("owner_id", Cast(period, DateField()))
    found: dict[int | None, ByPeriod] = defaultdict(dict)
    for owner, start, *values in rows.annotate(**dict(zip(_ALL, sums, strict=True))):
        found[owner][start] = Total(dict(zip(SUMS, values, strict=True)), {})
    return dict(found)


def moved_cells(frame: Frame, owners: Mapping[int, int]) -> list[tuple[int, Cell]]:
    """What is taken from today's owners, with a minus, and given to those of the day."""
    done = frame.roll_up
    if not owners or not isinstance(done, RollUp):
        return []
    where, parameters = within(whole_books(frame.scope))
    with connection.cursor() as cursor:
        facts = read_facts(cursor, frame.report, f"r.id = ANY(%s) AND {where}", [list(owners), *parameters])
    then: Arrays = facts | {"owner_id": np.array([owners[pk] for pk in facts["id"].tolist()], dtype=np.int64)}
    return [(sign, cell) for sign, rows in ((-1, facts), (1, then)) for cell in _owner_cells(rows, frame.report)]


def _by_owner(frame: Frame, signed: Iterable[tuple[int, Cell]]) -> dict[int | None, ByPeriod]:
    starts = {period.starts_on for period in frame.periods}
    fiscal_start = frame.company.fiscal_year_start_month
    found: dict[int | None, dict[dt.date, dict[str, int]]] = defaultdict(dict)
    for sign, cell in signed:
        start = period_of(frame.grain, cell.month_on, fiscal_start).starts_on
        if start not in starts:
            continue
        sums, values = found[cell.owner_id].setdefault(start, dict.fromkeys(SUMS, 0)), vars(cell)
        for name in SUMS:
            sums[name] += sign * values[name]
    return {owner: {start: Total(sums, {}) for start, sums in periods.items()} for owner, periods in found.items()}


def together(totals: Iterable[Total], names: Sequence[str] = SUMS) -> Total:
    """Totals of several owners added up. Accounts that two of them share are counted twice."""
    sums = dict.fromkeys(names, 0)
    for total in totals:
        for name in names:
            sums[name] += total.sums[name]
    return Total(sums, {})
