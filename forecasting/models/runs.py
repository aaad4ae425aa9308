"""Runs of the recompute and their chunks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from forecasting.models.learning import LikelihoodModel


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
        MODEL = "model", "After a fit of the likelihood"

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
    amount_model = models.JSONField(null=True)  # engine.amounts.AmountModel
    order_timing = models.JSONField(null=True)  # engine.order_timing.OrderTiming
    shock = models.JSONField(null=True)  # engine.fitted.shock.Shock
    payment_terms = models.JSONField(null=True)  # engine.payments.PaymentTerms
    # frames.Reporting: chunks and publication take rates, fiscal year and teams from here, not from the settings, which
    # may change while the run is under way; null where it was prepared by an older release.
    reporting = models.JSONField(null=True)
    # The fitted likelihood that open renewals are scored by; null while there is none: then the table alone.
    likelihood_model = models.ForeignKey(LikelihoodModel, on_delete=models.PROTECT, null=True, related_name="+")

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

    def is_prepared(self) -> bool:
        """Whether the book was split into its chunks; an empty one has none."""
        return self.likelihood_table is not None

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
