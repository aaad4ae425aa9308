"""Changes of cohorts as a scope has them: those that are kept, or of a region or an industry those of its movements."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import Sum

from accounts.models import Account, User
from forecasting.engine.arrays import NO_ID
from forecasting.engine.recurring import State
from forecasting.frames import Arrays, copy_out
from forecasting.models import MrrCohort, MrrMovement, MrrTriangle
from forecasting.mrr.cohorts import KEYS, SUMS, cohort_changes
from forecasting.mrr.ledger import CENT, rows_of
from forecasting.mrr.store import STORED, TABLE
from forecasting.periods import first_day
from forecasting.scopes.scope import Scope, Slice

# When customers came (None: before the ledger begins), the quarter, and what it changed: an amount a month, customers.
Change = tuple[dt.date | None, dt.date, Decimal, int]
READ: Final = {"account_id", "owner_id", "segment_id", "month", "state", "kind", "amount"}


def read_changes(user: User, scope: Scope, fiscal_start: int) -> list[Change]:
    """Of those that the reader sees; several of the same quarters may come."""
    if scope.is_of_all:
        return list(MrrTriangle.objects.values_list("came_on", "quarter_on", "amount", "account_count"))
    if not scope.slice:
        sums = rows_of(MrrCohort, user, scope).order_by().values_list("came_on", "quarter_on")
        return list(sums.annotate(Sum("amount"), Sum("account_count")))
    rows = _movements(scope.slice)
    is_whole = user.sees_all and not (scope.team or scope.owner or scope.segment)
    if is_whole:
        rows["owner_id"][:] = rows["segment_id"][:] = NO_ID
    changes = cohort_changes(rows, fiscal_start)
    found = zip(*(changes[name].tolist() for name in (*KEYS, *SUMS)), strict=True)
    seen = {(NO_ID, NO_ID)} if is_whole else _places(user, scope)
    return [
        (None if came == NO_ID else first_day(came), first_day(quarter), cents * CENT, count)
        for owner, segment, came, quarter, cents, count in found
        if (owner, segment) in seen
    ]


def _movements(part: Slice) -> Arrays:
    """All of the accounts of a slice, whoever sees them: a customer counts once, and they say where."""
    columns = [column for column in STORED if column.name in READ]
    asked = {"a.region": part.region, "a.industry_id": part.industry and part.industry.pk}
    conditions = [f"m.state = {State.ACTUAL}", *(f"{column} = %s" for column, value in asked.items() if value)]
    source = f"{TABLE} m JOIN {Account._meta.db_table} a ON a.id = m.account_id WHERE {' AND '.join(conditions)}"
    with connection.cursor() as cursor:
        return copy_out(cursor, columns, source, [value for value in asked.values() if value])


def _places(user: User, scope: Scope) -> set[tuple[int, int]]:
    """Owners and segments of what the scope is about, of what the reader sees."""
    own = rows_of(MrrMovement, user, scope).filter(state=State.ACTUAL).order_by()
    return {
        (NO_ID if owner is None else owner, NO_ID if segment is None else segment)
        for owner, segment in own.values_list("owner_id", "segment_id").distinct()
    }
