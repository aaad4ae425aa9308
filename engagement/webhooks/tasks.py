"""Sending deliveries from beat; thin callers."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from engagement.webhooks import happenings, sending
from renewals.jobs import only_one

WEBHOOK_LOCK = 7_215_021  # beside those of renewals.jobs
KEPT_FOR = dt.timedelta(days=30)
SOFT_SECONDS = sending.TASK_SECONDS - 10


@shared_task(time_limit=sending.TASK_SECONDS, soft_time_limit=SOFT_SECONDS)
def send_waiting_deliveries() -> None:
    """From beat, every few seconds. One at a time: it has its own threads."""
    with only_one(WEBHOOK_LOCK, 0) as is_mine:
        if is_mine:
            happenings.tell_happenings(now=timezone.now())
            sending.send_waiting_deliveries()


@shared_task
def forget_old_deliveries() -> None:
    sending.forget_old_deliveries(before=timezone.now() - KEPT_FOR)
