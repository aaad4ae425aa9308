"""The Celery application; tasks are thin callers of services and live in each app's tasks.py."""

import datetime as dt
import os
import signal
import warnings
from typing import Any

from billiard import current_process
from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.schedules import crontab
from celery.signals import worker_process_init

from config.hosting.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("perennial")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Rooms with tasks.py of their own.
ROOMS = ("alerts", "feedback", "flags", "mail", "plans", "webhooks")
app.autodiscover_tasks([f"engagement.{room}" for room in ROOMS])
# Not in the settings: every command would load Celery to read them.
# Beat keeps no file of what it sent when: one that a power cut tears would keep it from starting, or what was missed
# forgotten. What is due stands in the database, so whatever is sent only asks, and each is sent once as beat starts.
app.conf.beat_scheduler = "config.beat:Scheduler"
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
SCHEDULE: dict[str, dict[str, Any]] = {
    "dispatch-waiting-runs": {"task": "forecasting.tasks.dispatch_waiting_runs", "schedule": 10.0},
    "dispatch-waiting-imports": {"task": "renewals.imports.dispatch_waiting", "schedule": 10.0},
    "dispatch-waiting-edits": {"task": "renewals.bulk.dispatch_waiting", "schedule": 10.0},
    "dispatch-waiting-exports": {"task": "renewals.exports.dispatch_waiting", "schedule": 10.0},
    "nightly-recompute": {"task": "forecasting.tasks.request_nightly_run", "schedule": crontab(minute=5)},
    "due-calls": {"task": "forecasting.tasks.freeze_due_calls", "schedule": crontab(minute=15)},
    "due-fit-of-the-likelihood": {"task": "forecasting.tasks.request_due_fit", "schedule": crontab(minute=35)},
    "monthly-backtest": {"task": "forecasting.tasks.request_monthly_backtest", "schedule": crontab(minute=50)},
    "bring-dashboards-up-to-date": {
        "task": "dashboards.tasks.bring_up_to_date",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "executive-mail": {
        "task": "dashboards.tasks.send_executive_mail",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "feedback-board": {"task": "engagement.feedback.tasks.add_up_feedback", "schedule": 5.0, "options": {"expires": 5}},
    "judge-flags": {"task": "engagement.flags.tasks.judge_flags", "schedule": 10.0, "options": {"expires": 10}},
    "look-for-alerts": {
        "task": "engagement.alerts.tasks.look_for_causes",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "forget-old-alerts": {"task": "engagement.alerts.tasks.forget_old_alerts", "schedule": crontab(hour=3, minute=30)},
    # What no worker got round to within its turn is asked again, not queued up behind itself.
    "waiting-mail": {"task": "engagement.mail.tasks.send_waiting_mail", "schedule": 5.0, "options": {"expires": 5}},
    "waiting-deliveries": {
        "task": "engagement.webhooks.tasks.send_waiting_deliveries",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "plans": {"task": "engagement.plans.tasks.tend_plans", "schedule": 30.0, "options": {"expires": 30}},
    "due-notices": {"task": "engagement.mail.tasks.propose_notices", "schedule": 300.0, "options": {"expires": 300}},
    "forget-old-mail": {"task": "engagement.mail.tasks.forget_old_mail", "schedule": crontab(hour=3, minute=10)},
    "forget-old-deliveries": {
        "task": "engagement.webhooks.tasks.forget_old_deliveries",
        "schedule": crontab(hour=3, minute=20),
    },
    "nightly-forgetting": {"task": "renewals.history.tasks.forget_old_history", "schedule": crontab(hour=2, minute=40)},
}
app.conf.beat_schedule = {name: {**entry, "last_run_at": LONG_AGO} for name, entry in SCHEDULE.items()}
# It tells that tasks go on when the broker is lost and are delivered again: so they shall, and both is provided for.
warnings.simplefilter("ignore", CPendingDeprecationWarning)


@worker_process_init.connect
def end_with_worker(**context: object) -> None:
    """A pool process must not outlive a worker that was killed hard: its task is already on its way to another one."""
    worker = current_process()._parent_pid  # type: ignore[attr-defined]  # missing in the stubs
    die_with_parent(signal.SIGKILL, parent_id=worker)
