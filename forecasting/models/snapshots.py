"""Calls: forecasts frozen at a moment, which the database lets nobody change (see migration `snapshots`)."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from accounts.models import User
from forecasting.models.runs import Run


class Snapshot(models.Model):
    """What the forecast said at a moment: its frames hold the renewals and the lines, as read and scored then.

    A trigger refuses every UPDATE and DELETE of a snapshot and of its frames, raw SQL included.
    """

    class Reason(models.TextChoices):
        MONTH_START = "month_start", "First business day"
        MONTH_CLOSE = "month_close", "Month close"
        QUARTER_CLOSE = "quarter_close", "Quarter close"
        HAND = "hand", "By hand"

    moment = models.DateTimeField()
    as_of_on = models.DateField()  # the business date of the moment
    reason = models.CharField(max_length=13, choices=Reason)
    is_late = models.BooleanField(default=False)  # redrawn from history, later than a day after its moment
    note = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField(db_default=TransactionNow())  # by which its frames know that they belong to it
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    # What it rests on: the run whose fit was in use, the rates, the newest version of each rule.
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    versions = models.JSONField()
    reporting_currency = models.CharField(max_length=3)
    rates = models.JSONField()  # by currency, as text; their order is that of the rows' currency numbers
    fiscal_start = models.PositiveSmallIntegerField()
    row_count = models.PositiveIntegerField()
    open_count = models.PositiveIntegerField()

    class Meta:
        ordering = ["-moment", "-pk"]
        constraints = [
            # A scheduled call is made once, however many beats find it missing.
            models.UniqueConstraint(
                fields=["reason", "moment"], condition=~Q(reason="hand"), name="snapshot_once_when_due"
            ),
            models.CheckConstraint(
                condition=~Q(reason="hand") | ~Q(note=""),
                name="snapshot_by_hand_has_note",
                violation_error_message="A call that is frozen by hand needs a note.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}, {self.as_of_on:%d %b %Y}"


class SnapshotFrame(models.Model):
    """The renewals of a snapshot that are due in one month, or its lines of periods that begin in it.

    Columns side by side, compressed (snapshots.content).

    `layout` lists (name, type) of the columns, so that a frame is read as it was written, whatever was added since.
    """

    class Kind(models.TextChoices):
        ROWS = "rows", "Renewals"
        LINES = "lines", "Lines"

    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="frames", db_index=False)
    kind = models.CharField(max_length=5, choices=Kind)
    month_on = models.DateField()
    row_count = models.PositiveIntegerField()
    layout = models.JSONField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "kind", "month_on"], name="snapshot_frame_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.month_on:%b %Y}"
