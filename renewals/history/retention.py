"""Letting go of history that is older than the company keeps it."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from renewals.history.kinds import KINDS, Kind
from renewals.models import ChangeBatch, ForgottenHistory

ROWS_AT_ONCE = 10_000


def forget_history(*, before: dt.datetime, rows_at_once: int = ROWS_AT_ONCE) -> int:
    """Delete events, and steps, from before a moment; how many events. A transaction per chunk: nothing waits for it.

    Events of a row are a chain: each holds the row before a change, the next one the row after it. Times may stand out
    of order by the length of a transaction, so the chain is cut by id, before the first event that is young enough.
    """
    ends = {kind: end for kind in KINDS.values() if (end := _first_kept(kind, before)) is not None}
    count = 0
    if ends:
        # Said before anything goes: a reader of the past must never take half a chain for the whole.
        mark = ForgottenHistory.objects.create(before=before, event_count=0)
        count = sum(_forget_kind(kind, end, rows_at_once) for kind, end in ends.items())
        ForgottenHistory.objects.filter(pk=mark.pk).update(event_count=count)
    ChangeBatch.objects.filter(made_at__lt=before).delete()
    return count


def forgotten_before() -> dt.datetime | None:
    """The moment before which events were let go of; from it on all of them are there."""
    newest: dt.datetime | None = ForgottenHistory.objects.aggregate(before=Max("before"))["before"]
    return newest


def _first_kept(kind: Kind, before: dt.datetime) -> int | None:
    """The id that the chain is cut before; None where nothing would go."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pgh_id FROM {kind.event_table} WHERE pgh_created_at >= %s ORDER BY pgh_id LIMIT 1", [before]
        )
        kept = cursor.fetchone()
        cursor.execute(f"SELECT min(pgh_id), max(pgh_id) + 1 FROM {kind.event_table}")
        oldest, beyond = cursor.fetchone() or (None, None)
    end: int | None = kept[0] if kept else beyond
    return end if oldest is not None and end is not None and oldest < end else None


def _forget_kind(kind: Kind, end: int, rows_at_once: int) -> int:
    count = 0
    with connection.cursor() as cursor:
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
