"""Probabilities that people pin on renewals: instead of the computed one, for a reason and until a day."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from config.history import track_history
from renewals.models.renewals import Renewal

REASON_LENGTH = 300


class OverrideQuerySet(models.QuerySet["Override"]):
    def standing(self, as_of: dt.date) -> OverrideQuerySet:
        """Those that were not taken off, and that count on a day."""
        return self.filter(ended_at__isnull=True, until_on__gte=as_of)

    def visible_to(self, user: User) -> OverrideQuerySet:
        return self if user.sees_all else self.filter(renewal__in=Renewal.objects.visible_to(user))


@track_history(exclude=(), is_making_kept=True)
class Override(models.Model):
    """A pinned probability. It is never rewritten: a new one ends the one before it, so that each can be judged by what
    came. What model, rep and the two joined said at that moment stays beside it.
    """

    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="overrides")
    percent = models.SmallIntegerField()
    reason = models.CharField(max_length=REASON_LENGTH)
    until_on = models.DateField(help_text="The last day on which it counts.")
    pinned_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    pinned_at = models.DateTimeField(default=timezone.now)
    likelihood_then = models.FloatField(null=True)
    joined_then = models.FloatField(null=True)
    confidence_then = models.SmallIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Who took it off; null too where its last day is over, or where it was taken off with its row.
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        ordering = ["-pinned_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100),
                name="override_percent",
                violation_error_message="A probability is between 0 and 100 %%.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="override_has_reason", violation_error_message="A pin needs a reason."
            ),
            models.UniqueConstraint(
                fields=["renewal"],
                condition=Q(ended_at__isnull=True),
                name="override_once",
                violation_error_message="A probability is pinned on this renewal already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % on {self.renewal}"
