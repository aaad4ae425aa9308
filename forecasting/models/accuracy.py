"""Backtests: the past forecast anew, and what those forecasts were worth."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User


class BacktestQuerySet(models.QuerySet["Backtest"]):
    def newest_done(self) -> Backtest | None:
        return self.filter(state=Backtest.State.DONE).order_by("-pk").first()

    def active(self) -> BacktestQuerySet:
        return self.filter(state__in=[Backtest.State.WAITING, Backtest.State.RUNNING])


class Backtest(models.Model):
    """One replay of past periods. What it found is in its scopes, and never changed once it is done."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Reason(models.TextChoices):
        DEMAND = "demand", "On demand"
        MONTHLY = "monthly", "Monthly"

    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    asked_because = models.CharField(max_length=7, choices=Reason)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # When a period was last done, or the work was last sent: a running one that is silent for long has lost its worker.
    heard_at = models.DateTimeField(null=True)
    restart_count = models.PositiveSmallIntegerField(default=0)
    message = models.TextField(blank=True)  # why it failed, in words for the person
    origin_count = models.PositiveSmallIntegerField()  # periods that were asked for
    done_count = models.PositiveSmallIntegerField(default=0)
    as_of_on = models.DateField(null=True)
    reporting_currency = models.CharField(max_length=3, blank=True)
    periods = models.JSONField(default=list)  # those that were replayed, the oldest first (accuracy.backtest)

    objects = BacktestQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # One at a time: a second request while one waits is the same request.
            models.UniqueConstraint(fields=["state"], condition=Q(state="waiting"), name="backtest_waiting_once"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="backtest_running_once"),
            models.CheckConstraint(
                condition=Q(origin_count__gte=1, origin_count__lte=40),
                name="backtest_origin_count",
                violation_error_message="Between 1 and 40 periods can be replayed.",
            ),
        ]

    def __str__(self) -> str:
        return f"backtest {self.pk}"

    def took(self, now: dt.datetime | None = None) -> dt.timedelta | None:
        return (self.finished_at or now or timezone.now()) - self.started_at if self.started_at else None


class BacktestScopeQuerySet(models.QuerySet["BacktestScope"]):
    def visible_to(self, user: User) -> BacktestScopeQuerySet:
        """Everything to who sees the whole book; else one's own record, one's team's, and a manager's people's."""
        if user.sees_all:
            return self
        seen = Q(kind=BacktestScope.Kind.OWNER, group_id=user.pk)
        if user.team_id is not None:
            seen |= Q(kind=BacktestScope.Kind.TEAM, group_id=user.team_id)
            if user.role == User.Role.MANAGER:
                mates = User.objects.filter(team_id=user.team_id).values("pk")
                seen |= Q(kind=BacktestScope.Kind.OWNER, group_id__in=mates)
        return self.filter(seen)


class BacktestScope(models.Model):
    """What was found for the whole book, or for one team, owner or segment (accuracy.backtest says what it holds)."""

    class Kind(models.TextChoices):
        BOOK = "book", "Whole book"
        TEAM = "team", "Team"
        OWNER = "owner", "Rep"
        SEGMENT = "segment", "Segment"

    backtest = models.ForeignKey(Backtest, on_delete=models.CASCADE, related_name="scopes", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    group_id = models.BigIntegerField(default=0)  # of the team, user or segment as it was; 0 for the book
    content = models.JSONField()

    objects = BacktestScopeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["backtest", "kind", "group_id"], name="backtest_scope_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.group_id}"
