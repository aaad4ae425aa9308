"""Cells as pages read them: of a scope and some months, stored ones or those of a past moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from dashboards.models import Cell, Level
from dashboards.models.cells import SUMS
from dashboards.rollups.adding import CLASSES, Calendar, add_up
from dashboards.rollups.facts import AMOUNTS, read_facts
from forecasting.as_at.book import ScoredBook
from forecasting.engine.arrays import NO_DAY, NO_ID
from forecasting.frames import Arrays, Reporting, day_number
from forecasting.frames.book import MISSING
from forecasting.frames.converted import converted_cents
from forecasting.periods import first_day
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import within

IN_DAYS = "(r.due_on BETWEEN %s AND %s OR r.ordered_on BETWEEN %s AND %s)"
EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Total:
    """Cells added up: every sum by its name, and the sums by class of delay and of age."""

    sums: dict[str, int]
    classes: dict[str, list[int]]
    last_due_on: dt.date | None = None

    @classmethod
    def of(cls, cells: Iterable[Cell]) -> Total:
        listed = list(cells)
        columns = [vars(cell) for cell in listed]
        days = [cell.last_due_on for cell in listed if cell.last_due_on]
        return cls(
            {name: sum(column[name] for column in columns) for name in SUMS},
            {
                name: [sum(values) for values in zip(*(column[name] for column in columns), strict=True)] or [0] * count
                for name, count in CLASSES.items()
            },
            max(days, default=None),
        )


def stored_cells(user: User, scope: Scope, first_on: dt.date, last_on: dt.date) -> QuerySet[Cell]:
    """The cells that add up to a scope, of the months between two days; of those that the reader sees."""
    cells: QuerySet[Any] = Cell.objects.visible_to(user).of(team=scope.team, owner=scope.owner)
    if scope.segment:
        cells = cells.filter(segment=scope.segment)
    return cells.filter(month_on__gte=first_on, month_on__lte=last_on)


def sliced_cells(scope: Scope, report: Reporting, first_on: dt.date, last_on: dt.date) -> list[Cell]:
    """The same of a part of a scope, which no stored cell is of: added up of the rows themselves."""
    where, parameters = within(scope)
    days = [first_on, last_on, first_on, last_on]
    with connection.cursor() as cursor:
        facts = read_facts(cursor, report, f"{IN_DAYS} AND {where}", [*days, *parameters])
    facts["owner_id"] = np.full_like(facts["owner_id"], NO_ID)  # one level is asked for: nobody's, or everybody's
    calendar = Calendar(day_number(report.as_of), report.fiscal_start, {})
    cells = cells_of(add_up(facts, calendar), Level.BOOK)
    return [cell for cell in cells if first_on <= cell.month_on <= last_on]


def past_cells(book: ScoredBook, scope: Scope, first_on: dt.date, last_on: dt.date) -> list[Cell]:
    """The same as at a moment, from the book as it stood then."""
    own = book.only(book.within(scope))
    calendar = Calendar(day_number(own.as_of), own.report.fiscal_start, own.report.team_of_owner)
    cells = cells_of(add_up(facts_of(own), calendar), Level.BOOK)
    return [cell for cell in cells if first_on <= cell.month_on <= last_on]


def facts_of(book: ScoredBook) -> Arrays:
    """The columns of `read_facts`, and the ids, of a book as at a moment."""
    counted = ~book.rows["is_excluded"] & (book.rows["currency"] != MISSING)
    own = book.only(counted)
    rows, currency = own.rows, own.rows["currency"].astype("int64")
    facts = {name: rows[name] for name in ("id", "account_id", "owner_id", "segment_id", "due", "ordered")}
    facts |= {"timing": own.scores["timing_class"], "baseline": rows["baseline"], "cross_sell": rows["cross_sell"]}
    facts["renewed"] = rows["final"].clip(min=0)
    return facts | {name: converted_cents(facts[name], currency, own.report.rates) for name in AMOUNTS}


def cells_of(arrays: Arrays, level: Level) -> list[Cell]:
    """The cells of one level that `add_up` made, as rows that are not stored."""
    found = []
    for at in (arrays["level"] == level).nonzero()[0].tolist():
        keys = {name: _blank(int(arrays[name][at])) for name in ("team_id", "owner_id", "segment_id")}
        sums = {name: int(arrays[name][at]) for name in SUMS}
        classes = {name: [int(arrays[f"{name}_{one}"][at]) for one in range(count)] for name, count in CLASSES.items()}
        last = int(arrays["last_due"][at])
        found.append(
            Cell(
                level=level,
                month_on=first_day(int(arrays["month"][at])),
                last_due_on=None if last == NO_DAY else EPOCH + dt.timedelta(days=last),
                **keys,
                **sums,
                **classes,
            )
        )
    return found


def _blank(key: int) -> int | None:
    return None if key == NO_ID else key
