"""Versions of the fitted likelihood: what was asked for, what came of it, and which one recomputes use."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User


class LikelihoodModelQuerySet(models.QuerySet["LikelihoodModel"]):
    def newest_fitted(self) -> LikelihoodModel | None:
        """The last good one: what the next recompute scores by."""
        return self.filter(state=LikelihoodModel.State.FITTED).order_by("-pk").first()

    def active(self) -> LikelihoodModelQuerySet:
        """Waiting and running ones: at most one of each, the running one first."""
        states = [LikelihoodModel.State.WAITING, LikelihoodModel.State.RUNNING]
        return self.filter(state__in=states).order_by("state", "pk")

    def light(self) -> LikelihoodModelQuerySet:
        """Less the fitted content, which is large and of use to the engine alone."""
        return self.defer("content").select_related("requested_by")


class LikelihoodModel(models.Model):
    """One fit of the likelihood on the company's own decided renewals. Never changed once it is fitted.

    `content` is what scores are computed with, `metrics` what the page tells of it (forecasting.learning.fit).
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        FITTED = "fitted", "Fitted"
        FAILED = "failed", "Failed"

    class Reason(models.TextChoices):
        DEMAND = "demand", "On demand"
        FIRST = "first", "After the first recompute"
        WEEKLY = "weekly", "Weekly"
        DECISIONS = "decisions", "After many new decisions"
        SETTING = "setting", "After a setting changed"

    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    asked_because = models.CharField(max_length=9, choices=Reason)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)  # fitted or failed
    restart_count = models.PositiveSmallIntegerField(default=0)
    message = models.TextField(blank=True)  # why it failed, in words for the person
    # What it was learned from: renewals that were settled before the cut-off, as they stood `horizon_days` before.
    cut_off_on = models.DateField(null=True)
    horizon_days = models.PositiveSmallIntegerField(default=30)
    row_count = models.PositiveIntegerField(default=0)
    renewed_count = models.PositiveIntegerField(default=0)
    left_out_count = models.PositiveIntegerField(default=0)  # settled ones beyond the newest that a fit takes
    # What was chosen and why (engine.fitted.choice).
    way = models.CharField(max_length=20, blank=True)
    words = models.CharField(max_length=120, blank=True)
    reason = models.TextField(blank=True)
    is_signal = models.BooleanField(default=False)
    metrics = models.JSONField(default=dict)
    content = models.JSONField(null=True)

    objects = LikelihoodModelQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # One fit at a time: a second request while one waits is the same request.
            models.UniqueConstraint(fields=["state"], condition=Q(state="waiting"), name="likelihood_waiting_once"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="likelihood_running_once"),
            models.CheckConstraint(
                condition=~Q(state="fitted") | Q(content__isnull=False, cut_off_on__isnull=False),
                name="likelihood_fitted_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"likelihood {self.pk}"

    def took(self, now: dt.datetime | None = None) -> dt.timedelta | None:
        """How long it took, or takes so far."""
        return (self.finished_at or now or timezone.now()) - self.started_at if self.started_at else None
