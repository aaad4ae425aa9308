"""Exports in the background. The state is in Export, so a lost message costs seconds and a repeated one nothing."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from renewals.exports import services
from renewals.jobs import EXPORT_LOCK, is_worked_on, send
from renewals.models import Export

WAITING_FOR = dt.timedelta(seconds=5)


@shared_task(name=services.TASK)  # type: ignore[untyped-decorator,unused-ignore]
def process_export(export_id: int) -> None:
    services.process_export(export_id)


@shared_task(name="renewals.exports.dispatch_waiting")  # type: ignore[untyped-decorator,unused-ignore]
def dispatch_waiting_exports() -> None:
    """Send again what nobody works on: the broker was away, or a worker was killed. Also let go of old files."""
    now = timezone.now()
    waiting = Export.objects.filter(state=Export.State.WORKING, requested_at__lt=now - WAITING_FOR)
    for export_id in waiting.values_list("pk", flat=True):
        if not is_worked_on(EXPORT_LOCK, export_id):
            send(services.TASK, export_id)
    services.forget_old_files(now=now)
