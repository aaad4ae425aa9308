"""The nightly clearing of old history; a thin caller."""

from celery import shared_task
from django.conf import settings

from renewals.history.retention import forget_history, oldest_kept_at


@shared_task
def forget_old_history() -> int:
    """Run twice, the second finds nothing."""
    return forget_history(before=oldest_kept_at(settings.HISTORY_RETENTION_DAYS))
