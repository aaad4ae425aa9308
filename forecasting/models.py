"""How much: runs of the recompute, and the forecast lines they publish."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Segment, Team, User


class RunQuerySet(models.QuerySet["Run"]):
    def latest_published(self) -> Run | None:
        """The run whose numbers readers see: its `as_of_on` and `minutes_old` belong beside them."""
        return self.filter(state=Run.State.PUBLISHED).order_by("-published_at", "-pk").first()

    def active(self) -> RunQuerySet:
        """Waiting and running ones: at most one of each, the running one first."""
        return self.filter(state__in=[Run.State.WAITING, Run.State.RUNNING]).order_by("state", "pk")


class Run(models.Model):
    """One recompute of the whole book. Readers see the last published one, whole, until the next is published."""

    class Reason(models.TextChoices):
        NIGHTLY = "nightly", "Nightly"
        DEMAND = "demand", "On demand"
        IMPORT = "import", "After an import"
        RULE = "rule", "After a rule changed"
        BULK = "bulk", "After a bulk edit"
        UNDO = "undo", "After an undo"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        PUBLISHED = "published", "Published"
        FAILED = "failed", "Failed"

    reason = models.CharField(max_length=7, choices=Reason)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    as_of_on = models.DateField(help_text="The business date the run judges by.")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    # When the book was judged by the data rules after it; null while that is still to be done.
    rules_judged_at = models.DateTimeField(null=True)
    # When its tasks were last sent; a run that stands still after that is sent again, but not for ever.
    dispatched_at = models.DateTimeField(null=True)
    restart_count = models.PositiveSmallIntegerField(default=0)
    row_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)  # why it failed, or what its reader has to know; in words for the person
    likelihood_table = models.JSONField(null=True)  # engine.likelihood.RateTable
    rep_records = models.JSONField(null=True)  # engine.probability.RepRecords

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # One run at a time: a second request while one waits is the same request.
            models.UniqueConstraint(fields=["state"], condition=Q(state="waiting"), name="run_waiting_once"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="run_running_once"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    def progress(self) -> RunProgress:
        """How far it is, for a progress bar."""
        counts = self.chunks.aggregate(
            chunk_count=models.Count("pk"),
            staged_chunk_count=models.Count("staged_at"),
            staged_row_count=models.Sum("row_count", filter=Q(staged_at__isnull=False), default=0),
        )
        return RunProgress(row_count=self.row_count, **counts)

    def minutes_old(self, now: dt.datetime | None = None) -> int:
        """Whole minutes since it was published; 0 while it is not."""
        return int(((now or timezone.now()) - self.published_at).total_seconds() // 60) if self.published_at else 0


@dataclass(frozen=True)
class RunProgress:
    chunk_count: int
    staged_chunk_count: int
    row_count: int
    staged_row_count: int

    @property
    def done_rate(self) -> float:
        """0 to 1. The last step, publishing, is kept back: 1 is never shown before the numbers are there."""
        return self.staged_chunk_count / (self.chunk_count + 1) if self.chunk_count else 0.0


class RunChunk(models.Model):
    """A range of accounts within a run: computed and staged by a worker, any number of times, to one result."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks")
    first_account_id = models.BigIntegerField()
    last_account_id = models.BigIntegerField()
    staged_at = models.DateTimeField(null=True)
    row_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)  # rows that differ from what is published, and are staged
    unrated_count = models.PositiveIntegerField(default=0)  # rows in a currency without a rate: in no forecast line

    class Meta:
        ordering = ["first_account_id"]
        constraints = [models.UniqueConstraint(fields=["run", "first_account_id"], name="run_chunk_once")]

    def __str__(self) -> str:
        return f"accounts {self.first_account_id} to {self.last_account_id} of run {self.run_id}"


class ForecastLine(models.Model):
    """The forecast and the record of one period for one scope, in the reporting currency.

    Scope: a team or an owner, or the whole book where both are blank; one segment, or all where blank. Amounts follow
    domain section 4; renewals that are approved exceptions are in none of them.
    """

    class Grain(models.TextChoices):
        MONTH = "month", "Month"
        QUARTER = "quarter", "Quarter"

    grain = models.CharField(max_length=7, choices=Grain)
    starts_on = models.DateField()
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, null=True, related_name="+")
    # Counts and amounts by state; in the order that they are shown.
    due_count = models.IntegerField(default=0)
    due_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # atr
    won_count = models.IntegerField(default=0)
    won_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # new recurring value of renewed
    won_baseline_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # sum of min(R, B) of renewed
    lost_count = models.IntegerField(default=0)  # lost, lapsed and win-back
    lost_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    open_count = models.IntegerField(default=0)  # upcoming, in window and overdue
    open_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    overdue_count = models.IntegerField(default=0)
    overdue_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    commit_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    best_case_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    pipeline_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Won so far plus the open ones' distribution.
    expected_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    p10_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    p50_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    p90_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Of the open ones' probabilities and amounts: while it stays the same, so do the quantiles above.
    open_hash = models.BigIntegerField(default=0, editable=False)
    # Booking split of the decided ones, and of the open ones weighted by probability.
    renewal_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    upsell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    cross_sell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    downsell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    churn_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_renewal_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_upsell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_cross_sell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_downsell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_churn_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Timing mix: count and sum of min(R, B) by class; win-back is kept apart, it is not a renewal.
    early_count = models.IntegerField(default=0)
    early_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    on_time_count = models.IntegerField(default=0)
    on_time_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    late_count = models.IntegerField(default=0)
    late_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    win_back_count = models.IntegerField(default=0)
    win_back_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    in_period_amount = models.DecimalField(
        max_digits=18, decimal_places=2, default=0
    )  # ordered by the period's last day

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grain", "starts_on", "team", "owner", "segment"],
                nulls_distinct=False,
                name="forecast_line_once",
            ),
            models.CheckConstraint(
                condition=Q(p10_amount__lte=models.F("p50_amount"), p50_amount__lte=models.F("p90_amount")),
                name="forecast_line_quantiles_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grain} of {self.starts_on}"


class StaleScore(models.Model):
    """A renewal that was edited while a run was being published: it is scored when that is over, so nobody waits."""

    renewal_id = models.BigIntegerField()  # no foreign key, which would have to be checked

    def __str__(self) -> str:
        return f"score of {self.renewal_id}"


class StaleMonth(models.Model):
    """A month whose forecast lines an edit has made stale. Written with the edit, removed when the lines are refreshed.

    Rows are only ever added, never updated, so that no edit waits for another one or for a refresh; the same month may
    be here many times.
    """

    month_on = models.DateField()

    def __str__(self) -> str:
        return f"{self.month_on:%b %Y}"
