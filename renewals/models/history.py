"""What was done in one go: the step that history shows as one, and that undo takes back as one."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import User


class ChangeBatch(models.Model):
    """A paste, a bulk edit, an import, an undo or a redo.

    Its id is that of the events it made (`pgh_context_id`, see config.history). The edit of one cell has events with a
    batch id but no row here: its event says everything, and the save stays one statement shorter.
    """

    class How(models.TextChoices):
        CELL = "cell", "Cell"
        PASTE = "paste", "Paste"
        BULK = "bulk", "Bulk edit"
        IMPORT = "import", "Import"
        UNDO = "undo", "Undo"
        REDO = "redo", "Redo"
        API = "api", "API"
        RULE = "rule", "Rules"
        JOB = "job", "Job"
        VIEW = "view", "Saved view"
        PAGE = "page", "Page"

    id = models.UUIDField(primary_key=True)
    how = models.CharField(max_length=6, choices=How)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="change_batches")
    made_at = models.DateTimeField(default=timezone.now, db_index=True)
    description = models.CharField(max_length=300)
    row_count = models.PositiveIntegerField(default=0)
    # The batch that this one took back. Not a foreign key: the edit of a cell has no row here.
    undoes = models.UUIDField(null=True, db_index=True)
    # Ids of the rows that it made, by table, as PostgreSQL writes an int8multirange: a million new rows are one range.
    created_ids = models.JSONField(default=dict)

    class Meta:
        ordering = ["-made_at", "id"]
        verbose_name_plural = "change batches"

    def __str__(self) -> str:
        return self.description


class ForgottenHistory(models.Model):
    """That events from before a moment were let go of: how a row stood earlier than that can no longer be told."""

    before = models.DateTimeField()
    event_count = models.PositiveBigIntegerField()
    forgotten_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-before"]
        verbose_name_plural = "forgotten history"

    def __str__(self) -> str:
        return f"before {self.before:%d %b %Y}"
