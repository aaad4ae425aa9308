"""Sending mail from beat; thin callers."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from accounts.models import get_company
from engagement.mail import notices, sending
from renewals.jobs import only_one

MAIL_LOCK, NOTICE_LOCK = 7_215_020, 7_215_022  # beside those of renewals.jobs
KEPT_FOR = dt.timedelta(days=90)


SOFT_SECONDS = sending.TASK_SECONDS - 10


@shared_task(time_limit=sending.TASK_SECONDS, soft_time_limit=SOFT_SECONDS)
def send_waiting_mail() -> None:
    """From beat, every few seconds. One at a time: a slow mail server must not keep every worker busy."""
    with only_one(MAIL_LOCK, 0) as is_mine:
        if is_mine:
            sending.send_waiting_mail()


@shared_task
def forget_old_mail() -> None:
    sending.forget_old_mail(before=timezone.now() - KEPT_FOR)


@shared_task
def propose_notices() -> None:
    """From beat, every few minutes: what is proposed already is not proposed again."""
    today, now = get_company().today(), timezone.now()
    with only_one(NOTICE_LOCK, 0) as is_mine:
        if is_mine:
            notices.propose_notices(today=today, now=now)
            notices.send_notices(today=today, now=now)
