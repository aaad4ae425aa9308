"""From beat; thin callers."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from engagement.alerts import sending, services, watch

KEPT_FOR = dt.timedelta(days=400)


@shared_task
def look_for_causes() -> None:
    """Every few seconds. What found no worker is not missed: the next look asks how things are."""
    watch.look_for_causes()
    sending.send_due()


@shared_task
def forget_old_alerts() -> None:
    services.forget_alerts(ended_before=timezone.now() - KEPT_FOR)
