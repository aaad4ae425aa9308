"""Mail on its way out of the house."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self, now: dt.datetime) -> OutgoingMailQuerySet:
        """What waits and may be tried now, the longest waiting first."""
        return self.filter(state=OutgoingMail.State.WAITING, next_try_at__lte=now).order_by("next_try_at", "pk")


class OutgoingMail(models.Model):
    """One mail, kept until a mail server has taken it.

    Whoever sends it moves `next_try_at` to the end of a lease first: a mail whose sender was killed is due again then,
    with the same Message-ID.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Queued"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Problem(models.TextChoices):
        """What the last try failed by."""

        NONE = "", ""
        SERVER = "server", "No mail server answers"
        DEFERRED = "deferred", "The mail server asks to try later"
        REFUSED = "refused", "The mail server refuses it"

    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    to = ArrayField(models.EmailField())
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    sender = models.CharField(max_length=400, blank=True)  # as in From; blank: the installation's own address
    reply_to = models.EmailField(blank=True)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    message_id = models.CharField(max_length=200, unique=True)
    dedup_key = models.CharField(max_length=200, blank=True)
    try_count = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    problem = models.CharField(max_length=8, choices=Problem, blank=True, default=Problem.NONE)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["dedup_key"], condition=~Q(dedup_key=""), name="outgoing_mail_once"),
            models.CheckConstraint(condition=~Q(to=[]), name="outgoing_mail_has_recipient"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="outgoing_mail_sent_at",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at", "id"], name="outgoing_mail_due", condition=Q(state="waiting")),
            models.Index(fields=["created_at"], name="outgoing_mail_created"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {', '.join(self.to)}"
