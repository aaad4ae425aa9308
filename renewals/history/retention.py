"""Letting go of history that is older than the company keeps it."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.utils import timezone

from renewals.history.kinds import KINDS, Kind
from renewals.models import ChangeBatch

ROWS_AT_ONCE = 10_000


def forget_history(*, before: dt.datetime, rows_at_once: int = ROWS_AT_ONCE) -> int:
    """Delete events, and steps, from before a moment; how many events. A transaction per chunk: nothing waits for it.

    Events of a row are a chain: each holds the row before a change, the next one the row after it. Times may stand out
    of order by the length of a transaction, so the chain is cut by id, before the first event that is young enough.
    """
    count = sum(_forget_kind(kind, before, rows_at_once) for kind in KINDS.values())
    ChangeBatch.objects.filter(made_at__lt=before).delete()
    return count


def _forget_kind(kind: Kind, before: dt.datetime, rows_at_once: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pgh_id FROM {kind.event_table} WHERE pgh_created_at >= %s ORDER BY pgh_id LIMIT 1", [before]
        )
        kept = cursor.fetchone()
        cursor.execute(f"SELECT coalesce(max(pgh_id), 0) + 1 FROM {kind.event_table}")
        newest = cursor.fetchone() or (0,)
        end, count = int((kept or newest)[0]), 0
        while True:
            cursor.execute(
                f"DELETE FROM {kind.event_table} WHERE pgh_id IN "
                f"(SELECT pgh_id FROM {kind.event_table} WHERE pgh_id < %s ORDER BY pgh_id LIMIT %s)",
                [end, rows_at_once],
            )
            count += int(cursor.rowcount)
            if cursor.rowcount < rows_at_once:
                return count


def oldest_kept_at(days: int, *, now: dt.datetime | None = None) -> dt.datetime:
    """ValueError below a day: nobody means to forget everything."""
    if days < 1:
        raise ValueError(f"HISTORY_RETENTION_DAYS is at least 1, not {days}.")
    return (now or timezone.now()) - dt.timedelta(days=days)
