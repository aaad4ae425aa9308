"""Celery task: a thin caller. It may be delivered twice, or again after its worker was killed."""

from celery import shared_task
from django.utils import timezone

from engagement.flags.passes import judge_accounts


@shared_task
def judge_flags() -> None:
    """From beat, every few seconds: what people wrote in, and the whole book where that is due."""
    judge_accounts(now=timezone.now())
