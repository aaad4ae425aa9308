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
from forecasting.frames import copy_out
from forecasting.models import MrrCohort, MrrMovement
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
    if not scope.slice:
        sums = rows_of(MrrCohort, user, scope).order_by().values_list("came_on", "quarter_on")
        return list(sums.annotate(Sum("amount"), Sum("account_count")))
    moved = rows_of(MrrMovement, user, scope).filter(state=State.ACTUAL).order_by()
    seen = set(moved.values_list("owner_id", "segment_id").distinct())
    # A customer counts once, whoever sees it: all movements of its account say where.
    columns = [column for column in STORED if column.name in READ]
    source = f"{TABLE} m WHERE m.state = {State.ACTUAL} AND m.account_id = ANY(%s)"
    with connection.cursor() as cursor:
        rows = copy_out(cursor, columns, source, [_accounts(scope.slice)])
    changes = cohort_changes(rows, fiscal_start)
    return [
        (None if came == NO_ID else first_day(came), first_day(quarter), cents * CENT, count)
        for owner, segment, came, quarter, cents, count in zip(
            *(changes[name].tolist() for name in (*KEYS, *SUMS)), strict=True
        )
        if (_id(owner), _id(segment)) in seen
    ]


def _accounts(part: Slice) -> list[int]:
    asked = {"region": part.region, "industry": part.industry}
    return list(
        Account.objects.filter(**{name: one for name, one in asked.items() if one}).values_list("pk", flat=True)
    )


def _id(value: int) -> int | None:
    return None if value == NO_ID else value
