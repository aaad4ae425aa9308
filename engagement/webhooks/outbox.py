"""Putting deliveries into the outbox: rows in the caller's transaction, told exactly if what they tell of is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from engagement.models import WebhookDelivery, WebhookEndpoint

AT_ONCE = 2000


@dataclass(frozen=True)
class Told:
    """Something that happened. `payload` is plain JSON; `dedup_key` names it once and for all."""

    event: str
    payload: Mapping[str, Any]
    dedup_key: str
    happened_at: dt.datetime | None = None


def queue_delivery(
    *,
    event: str,
    payload: Mapping[str, Any],
    dedup_key: str,
    endpoint_id: int | None = None,
    happened_at: dt.datetime | None = None,
) -> None:
    """Write one delivery for each active endpoint that chose the event; with `endpoint_id`, for that one alone.

    Of two with the same key, only the first is kept for an endpoint. Nobody who listens is no error.
    """
    queue_deliveries(told=[Told(event, payload, dedup_key, happened_at)], endpoint_id=endpoint_id)


def queue_deliveries(*, told: Iterable[Told], endpoint_id: int | None = None) -> None:
    """As `queue_delivery`, for many events at once: two statements."""
    endpoints = WebhookEndpoint.objects.filter(is_active=True)
    if endpoint_id is not None:
        endpoints = endpoints.filter(pk=endpoint_id)
    listening = list(endpoints.values_list("pk", "event_names"))
    now = timezone.now()
    rows = [
        WebhookDelivery(
            endpoint_id=pk,
            event=each.event,
            payload=dict(each.payload),
            dedup_key=each.dedup_key,
            happened_at=each.happened_at or now,
        )
        for each in (told if listening else ())
        for pk, names in listening
        if endpoint_id is not None or each.event in names
    ]
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=AT_ONCE)


def is_told(event: str) -> bool:
    """Whether anybody listens, so that nothing is looked for in vain."""
    return WebhookEndpoint.objects.filter(is_active=True, event_names__contains=[event]).exists()
