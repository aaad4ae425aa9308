"""What is at stake with each task and each flag: derived, kept beside it, brought up to date set-based."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import connection, transaction

from accounts.exchange import read_rates

# What is expected to be lost: baseline x (1 - forecast probability), in the reporting currency. Approved exceptions,
# decided renewals, and amounts without a rate count nothing. A task of no renewal stands for all open ones of its
# account. Rows that stay as they are are not written.
REFRESH = """
WITH rate (currency, rate) AS (SELECT * FROM unnest(%(currencies)s::text[], %(rates)s::numeric[])),
touched AS MATERIALIZED (SELECT id, account_id, renewal_id, stake_amount FROM engagement_task t WHERE {which}),
open_row AS (
    SELECT r.id, r.account_id, round(r.baseline_amount * (1 - s.probability::numeric) * rate.rate, 2) AS amount
    FROM renewals_renewal r
    JOIN renewals_renewalscore s ON s.renewal_id = r.id
    JOIN rate ON rate.currency = r.currency
    WHERE r.outcome = 'open' AND NOT r.is_excluded AND r.account_id IN (SELECT account_id FROM touched)
),
stake AS (
    SELECT touched.id, coalesce(open_row.amount, 0) AS amount
    FROM touched LEFT JOIN open_row ON open_row.id = touched.renewal_id WHERE touched.renewal_id IS NOT NULL
    UNION ALL
    SELECT touched.id, coalesce(whole.amount, 0)
    FROM touched LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM open_row GROUP BY account_id) whole
        USING (account_id)
    WHERE touched.renewal_id IS NULL
)
UPDATE engagement_task t SET stake_amount = stake.amount FROM stake
WHERE t.id = stake.id AND t.stake_amount <> stake.amount
"""
OPEN = "t.done_at IS NULL"
# The same of the accounts of open flags.
REFRESH_FLAGS = """
WITH rate (currency, rate) AS (SELECT * FROM unnest(%(currencies)s::text[], %(rates)s::numeric[])),
touched AS MATERIALIZED (
    SELECT id, account_id, stake_amount FROM engagement_flag f WHERE f.cleared_at IS NULL{which}
),
stake AS (
    SELECT r.account_id, sum(round(r.baseline_amount * (1 - s.probability::numeric) * rate.rate, 2)) AS amount
    FROM renewals_renewal r
    JOIN renewals_renewalscore s ON s.renewal_id = r.id
    JOIN rate ON rate.currency = r.currency
    WHERE r.outcome = 'open' AND NOT r.is_excluded AND r.account_id IN (SELECT account_id FROM touched)
    GROUP BY r.account_id
)
UPDATE engagement_flag f SET stake_amount = coalesce(stake.amount, 0)
FROM touched LEFT JOIN stake USING (account_id)
WHERE f.id = touched.id AND f.stake_amount <> coalesce(stake.amount, 0)
"""


def refresh_stakes(
    *, as_of: dt.date, account_ids: Collection[int] | None = None, task_ids: Collection[int] | None = None
) -> int:
    """Of the open tasks of these accounts, of these tasks, or of all open ones; how many were written."""
    rates = read_rates(as_of=as_of)
    params: dict[str, Any] = {"currencies": list(rates), "rates": list(rates.values())}
    which = OPEN
    if task_ids is not None:
        which, params["ids"] = "t.id = ANY(%(ids)s)", list(task_ids)
    elif account_ids is not None:
        which, params["ids"] = f"{OPEN} AND t.account_id = ANY(%(ids)s)", list(account_ids)
    return _write(REFRESH.format(which=which), params, is_whole=which == OPEN)


def refresh_flag_stakes(*, as_of: dt.date, account_ids: Collection[int] | None = None) -> int:
    """Of the open flags of these accounts, or of all; how many were written."""
    rates = read_rates(as_of=as_of)
    which = "" if account_ids is None else " AND f.account_id = ANY(%(ids)s)"
    params: dict[str, Any] = {"currencies": list(rates), "rates": list(rates.values()), "ids": list(account_ids or [])}
    return _write(REFRESH_FLAGS.format(which=which), params, is_whole=account_ids is None)


def _write(statement: str, params: dict[str, Any], *, is_whole: bool) -> int:
    """Of tasks that came by the hundred thousand a moment ago the planner knows nothing: it takes them for a few, and
    would add up all stakes anew for each of them."""
    with transaction.atomic(), connection.cursor() as cursor:
        if is_whole:
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(statement, params)
        count = int(cursor.rowcount)
        if is_whole:
            cursor.execute("SET LOCAL enable_nestloop = on")
    return count
