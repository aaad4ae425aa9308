"""The Celery application; tasks are thin callers of services and live in each app's tasks.py."""

import os
import signal

from billiard import current_process
from celery import Celery
from celery.signals import worker_process_init

from config.hosting.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("perennial")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def end_with_worker(**context: object) -> None:
    """A pool process must not outlive a worker that was killed hard: its task is already on its way to another one."""
    worker = current_process()._parent_pid  # type: ignore[attr-defined]  # missing in the stubs
    die_with_parent(signal.SIGKILL, parent_id=worker)
