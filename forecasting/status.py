"""Where the recompute stands: which run the numbers are of, how old they are, and how far the next one is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Subquery
from django.utils import timezone

from forecasting.models import Run, RunProgress

ACTIVE = (Run.State.WAITING, Run.State.RUNNING)


@dataclass(frozen=True)
class RunStatus:
    published: Run | None
    active: Run | None
    failed: Run | None  # the last run, where it failed
    now: dt.datetime
    progress: RunProgress | None = None

    @property
    def age(self) -> str:
        """How old the published scores are: 12 min old."""
        if self.published is None or self.published.published_at is None:
            return ""
        return f"{duration(self.now - self.published.published_at)} old"

    @property
    def is_publishing(self) -> bool:
        """Every part is computed, and what is left is the one transaction that shows them."""
        progress = self.progress
        return progress is not None and 0 < progress.chunk_count == progress.staged_chunk_count


def read_status() -> RunStatus:
    """One query; two while a run is on its way."""
    last = Run.objects.order_by("-pk").values("pk")[:1]
    last_published = Run.objects.filter(state=Run.State.PUBLISHED).order_by("-pk").values("pk")[:1]
    of_interest = list(
        runs_without_tables()
        .filter(Q(state__in=ACTIVE) | Q(pk__in=Subquery(last)) | Q(pk__in=Subquery(last_published)))
        .order_by("pk")
    )
    by_state = {run.state: run for run in of_interest}
    # A running one goes before the one that waits behind it.
    active = by_state.get(Run.State.RUNNING) or by_state.get(Run.State.WAITING)
    failed = of_interest[-1] if of_interest and of_interest[-1].state == Run.State.FAILED else None
    return RunStatus(
        published=by_state.get(Run.State.PUBLISHED),
        active=active,
        failed=failed,
        now=timezone.now(),
        progress=active.progress() if active and active.state == Run.State.RUNNING else None,
    )


def runs_without_tables() -> QuerySet[Run]:
    """Runs less their fitted tables, which are large and shown nowhere here."""
    return Run.objects.defer("likelihood_table", "rep_records").select_related("requested_by")


def duration(length: dt.timedelta) -> str:
    """40 s, 12 min, 3 h, 2 days."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 2 * 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"
