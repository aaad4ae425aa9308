"""What people write beside a renewal, and whom they call to it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from config.history import track_history
from renewals.models.renewals import Renewal


@track_history(exclude=())
class Note(models.Model):
    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="notes")
    text = models.CharField(max_length=4000)
    made_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(text=""), name="note_has_text", violation_error_message="A note needs a text."
            )
        ]
        indexes = [models.Index(fields=["renewal", "-made_at", "-id"], name="note_of_renewal")]

    def __str__(self) -> str:
        return f"{self.author} on {self.renewal}"


class MentionQuerySet(models.QuerySet["Mention"]):
    def told_to(self, user: User) -> MentionQuerySet:
        """Those of this person, of rows that they still see: a row may have gone to another team since."""
        mine = self.filter(user=user)
        return mine if user.sees_all else mine.filter(note__renewal__in=Renewal.objects.visible_to(user))

    def unread(self) -> MentionQuerySet:
        return self.filter(read_at__isnull=True)


class Mention(models.Model):
    """Somebody who was called to a note, and whether they have read it."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    read_at = models.DateTimeField(null=True)

    objects = MentionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["note", "user"], name="mention_once_a_note")]
        indexes = [
            models.Index(fields=["user", "-id"], name="mention_of_user"),
            models.Index(fields=["user"], name="mention_unread", condition=Q(read_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.user} in note {self.note_id}"
