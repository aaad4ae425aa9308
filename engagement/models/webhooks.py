"""Whom this installation tells what happened, and what it told them."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from config.history import track_history

ANSWER_LENGTH = 1024


class Event(models.TextChoices):
    """What is told; the names are part of what receivers rely on."""

    ALERT_FIRED = "alert.fired", "An alert was fired"
    RENEWAL_DECIDED = "renewal.decided", "A renewal was decided"
    CALL_FROZEN = "call.frozen", "A forecast was frozen"
    IMPORT_DONE = "import.done", "An import was applied"


@track_history(exclude=("sealed_secret", "failure_count", "next_try_at"), is_making_kept=True)
class WebhookEndpoint(models.Model):
    """An address of somebody else's that is told of chosen events. Its secret is kept sealed and never shown again.

    `failure_count`: tries in a row that failed. `next_try_at`: nothing is sent before; behind an address that did not
    answer, the others of its deliveries need not wait for the same silence.
    """

    name = models.CharField(max_length=80, unique=True, error_messages={"unique": "Another endpoint has this name."})
    url = models.CharField("address", max_length=500)
    event_names = ArrayField(models.CharField(max_length=40, choices=Event), verbose_name="events")
    is_active = models.BooleanField("active", default=True)
    sealed_secret = models.TextField()
    paused_at = models.DateTimeField(null=True, blank=True)
    failure_count = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="webhook_endpoint_has_name"),
            models.CheckConstraint(condition=~Q(sealed_secret=""), name="webhook_endpoint_has_secret"),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def due(self, now: dt.datetime) -> WebhookDeliveryQuerySet:
        """What waits and may be tried now, the longest waiting first."""
        return self.filter(
            state=WebhookDelivery.State.WAITING,
            next_try_at__lte=now,
            endpoint__is_active=True,
            endpoint__paused_at__isnull=True,
            endpoint__next_try_at__lte=now,
        ).order_by("next_try_at", "pk")


class WebhookDelivery(models.Model):
    """One event for one endpoint, kept until the endpoint has taken it, and after that as the log.

    Whoever sends it moves `next_try_at` to the end of a lease first, as with outgoing mail. `key` names it to the
    receiver and stays the same over all tries.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(max_length=40)  # of Event, or "test"
    payload = models.JSONField()
    dedup_key = models.CharField(max_length=200)
    happened_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    try_count = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    tried_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    response_code = models.PositiveSmallIntegerField(null=True, blank=True)
    response_text = models.CharField(max_length=ANSWER_LENGTH, blank=True)
    error = models.CharField(max_length=500, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "dedup_key"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(state="delivered", delivered_at__isnull=False)
                | (~Q(state="delivered") & Q(delivered_at__isnull=True)),
                name="webhook_delivery_delivered_at",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at", "id"], name="webhook_delivery_due", condition=Q(state="waiting")),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
            models.Index(fields=["created_at"], name="webhook_delivery_created"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"


class WebhookMark(models.Model):
    """Up to which moment what happened was looked for; one row, made when it is looked for the first time."""

    told_until_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="webhook_mark_is_one_row")]

    def __str__(self) -> str:
        return f"told until {self.told_until_at:%Y-%m-%d %H:%M:%S}"
