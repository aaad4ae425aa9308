"""Writes to endpoints, each in history; and sending a delivery again, or one to try the address."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction

from accounts.models import User
from config.history import recorded_as
from engagement.models import WebhookDelivery, WebhookEndpoint
from engagement.webhooks.outbox import queue_delivery
from engagement.webhooks.secrets import make_secret, seal

TEST = "test"
State = WebhookDelivery.State


def add_endpoint(*, user: User, endpoint: WebhookEndpoint) -> str:
    """Keep a new endpoint; its secret, which is nowhere to be read again."""
    secret = make_secret()
    endpoint.sealed_secret, endpoint.created_by = seal(secret), user
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        endpoint.save()
    return secret


def save_endpoint(*, user: User, endpoint: WebhookEndpoint) -> None:
    """Its name, address, events and whether it is active; what waits for it goes to the new address."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        endpoint.save(update_fields=["name", "url", "event_names", "is_active"])


def rotate_secret(*, user: User, endpoint: WebhookEndpoint) -> str:
    """A new secret, by which all that is sent from now on is signed, what waits among it."""
    secret = make_secret()
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(sealed_secret=seal(secret))
    return secret


def resume_endpoint(*, user: User, endpoint: WebhookEndpoint, now: dt.datetime) -> None:
    """What has waited is sent within seconds, and failures are counted anew."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(paused_at=None, failure_count=0, next_try_at=now)
        held = endpoint.deliveries.filter(state=State.WAITING).exclude(error="")  # what is being sent keeps its lease
        held.filter(next_try_at__gt=now).update(next_try_at=now)


def pause_endpoint(*, user: User, endpoint: WebhookEndpoint, now: dt.datetime) -> None:
    """Nothing is sent until it is resumed; what happens meanwhile is kept."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        WebhookEndpoint.objects.filter(pk=endpoint.pk, paused_at__isnull=True).update(paused_at=now)


def delete_endpoint(*, user: User, endpoint: WebhookEndpoint) -> None:
    """With its deliveries."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        endpoint.delete()


def send_test(*, user: User, endpoint: WebhookEndpoint) -> None:
    """Queue a delivery that says nothing but that it came."""
    payload = {"text": "This is a test.", "asked_by": user.email, "site": settings.SITE_URL}
    queue_delivery(event=TEST, payload=payload, dedup_key=f"test:{uuid.uuid4()}", endpoint_id=endpoint.pk)


def replay_delivery(*, delivery: WebhookDelivery, now: dt.datetime) -> bool:
    """Send it again under the same id, whatever came of it before; False while it is being sent or waits untried."""
    rows = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=State.WAITING)
    return bool(rows.update(state=State.WAITING, try_count=0, next_try_at=now, delivered_at=None))
