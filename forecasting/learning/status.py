"""Where the fits stand: the version in use, the one on its way, the one that failed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from forecasting.models import LikelihoodModel, Run

State = LikelihoodModel.State
DONE_AT_MOST = 0.95  # by the clock alone it is never said to be done


@dataclass(frozen=True)
class FitStatus:
    """`used` is what the published scores were computed with, `newest` the last good one: the next recompute's."""

    used: LikelihoodModel | None
    newest: LikelihoodModel | None
    active: LikelihoodModel | None
    failed: LikelihoodModel | None  # the last one, where it failed
    now: dt.datetime

    @property
    def seconds_so_far(self) -> int:
        took = self.active.took(self.now) if self.active else None
        return int(took.total_seconds()) if took else 0

    @property
    def usual_seconds(self) -> int:
        """How long the last good one took; 0 where there is none."""
        took = self.newest.took() if self.newest else None
        return max(int(took.total_seconds()), 1) if took else 0

    @property
    def seconds_shown(self) -> int:
        return min(self.seconds_so_far, int(DONE_AT_MOST * self.usual_seconds))

    @property
    def shown_version(self) -> LikelihoodModel | None:
        return self.newest


def read_fit_status() -> FitStatus:
    published = Run.objects.filter(state=Run.State.PUBLISHED).order_by("-pk")
    versions = LikelihoodModel.objects.light()
    last = versions.order_by("-pk").first()
    used = versions.filter(pk__in=published.values("likelihood_model")[:1]).first()
    return FitStatus(
        used=used,
        newest=versions.newest_fitted(),
        active=versions.active().first(),
        failed=last if last and last.state == State.FAILED else None,
        now=timezone.now(),
    )
