"""Celery tasks: thin callers of services. Each may be delivered twice, or again after its worker was killed."""

from config.celery import app
from dashboards.rollups import services


@app.task
def bring_up_to_date() -> None:
    """From beat, every few seconds: what a run published or people changed is added up."""
    services.bring_up_to_date()
