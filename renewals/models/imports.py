"""Imports: a file as it came, what was made of it, and every row that needs a person."""

from __future__ import annotations

from django.db import models

from accounts.models import User


class ImportBatch(models.Model):
    """One file brought by one person under one mapping. The file itself is kept until the batch is over."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKING = "checking", "Checking"
        CHECKED = "checked", "Checked, waiting for you"
        IMPORTING = "importing", "Importing"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    file_name = models.CharField(max_length=255)
    content = models.BinaryField(null=True)
    content_hash = models.CharField(max_length=64)  # SHA-256, hexadecimal
    mapping_name = models.CharField(max_length=120, blank=True)
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State, default=State.UPLOADED)
    message = models.TextField(blank=True)  # why it failed, in words for the person
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="import_batches")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    done_count = models.PositiveIntegerField(default=0)  # rows worked through, for the progress bar
    row_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)  # per kind of record: created, changed, unchanged

    class Meta:
        ordering = ["-requested_at", "-pk"]
        verbose_name_plural = "import batches"

    def __str__(self) -> str:
        return self.file_name


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
