"""Imports in the background. The state is in ImportBatch, so a lost message costs seconds and a repeated one
nothing."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from renewals.imports import services
from renewals.jobs import is_worked_on, send
from renewals.models import ImportBatch

TASK = "renewals.imports.process"
WAITING_FOR = dt.timedelta(seconds=5)


@shared_task(name=TASK)  # type: ignore[untyped-decorator,unused-ignore]
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
        if not is_worked_on(services.BATCH_LOCK, batch_id):
            send_import(batch_id)
    services.forget_old_files(now=now)


def send_import(batch_id: int) -> None:
    """Hands a batch to a worker. Without a broker it stays waiting, and the next sweep sends it."""
    send(TASK, batch_id)
