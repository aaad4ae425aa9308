"""Celery tasks: thin callers of services. Each may be delivered twice, or again after its worker was killed."""

from config.celery import app
from dashboards.executive import sending
from dashboards.rollups import pacing, services, work


@app.task
def bring_up_to_date() -> None:
    """From beat, every few seconds: what a run published or people changed is added up."""
    services.bring_up_to_date()
    pacing.follow_likely()
    work.follow_work()
    services.fold_changes()


@app.task(time_limit=sending.TASK_SECONDS, soft_time_limit=sending.TASK_SECONDS - 10)
def send_executive_mail() -> None:
    """From beat, every few seconds: whose day and hour have come gets the executive page by mail."""
    sending.send_due()
