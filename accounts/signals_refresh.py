"""Signals made of tickets and invoices: what each account's state was on every day on which one of them changed.

    severe_ticket_count     severe tickets open at the end of the day
    reopened_ticket_rate    of the tickets resolved in the last 180 days, the share that was opened again
    csat_score              mean satisfaction of the tickets resolved in the last 90 days
    late_payment_days       mean days late of the invoices settled in the last 180 days; an early one counts 0
    failed_payment_count    payments that failed, of the invoices settled, or else due, in the last 180 days
    chargeback_count        likewise

A row of a day holds nothing that came later, so that a decided renewal is judged by what was known before. Only the
accounts that are marked (`StaleSignal`) are read, each as a whole, and those of which a day has come since; only rows
that differ are written. A value that was measured elsewhere stands until there is one of tickets or invoices, and is
never blanked (`derived_measures`).

Accounts are taken in parts, each a transaction: what is sorted is bounded whatever the book, and a killed worker loses
the part that it was in.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import AccountSignal
from accounts.models.health_marks import MARK_HEALTH
from accounts.models.signals import DERIVED
from accounts.models.tickets import SEVERE
from config.foreign_keys import unchecked_keys
from config.history import recorded_as

CSAT_DAYS, HALF_YEAR_DAYS = 90, 180
WORK_MEM_MB = 128
ACCOUNTS_AT_ONCE = 50_000
NO_PARAMS: dict[str, None] = {"nothing": None}  # history adds its own to writes, so that a % has to be doubled


@dataclass(frozen=True)
class Refreshed:
    """How many accounts were read, and how many of their signals were written."""

    account_count: int = 0
    signal_count: int = 0


def refresh_signals(*, as_of: dt.date) -> Refreshed:
    """Bring the signals of all marked accounts up to date, with what happened up to this day."""
    account_count = signal_count = 0
    while (part := _refresh_part(as_of)).account_count:
        account_count += part.account_count
        signal_count += part.signal_count
    return Refreshed(account_count, signal_count)


def mark_what_came_due(*, after: dt.date, as_of: dt.date) -> int:
    """Mark accounts with a ticket or invoice of whose days one came after a day, and is in no signal yet; how many.

    Nobody writes an invoice on the day on which it is due: what was not to be known when it was written is read then.
    """
    if after >= as_of:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO accounts_stalesignal (account_id, marked_at)
            SELECT DISTINCT account_id, now() FROM (
                SELECT account_id, coalesce(settled_on, due_on) AS day FROM accounts_invoice
                UNION ALL SELECT account_id, opened_on FROM accounts_ticket
                UNION ALL SELECT account_id, resolved_on FROM accounts_ticket) e
            WHERE day > %(after)s AND day <= %(as_of)s AND NOT EXISTS (
                SELECT FROM accounts_accountsignal s
                WHERE s.account_id = e.account_id AND s.measured_on = e.day AND s.derived_measures > 0)
            ORDER BY 1 ON CONFLICT DO NOTHING
            """,
            {"after": after, "as_of": as_of},
        )
        return int(cursor.rowcount)


def _refresh_part(as_of: dt.date) -> Refreshed:
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        account_count = _take_marks(cursor)
        if not account_count:
            return Refreshed()
        cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM_MB}MB'")
        _aggregate(cursor, as_of)
        cursor.execute("SET LOCAL perennial.makes_signals = 'on'")  # or a trigger would mark what is written here
        signal_count = _clear_gone(cursor) + _add(cursor) + _change(cursor)
        cursor.execute("SET LOCAL perennial.makes_signals = 'off'")
        return Refreshed(account_count, signal_count)


def _take_marks(cursor: CursorWrapper) -> int:
    """So many marks become the temporary table `stale`. One that somebody is writing is left for the next time.

    While they are held nobody deletes their accounts: a delete takes the mark first.
    """
    cursor.execute(
        """
        DROP TABLE IF EXISTS pg_temp.stale;
        CREATE TEMP TABLE stale (account_id bigint) ON COMMIT DROP
        """
    )
    cursor.execute(
        """
        WITH taken AS (
            DELETE FROM accounts_stalesignal WHERE account_id IN (
                SELECT account_id FROM accounts_stalesignal ORDER BY account_id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
            RETURNING account_id)
        INSERT INTO stale SELECT account_id FROM taken
        """,
        {"most": ACCOUNTS_AT_ONCE},
    )
    count = int(cursor.rowcount)
    cursor.execute("ANALYZE stale")
    return count


# What happens on a day: +1 and -1 of severe tickets, what is resolved, what is paid.
EVENTS = """
    SELECT account_id, opened_on AS day, (severity = ANY (%(severe)s))::int AS severe, 0 AS resolved, 0 AS reopened,
        NULL::float8 AS score, 1 AS is_ticket, NULL::int AS late, 0 AS failed, 0 AS charged, 0 AS is_invoice
    FROM accounts_ticket JOIN stale USING (account_id)
    UNION ALL
    SELECT account_id, resolved_on, -(severity = ANY (%(severe)s))::int, 1, (reopened_count > 0)::int,
        satisfaction_score, 1, NULL, 0, 0, 0
    FROM accounts_ticket JOIN stale USING (account_id) WHERE resolved_on IS NOT NULL
    UNION ALL
    SELECT account_id, coalesce(settled_on, due_on), 0, 0, 0, NULL, 0,
        CASE WHEN settled_on > due_on THEN settled_on - due_on WHEN settled_on IS NOT NULL THEN 0 END,
        has_failed::int, is_charged_back::int, 1
    FROM accounts_invoice JOIN stale USING (account_id)
"""


def _aggregate(cursor: CursorWrapper, as_of: dt.date) -> None:
    """The temporary table `derived`: a row for each account and day of change, blank where nothing is known yet."""
    cursor.execute(
        f"""
        DROP TABLE IF EXISTS pg_temp.derived;
        CREATE TEMP TABLE derived ON COMMIT DROP AS
        WITH days AS (
            SELECT account_id, day, sum(severe) AS severe, sum(resolved) AS resolved, sum(reopened) AS reopened,
                sum(score) AS score, count(score) AS scores, max(is_ticket) AS is_ticket, sum(late) AS late,
                count(late) AS settled, sum(failed) AS failed, sum(charged) AS charged, max(is_invoice) AS is_invoice
            FROM ({EVENTS}) e WHERE day <= %(as_of)s GROUP BY 1, 2
        )
        SELECT account_id, day AS measured_on,
            CASE WHEN is_ticket = 1 THEN sum(severe) OVER so_far END::int AS severe_ticket_count,
            CASE WHEN is_ticket = 1 THEN sum(reopened) OVER half / nullif(sum(resolved) OVER half, 0)::float8
                END AS reopened_ticket_rate,
            CASE WHEN is_ticket = 1 THEN sum(score) OVER quarter / nullif(sum(scores) OVER quarter, 0)
                END AS csat_score,
            CASE WHEN is_invoice = 1 THEN sum(late) OVER half / nullif(sum(settled) OVER half, 0)::float8
                END AS late_payment_days,
            CASE WHEN is_invoice = 1 THEN sum(failed) OVER half END::int AS failed_payment_count,
            CASE WHEN is_invoice = 1 THEN sum(charged) OVER half END::int AS chargeback_count
        FROM days WINDOW
            so_far AS (PARTITION BY account_id ORDER BY day),
            half AS (PARTITION BY account_id ORDER BY day RANGE '{HALF_YEAR_DAYS - 1} days' PRECEDING),
            quarter AS (PARTITION BY account_id ORDER BY day RANGE '{CSAT_DAYS - 1} days' PRECEDING)
        """,
        {"severe": list(SEVERE), "as_of": as_of},
    )
    cursor.execute("ANALYZE derived (account_id, measured_on)")


def _bit(name: str) -> int:
    return 1 << DERIVED.index(name)


# The sum keeps the column's statistics out: while the first parts of a book are derived they still say that no row is,
# and the plan that follows compares each row of those parts with each account of this one.
IS_DERIVED = "s.derived_measures + 0 > 0"


def _clear_gone(cursor: CursorWrapper) -> int:
    """Takes out what was made of tickets and invoices that are gone, or that moved to another day."""
    blanked = ", ".join(f"{name} = CASE WHEN derived_measures & {_bit(name)} = 0 THEN {name} END" for name in DERIVED)
    cursor.execute(
        f"""
        UPDATE accounts_accountsignal s SET {blanked}, derived_measures = 0
        WHERE {IS_DERIVED} AND account_id IN (SELECT account_id FROM stale) AND NOT EXISTS (
            SELECT FROM derived d WHERE d.account_id = s.account_id AND d.measured_on = s.measured_on)
        """,
        NO_PARAMS,
    )
    count = int(cursor.rowcount)
    if count:
        measures = [field.column for field in AccountSignal._meta.concrete_fields if field.null]
        empty = " AND ".join(f"{name} IS NULL" for name in measures)
        cursor.execute(
            f"DELETE FROM accounts_accountsignal WHERE account_id IN (SELECT account_id FROM stale) AND {empty}",
            NO_PARAMS,
        )
    return count


BITS = " + ".join(f"CASE WHEN {name} IS NULL THEN 0 ELSE {_bit(name)} END" for name in DERIVED)
NEW_DAYS = f"(SELECT *, {BITS} AS derived_measures FROM derived) d"
SAME_DAY = "o.account_id = d.account_id AND o.measured_on = d.measured_on"


def _add(cursor: CursorWrapper) -> int:
    """Days without a row. Their keys need no check: the accounts are those of the marks that are held.

    A day that somebody else adds at this moment is left to `_change`, which history sees.
    """
    columns = f"account_id, measured_on, {', '.join(DERIVED)}, derived_measures"
    with unchecked_keys(cursor) as is_unchecked:
        cursor.execute(
            f"""
            INSERT INTO accounts_accountsignal ({columns}) SELECT {columns} FROM {NEW_DAYS}
            WHERE NOT EXISTS (SELECT FROM accounts_accountsignal o WHERE {SAME_DAY})
            ON CONFLICT (account_id, measured_on) DO NOTHING
            """,
            NO_PARAMS,
        )
        count = int(cursor.rowcount)
    if count and is_unchecked:  # the trigger that marks them was off too
        cursor.execute(MARK_HEALTH.format(rows="stale"), NO_PARAMS)
    return count


def _change(cursor: CursorWrapper) -> int:
    """Days whose row says something else. Those that stay as they are are not written."""
    wanted = {
        name: f"CASE WHEN d.{name} IS NULL AND o.derived_measures & {_bit(name)} = 0 THEN o.{name} ELSE d.{name} END"
        for name in DERIVED
    }
    wanted["derived_measures"] = "d.derived_measures"
    cursor.execute(
        f"""
        UPDATE accounts_accountsignal o SET {", ".join(f"{name} = {value}" for name, value in wanted.items())}
        FROM {NEW_DAYS} WHERE {SAME_DAY}
            AND ({", ".join(wanted.values())}) IS DISTINCT FROM ({", ".join(f"o.{name}" for name in wanted)})
        """,
        NO_PARAMS,
    )
    return int(cursor.rowcount)
