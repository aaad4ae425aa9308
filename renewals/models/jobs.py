"""What takes longer than a click: edits of many rows, and files to take away.

The state of each is here, in the database, so that a lost message or a killed worker costs time and never work.
"""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User

JUST_NOW = dt.timedelta(minutes=5)


class BulkEdit(models.Model):
    """One edit of many rows: planned (what would become what), looked at by a person, then applied as one step.

    Its rows come from a selection or a filter of the central table, or from an exported file that was edited.
    """

    class Kind(models.TextChoices):
        SELECTION = "bulk", "Bulk edit"
        FILE = "file", "Edited file"
        PASTE = "paste", "Paste"

    class State(models.TextChoices):
        PLANNING = "planning", "Being prepared"
        PLANNED = "planned", "Waiting for you"
        APPLYING = "applying", "Being applied"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        DISCARDED = "discarded", "Discarded"

    kind = models.CharField(max_length=5, choices=Kind)
    state = models.CharField(max_length=9, choices=State, default=State.PLANNING)
    message = models.TextField(blank=True)  # why it failed, in words for the person
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="bulk_edits")
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    # A selection: {"changes": [...], "ids": [...]} or {"changes": [...], "query": "..."}; see renewals.bulk.selection.
    request = models.JSONField(default=dict)
    description = models.CharField(max_length=300, blank=True)
    file_name = models.CharField(max_length=255, blank=True)
    notes = models.JSONField(default=list)  # what the person should know of the file, in sentences
    columns = models.JSONField(default=list)  # of the renewal, that this edit may write
    not_yours_count = models.PositiveIntegerField(default=0)  # matching rows that the person may only look at
    row_count = models.PositiveIntegerField(default=0)
    ready_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)  # rows worked through, for the progress bar
    written_count = models.PositiveIntegerField(default=0)
    attempt_count = models.PositiveSmallIntegerField(default=0)  # what kills its worker is not tried for ever
    batch_id = models.UUIDField(null=True)  # the step of the history that it made

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.description or self.file_name

    @property
    def is_working(self) -> bool:
        return self.state in (self.State.PLANNING, self.State.APPLYING)

    @property
    def is_just_done(self) -> bool:
        """Done while its requester most likely still looks on: the keys that undo take it for the newest step."""
        return self.finished_at is not None and timezone.now() - self.finished_at < JUST_NOW

    @property
    def skipped_count(self) -> int:
        """Rows that were to be written and were not, because somebody else was faster."""
        return self.done_count - self.written_count


class BulkEditRow(models.Model):
    """What one edit does to one renewal. Values are texts as PostgreSQL writes them, by the names of the columns."""

    class Verdict(models.TextChoices):
        READY = "ready", "Would be changed"
        SAME = "same", "Already so"
        REFUSED = "refused", "Refused"
        WRITTEN = "written", "Changed"
        SKIPPED = "skipped", "Changed by somebody else"

    edit = models.ForeignKey(BulkEdit, on_delete=models.CASCADE, related_name="rows", db_index=False)
    # Not a foreign key: a file may name rows that do not exist, and a deleted row keeps its line in the result.
    renewal_id = models.BigIntegerField(null=True)
    row_number = models.PositiveIntegerField(null=True)  # in the file, as a spreadsheet counts: the header is row 1
    seen = models.JSONField(default=dict)  # the columns that it depends on, as they were when it was planned
    wanted = models.JSONField(default=dict)  # the columns that it changes, as they are to be
    # Cells of the file that are left out: [{"field", "column", "text", "was", "now", "reason"}]; the others count.
    problems = models.JSONField(default=list)
    verdict = models.CharField(max_length=7, choices=Verdict)
    reason = models.TextField(blank=True)
    is_chosen = models.BooleanField(default=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["edit", "renewal_id"], name="bulk_edit_row")]

    def __str__(self) -> str:
        return f"{self.renewal_id}: {self.verdict}"


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, user: User) -> ExportQuerySet:
        """An admin sees who took what; everybody else what they took themselves."""
        return self if user.is_admin else self.filter(requested_by=user)


class Export(models.Model):
    """One file with rows of the central table that somebody took away: who, when, how many, which."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    class State(models.TextChoices):
        WORKING = "working", "Being written"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    format = models.CharField(max_length=4, choices=Format)
    state = models.CharField(max_length=7, choices=State, default=State.WORKING)
    message = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="exports")
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    query = models.TextField(blank=True)  # the address of the table, as it was asked for
    filters = models.TextField(blank=True)  # the same in words
    columns = models.JSONField(default=list)
    file_name = models.CharField(max_length=120, blank=True)
    byte_count = models.PositiveBigIntegerField(default=0)
    expected_count = models.PositiveIntegerField(default=0)  # when it was asked for: the end of the progress bar
    row_count = models.PositiveIntegerField(default=0)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    kept_until = models.DateTimeField(null=True)  # null: handed over at once, never kept

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        indexes = [
            models.Index(fields=["-requested_at", "-id"], name="export_newest"),
            models.Index(fields=["requested_by", "-requested_at"], name="export_by_user"),
        ]

    def __str__(self) -> str:
        return self.file_name or f"export {self.pk}"

    @property
    def is_working(self) -> bool:
        return self.state == self.State.WORKING

    def is_kept(self, now: dt.datetime | None = None) -> bool:
        return self.kept_until is not None and self.kept_until > (now or timezone.now())


class FilePart(models.Model):
    """A stretch of a file, of an export or of an edited one. In stretches, so that no process holds a whole file."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, null=True, related_name="parts", db_index=False)
    edit = models.ForeignKey(BulkEdit, on_delete=models.CASCADE, null=True, related_name="parts", db_index=False)
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["export", "position"], name="export_part_once"),
            models.UniqueConstraint(fields=["edit", "position"], name="edit_part_once"),
            models.CheckConstraint(
                condition=Q(export__isnull=False, edit__isnull=True) | Q(export__isnull=True, edit__isnull=False),
                name="file_part_has_one_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"part {self.position}"
