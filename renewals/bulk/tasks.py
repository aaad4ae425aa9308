"""Bulk edits in the background: the state is in BulkEdit, so a lost message costs seconds, a repeated one nothing."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from renewals.bulk import services
from renewals.jobs import EDIT_LOCK, is_worked_on, send
from renewals.models import BulkEdit

WAITING_FOR = dt.timedelta(seconds=5)


@shared_task(name=services.TASK)  # type: ignore[untyped-decorator,unused-ignore]
def process_edit(edit_id: int) -> None:
    services.process_edit(edit_id)


@shared_task(name="renewals.bulk.dispatch_waiting")  # type: ignore[untyped-decorator,unused-ignore]
def dispatch_waiting_edits() -> None:
    """Send again what nobody works on: the broker was away, or a worker was killed. Also clear away what is old."""
    now = timezone.now()
    waiting = BulkEdit.objects.filter(
        state__in=[BulkEdit.State.PLANNING, BulkEdit.State.APPLYING], requested_at__lt=now - WAITING_FOR
    )
    for edit_id in waiting.values_list("pk", flat=True):
        if not is_worked_on(EDIT_LOCK, edit_id):
            send(services.TASK, edit_id)
    services.forget_old_edits(now=now)
