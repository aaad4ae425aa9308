"""A figure taken apart: the renewals behind it, and what each brings to each of its terms."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from django.db import connection

from dashboards.figures import Figure
from dashboards.models import Level
from dashboards.rollups.adding import Calendar, account_lines, row_lines, with_scope
from dashboards.rollups.facts import read_facts
from dashboards.rollups.reading import facts_of
from dashboards.scorecards.credit import Credit
from dashboards.tiles import Number
from forecasting.as_at.book import ScoredBook
from forecasting.engine.arrays import Integers
from forecasting.frames import Arrays, Reporting, day_number
from forecasting.periods import Period, month_number
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import within

WITHIN = (
    "r.id IN (SELECT id FROM renewals_renewal WHERE outcome IN ('open', 'renewed', 'lost')"
    " AND due_on BETWEEN %s AND %s UNION SELECT id FROM renewals_renewal WHERE outcome = 'renewed'"
    " AND ordered_on BETWEEN %s AND %s)"
)


@dataclass(frozen=True, eq=False)
class Explained:
    """`amounts` by column of the figure's terms: int64[n], what each of n renewals brings; `ids` are theirs.

    Only renewals that bring anything, those that bring most first. `sums` are the amounts added up.
    """

    ids: Integers
    amounts: Arrays
    sums: dict[str, int]
    value: Number


def explain(
    figure: Figure,
    scope: Scope,
    period: Period,
    *,
    attribution: str,
    report: Reporting,
    past: ScoredBook | None = None,
    credit: Credit | None = None,
) -> Explained:
    """The rows of a scope behind a figure of a period; `report` is what the cells were added up by.

    `credit`: whose rows count is asked of the day of the decision, not of today; `past` knows owners of then anyway.
    """
    facts = _facts(scope, period, report, credit) if past is None else facts_of(past.only(past.within(scope)))
    calendar = Calendar(day_number(report.as_of), report.fiscal_start, report.team_of_owner)
    rows = with_scope(facts, calendar)
    lines = [*row_lines(rows, calendar), *account_lines(rows, calendar, Level.BOOK)]
    first = month_number(period.starts_on)
    columns = list(dict.fromkeys(term.column(attribution, period.grain) for term in figure.terms))
    amounts: Arrays = {}
    for column in columns:
        part = next(part for part in lines if column in part.sums)
        is_in = (part.month >= first) & (part.month < first + period.month_count)
        amounts[column] = np.zeros(rows["id"].size, dtype=np.int64)
        amounts[column][part.at[is_in]] = part.sums[column][is_in]
    brings = np.flatnonzero(np.logical_or.reduce([values != 0 for values in amounts.values()]))
    order = np.lexsort([rows["id"][brings], *(-amounts[column][brings] for column in reversed(columns))])
    kept = brings[order]
    sums = {column: int(values.sum()) for column, values in amounts.items()}
    return Explained(
        rows["id"][kept],
        {column: values[kept] for column, values in amounts.items()},
        sums,
        figure.value(sums, attribution, period.grain),
    )


def _facts(scope: Scope, period: Period, report: Reporting, credit: Credit | None) -> Arrays:
    where, parameters = within(scope) if credit is None else credit.within(scope)
    with connection.cursor() as cursor:
        days = _days(period.starts_on, period.ends_on)
        return read_facts(cursor, report, f"{WITHIN} AND {where}", [*days, *parameters])


def _days(first_on: dt.date, last_on: dt.date) -> list[object]:
    return [first_on, last_on, first_on, last_on]
