"""Imports in the background. The state is in ImportBatch, so a lost message costs seconds and a repeated one
nothing."""

from __future__ import annotations

import datetime as dt
import logging

from celery import shared_task
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from renewals.imports import services
from renewals.models import ImportBatch

log = logging.getLogger(__name__)
WAITING_FOR = dt.timedelta(seconds=5)


@shared_task(name="renewals.imports.process")  # type: ignore[untyped-decorator,unused-ignore]
def process_import(batch_id: int) -> None:
    services.process_batch(batch_id)


@shared_task(name="renewals.imports.dispatch_waiting")  # type: ignore[untyped-decorator,unused-ignore]
def dispatch_waiting_imports() -> None:
    """Sends again what nobody works on: the broker was away, or a worker was killed. Also clears away old files."""
    now = timezone.now()
    waiting = ImportBatch.objects.filter(
        state__in=[ImportBatch.State.CHECKING, ImportBatch.State.IMPORTING], requested_at__lt=now - WAITING_FOR
    )
    for batch_id in waiting.values_list("pk", flat=True):
        if not _is_worked_on(batch_id):
            send_import(batch_id)
    services.forget_old_files(now=now)


def send_import(batch_id: int) -> None:
    """Hands a batch to a worker. Without a broker it stays waiting, and the next sweep sends it."""
    try:
        process_import.delay(batch_id)
    except OperationalError:
        log.warning("The broker cannot be reached; import %s waits for it.", batch_id)


def _is_worked_on(batch_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND
                granted
                           AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
            """,
            [services.BATCH_LOCK, batch_id],
        )
        (is_held,) = cursor.fetchone()
    return bool(is_held)
