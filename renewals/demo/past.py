"""A past for the demo: when each row was recorded, and what the open and the lately decided renewals were before.

As the book of some months ago it reads as one would expect: what was decided since is open again, some of what is open
has an earlier stage, another confidence, owner or due date, and what came since is not there. History reaches back a
year; older decisions have none. Each renewal has at most one event, so its past is whole; which ones changed, when and
how follows from their ids, so that the same book has the same past. One INSERT of about a third as many events as the
book has renewals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from renewals.models import Renewal

HISTORY_DAYS: Final = 365
# What is set up by the demo itself has been so all along: of these tables it leaves no history.
RULE_EVENTS: Final = (
    "accounts_companyevent",
    "accounts_exchangerateevent",
    "accounts_industryevent",
    "accounts_segmentevent",
    "accounts_teamevent",
    "accounts_userevent",
    "renewals_churnreasonevent",
    "renewals_offerevent",
    "renewals_riskfactorevent",
    "renewals_stageevent",
    "renewals_timingpolicyversionevent",
)
VERSIONS: Final = ("renewals_timingpolicyversion", "renewals_riskweightversion")
# Not among the demo's rows, or not kept by history.
UNTRACKED: Final = {"decision_on", "updated_at"}
# A whole number from 0 on that stands for chance: of a row and a purpose.
DRAW: Final = "(hashint8(r.id * 31 + {}) & 2147483647)"
LATELY_DECIDED: Final = {
    "outcome": "'open'",
    "ordered_on": "NULL",
    "declined_on": "NULL",
    "final_amount": "NULL",
    "churn_reason_id": "NULL",
    "cross_sell_amount": "0",
    "stage_id": "(SELECT id FROM renewals_stage WHERE forecast_category <> 'omitted'"
    f" ORDER BY position DESC OFFSET {DRAW.format(1)} %% 2 LIMIT 1)",
}
STILL_OPEN: Final = {
    "stage_id": "COALESCE((SELECT s.id FROM renewals_stage s JOIN renewals_stage now ON now.id = r.stage_id"
    " WHERE s.position < now.position ORDER BY s.position DESC LIMIT 1), r.stage_id)",
    "confidence": f"least(95, greatest(5, r.confidence + 5 * (({DRAW.format(2)} %% 9) - 4)))",
    "forecast_amount": f"CASE WHEN {DRAW.format(3)} %% 3 = 0 THEN r.baseline_amount ELSE r.forecast_amount END",
    "due_on": f"CASE WHEN {DRAW.format(4)} %% 12 = 0 THEN r.due_on - 30 - ({DRAW.format(5)} %% 40) ELSE r.due_on END",
    "owner_id": f"CASE WHEN {DRAW.format(6)} %% 10 = 0 THEN COALESCE((SELECT o.id FROM accounts_user o"
    f" WHERE o.team_id = (SELECT team_id FROM accounts_user WHERE id = r.owner_id) AND o.role = 'rep'"
    " AND o.id <> r.owner_id ORDER BY o.id LIMIT 1), r.owner_id) ELSE r.owner_id END",
}
WORKED_AT: Final = f"%s::timestamptz - make_interval(days => {DRAW.format(7)} %% 150, mins => {DRAW.format(8)} %% 480)"


def record_past(*, as_of: dt.date, history_from: dt.date) -> None:
    """Inside the transaction that loads the demo, after its rows."""
    with connection.cursor() as cursor:
        for table in RULE_EVENTS:
            cursor.execute(f"DELETE FROM {table} WHERE pgh_created_at = now()")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in VERSIONS:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"UPDATE {table} SET created_at = %s", [history_from])
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("UPDATE accounts_exchangerate SET created_at = effective_on")
        cursor.execute("DELETE FROM accounts_exchangerateevent WHERE pgh_created_at = now()")
        decided = "COALESCE(r.ordered_on, r.declined_on)"
        _insert(
            cursor,
            LATELY_DECIDED,
            f"{decided}::timestamp AT TIME ZONE 'UTC' + make_interval(hours => 8, mins => {DRAW.format(9)} %% 480)",
            f"r.outcome <> 'open' AND {decided} > %s AND {decided} < %s",
            [as_of - dt.timedelta(days=HISTORY_DAYS), as_of],
        )
        last = dt.datetime.combine(as_of, dt.time(), dt.UTC)
        _insert(cursor, STILL_OPEN, WORKED_AT, f"r.outcome = 'open' AND {DRAW.format(0)} %% 100 < 45", [last])


def _insert(cursor: Any, before: dict[str, str], at: str, condition: str, parameters: Sequence[object]) -> None:
    """An event per renewal that meets the condition: the row with what it was `before`."""
    columns = [str(field.column) for field in Renewal._meta.concrete_fields if field.column not in UNTRACKED]
    values = [before.get(column, f"r.{column}") for column in columns]
    cursor.execute(
        f"INSERT INTO renewals_renewalevent ({', '.join(columns)}, pgh_obj_id, pgh_label, pgh_created_at,"
        " pgh_context_id, pgh_context)"
        f" SELECT {', '.join(values)}, r.id, 'before_update', happened.at, gen_random_uuid(),"
        " jsonb_build_object('user', r.owner_id, 'how', 'cell')"
        f" FROM renewals_renewal r CROSS JOIN LATERAL (SELECT {at} AS at) happened"
        f" WHERE {condition} AND r.created_at < happened.at ORDER BY happened.at, r.id",
        parameters,
    )
