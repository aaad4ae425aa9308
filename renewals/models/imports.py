"""Imports: a file as it came, what was made of it, and every row that needs a person."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import User
from renewals.models.jobs import JUST_NOW


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    def visible_to(self, user: User) -> ImportBatchQuerySet:
        """An admin sees every import, a manager those of their team; nobody else imports."""
        if user.is_admin:
            return self
        if user.role == User.Role.MANAGER and user.team_id is not None:
            return self.filter(requested_by__team=user.team_id)
        return self.none()


class ImportBatch(models.Model):
    """One file brought by one person under one mapping.

    Rows read = imported + refused + repeated + left out. The file itself is kept for a while after the end, because the
    rows to fix are cut from it.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKING = "checking", "Checking"
        CHECKED = "checked", "Checked, waiting for you"
        IMPORTING = "importing", "Importing"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    file_name = models.CharField(max_length=255)
    content_hash = models.CharField(max_length=64)  # SHA-256, hexadecimal
    mapping_name = models.CharField(max_length=120, blank=True)
    mapping = models.JSONField(default=dict)
    header = models.JSONField(default=list)  # the headings, and the first rows below them, for the choice of a mapping
    sample = models.JSONField(default=list)
    # Where in the file the rows are: `header_row` and, of a workbook, `sheet` and all its `sheets`.
    reading = models.JSONField(default=dict)
    is_all_or_nothing = models.BooleanField(default=False)
    state = models.CharField(max_length=9, choices=State, default=State.UPLOADED)
    message = models.TextField(blank=True)  # why it failed, in words for the person
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="import_batches")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    done_count = models.PositiveIntegerField(default=0)  # rows worked through, for the progress bar
    row_count = models.PositiveIntegerField(default=0)
    imported_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    repeated_count = models.PositiveIntegerField(default=0)  # word for word like an earlier row
    warning_count = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=dict)  # rows that the mapping leaves out, counted by its reason
    result = models.JSONField(default=dict)  # per kind of record: created, changed, unchanged
    preview = models.JSONField(default=list)  # the first good rows as they will be
    attempt_count = models.PositiveSmallIntegerField(default=0)  # a file that kills its worker is not tried for ever
    step_id = models.UUIDField(null=True)  # the step of the history that it was; none where it changed nothing

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        verbose_name_plural = "import batches"

    def __str__(self) -> str:
        return self.file_name

    @property
    def left_out_count(self) -> int:
        return sum(self.left_out.values())

    @property
    def is_working(self) -> bool:
        return self.state in (self.State.CHECKING, self.State.IMPORTING)

    @property
    def is_just_done(self) -> bool:
        """Done while its requester most likely still looks on: the keys that undo take it for the newest step."""
        return self.finished_at is not None and timezone.now() - self.finished_at < JUST_NOW

    @property
    def done_text(self) -> str:
        """For the progress bar; nobody knows how many rows a file has before they are read."""
        return f"{self.done_count:,} rows read"


class ImportPart(models.Model):
    """A stretch of an uploaded file. In stretches, so that no process ever holds a large file as one value."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="parts")
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "position"], name="import_part_once")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"part {self.position} of batch {self.batch_id}"


class ImportFinding(models.Model):
    """What is wrong, or was assumed, in one cell of one row."""

    class Severity(models.TextChoices):
        REFUSED = "refused", "Refused"
        WARNING = "warning", "Imported, look at it"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="findings")
    row_number = models.PositiveIntegerField()  # as a spreadsheet counts: the header is row 1
    column = models.CharField(max_length=120, blank=True)
    value = models.TextField(blank=True)
    reason_code = models.SlugField(max_length=40)
    reason = models.TextField()
    severity = models.CharField(max_length=7, choices=Severity)

    class Meta:
        ordering = ["row_number", "pk"]
        indexes = [models.Index(fields=["batch", "reason_code"], name="import_finding_reason")]

    def __str__(self) -> str:
        return f"row {self.row_number}: {self.reason}"
