"""`{% load runs %}{% run_chip %}`: how old the scores are, on any page that shows some."""

from django import template

from forecasting.models import Run
from forecasting.status import RunStatus, duration, read_status

register = template.Library()


@register.inclusion_tag("forecasting/_run_chip.html")
def run_chip() -> dict[str, RunStatus]:
    return {"status": read_status()}


@register.filter
def took(run: Run) -> str:
    """How long a run took, from its start to its publication."""
    if run.started_at is None or run.published_at is None:
        return "–"
    seconds = (run.published_at - run.started_at).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else duration(run.published_at - run.started_at)
