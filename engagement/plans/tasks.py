"""Celery tasks of this room; each may be delivered twice."""

from config.celery import app
from engagement.plans import passes


@app.task
def tend_plans() -> None:
    """From beat, every half minute."""
    passes.tend_plans()
