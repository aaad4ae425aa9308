"""Celery task: a thin caller. It may be delivered twice, or again after its worker was killed."""

from celery import shared_task

from accounts.models import get_company
from engagement.feedback.sums import add_up


@shared_task
def add_up_feedback() -> None:
    """From beat, every few seconds: the board's sums, until nothing is marked or somebody else is at it."""
    while add_up(as_of=get_company().today()):
        pass
