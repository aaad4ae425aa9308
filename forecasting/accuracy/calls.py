"""Frozen calls beside what came: each renewal as the call had it, and what became of it since.

Both sides are in the call's own currency rates, so that exchange is never an error of the forecast.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from django.db import connection

from accounts.models import User
from forecasting.as_at.standing import SHARES, Standing
from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames.binary_copy import Column, copy_out
from forecasting.frames.rules import EPOCH
from forecasting.models import Snapshot
from forecasting.periods import Period, month_number, period_of
from forecasting.scopes.scope import Scope
from forecasting.snapshots import read_call_lines, read_standing
from forecasting.snapshots.page import visible_rows
from forecasting.snapshots.reading import lines_of_scope
from renewals.models import Renewal

ROWS_PER_PAGE: Final = 50
OUTCOME_COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    # One that no run has scored yet goes by its outcome.
    Column(
        "timing",
        "int2",
        f"COALESCE(s.timing_class, CASE r.outcome WHEN 'open' THEN {int(TimingClass.UPCOMING)}"
        f" WHEN 'renewed' THEN {int(TimingClass.ON_TIME)} ELSE {int(TimingClass.LOST)} END)",
    ),
    Column("due", "date", "r.due_on"),
    Column("final", "int8", "COALESCE(r.final_amount * 100, 0)"),
)
OUTCOMES: Final = (
    "renewals_renewal r LEFT JOIN renewals_renewalscore s ON s.renewal_id = r.id"
    " WHERE r.id = ANY(%s) AND NOT r.is_excluded"
)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What became of n renewals of a call, in its currency: money in cents, float64[n]."""

    expected: Floats
    came: Floats
    is_open: Booleans
    is_there: Booleans  # still in the book, and no approved exception since
    timing: Integers
    due: Integers


@dataclass(frozen=True)
class ComparedCall:
    """What a call said of the period that it was made in, and what came of the renewals that it named."""

    snapshot: Snapshot
    period: Period
    label: str
    days_before: int
    due_count: int
    expected_amount: Decimal
    p10_amount: Decimal | None
    p90_amount: Decimal | None
    came_amount: Decimal
    open_count: int

    @property
    def error_rate(self) -> Decimal | None:
        """(said - came) / came; None while something is open, or where nothing came."""
        if self.open_count or not self.came_amount:
            return None
        return (self.expected_amount - self.came_amount) / self.came_amount

    @property
    def is_within(self) -> bool | None:
        if self.open_count or self.p10_amount is None or self.p90_amount is None:
            return None
        return self.p10_amount <= self.came_amount <= self.p90_amount


@dataclass(frozen=True)
class ComparedRow:
    renewal: Renewal
    probability: Decimal
    expected_amount: Decimal
    state: str
    came_amount: Decimal | None  # None while it is open
    due_on: dt.date | None  # where it has moved since

    @property
    def miss_amount(self) -> Decimal | None:
        return None if self.came_amount is None else self.expected_amount - self.came_amount


def compare_calls(snapshots: Sequence[Snapshot], scope: Scope) -> list[ComparedCall]:
    """Each call with the period of the scope's grain that it was made in; their renewals are asked for once."""
    found = []
    for snapshot in snapshots:
        period = period_of(scope.grain, snapshot.as_of_on, snapshot.fiscal_start)
        standing = standing_of_call(snapshot, scope, period)
        outcomes = read_outcomes(standing)
        months = [month_number(period.starts_on)]
        lines = lines_of_scope(read_call_lines(snapshot, months=months), scope, scope.grain)
        line = lines.get(months[0])
        found.append(
            ComparedCall(
                snapshot=snapshot,
                period=period,
                label=period.label(snapshot.fiscal_start),
                days_before=(period.ends_on - snapshot.as_of_on).days,
                due_count=int(np.count_nonzero(outcomes.is_there)),
                expected_amount=_amount(outcomes.expected[outcomes.is_there].sum()),
                p10_amount=line.p10_amount if line else None,
                p90_amount=line.p90_amount if line else None,
                came_amount=_amount(outcomes.came.sum()),
                open_count=int(np.count_nonzero(outcomes.is_open)),
            )
        )
    return found


def standing_of_call(snapshot: Snapshot, scope: Scope, period: Period) -> Standing:
    """The renewals that the call counted in the period, within the scope as it was then."""
    first = month_number(period.starts_on)
    standing = read_standing(snapshot, months=range(first, first + period.month_count))
    return standing.only(standing.within(scope) & standing.is_counted)


def read_outcomes(standing: Standing) -> Outcomes:
    """By row of the standing, as the book says now; a renewal that is gone or is an exception by now came to nothing.

    What was ordered out of tolerance has not renewed (docs/domain.md section 3).
    """
    ids: Integers = standing.rows["renewal"]
    with connection.cursor() as cursor:
        now = copy_out(cursor, OUTCOME_COLUMNS, OUTCOMES, [ids.tolist()])
    count = ids.size
    timing, due = np.full(count, int(TimingClass.LOST)), standing.rows["due"].astype(np.int64)
    final: Floats = np.zeros(count)
    is_there = np.zeros(count, dtype=np.bool_)
    place = np.searchsorted(ids, now["id"])
    is_there[place] = True
    timing[place], due[place], final[place] = now["timing"], now["due"], now["final"]
    rates = np.array([*(float(rate) for rate in standing.rates.values()), 0.0])[standing.rows["currency"]]
    is_won = (timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE)
    return Outcomes(
        expected=standing.values(),
        came=np.maximum(final, 0) * rates * (is_won & is_there),
        is_open=is_there & (timing <= TimingClass.OVERDUE),
        is_there=is_there,
        timing=timing,
        due=due,
    )


@dataclass(frozen=True)
class Rest:
    """The renewals that the reader does not see at present."""

    count: int
    expected_amount: Decimal
    came_amount: Decimal


def compare_rows(
    user: User, standing: Standing, outcomes: Outcomes, *, page: int
) -> tuple[list[ComparedRow], bool, Rest | None]:
    """(a page of the renewals that the reader sees, the greatest misses first; whether there are more; the others)."""
    miss = np.where(outcomes.is_open, 0.0, np.abs(outcomes.expected - outcomes.came))
    order = np.lexsort((standing.rows["renewal"], -outcomes.expected, -miss))
    seen = visible_rows(user, standing.rows["renewal"])
    hidden = ~seen
    rest = (
        Rest(int(hidden.sum()), _amount(outcomes.expected[hidden].sum()), _amount(outcomes.came[hidden].sum()))
        if hidden.any()
        else None
    )
    shown = order[seen[order]]
    first = (page - 1) * ROWS_PER_PAGE
    places = shown[first : first + ROWS_PER_PAGE]
    return _rows(standing, outcomes, places), shown.size > first + ROWS_PER_PAGE, rest


def _rows(standing: Standing, outcomes: Outcomes, places: Integers) -> list[ComparedRow]:
    rows: Any = standing.rows[places]
    known = {row.pk: row for row in Renewal.objects.filter(pk__in=rows["renewal"].tolist()).select_related("account")}
    found = []
    for at, row in zip(places.tolist(), rows, strict=True):
        is_open, due = bool(outcomes.is_open[at]), int(outcomes.due[at])
        found.append(
            ComparedRow(
                renewal=known[int(row["renewal"])],
                probability=Decimal(int(row["probability"])) / SHARES,
                expected_amount=_amount(outcomes.expected[at]),
                state=str(TimingClass(int(outcomes.timing[at])).label).replace("_", " ")
                if outcomes.is_there[at]
                else "exception",
                came_amount=None if is_open else _amount(outcomes.came[at]),
                due_on=EPOCH + dt.timedelta(days=due) if due != int(row["due"]) else None,
            )
        )
    return found


def _amount(cents: float) -> Decimal:
    return Decimal(round(float(cents))) / 100
