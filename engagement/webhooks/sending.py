"""Delivering what waits: at least once, each endpoint in a thread of its own so that a slow one holds up no other.

A delivery is claimed in a short transaction that gives it a lease, sent outside of any, and then marked. A process
killed in between costs the rest of the lease and, where the endpoint had it already, a second delivery with the same
id. An endpoint that does not answer is left alone for a growing pause, whatever waits for it, and paused for good,
with a mail to the admins, after PAUSED_AFTER failed tries in a row.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from config.history import recorded_as
from engagement.back_off import next_try_at
from engagement.mail.outbox import queue_mail
from engagement.models import WebhookDelivery, WebhookEndpoint
from engagement.webhooks.post import Answer, post
from engagement.webhooks.secrets import SecretUnreadable, unseal
from engagement.webhooks.signature import sign

log = logging.getLogger(__name__)
State = WebhookDelivery.State
# As with mail: whoever claimed is dead before the lease can end (engagement.webhooks.tasks).
BATCH_SECONDS, TASK_SECONDS = 30, 120
LEASE = dt.timedelta(seconds=180)
MOST_THREADS = 8
MOST_TRIES = 15  # about three days
PAUSED_AFTER = 10
USER_AGENT = "Perennial-Webhooks/1"


def send_waiting_deliveries() -> None:
    """Send what is due, for at most BATCH_SECONDS and the last try of each endpoint."""
    due = WebhookDelivery.objects.due(timezone.now()).order_by().values_list("endpoint", flat=True).distinct()
    endpoint_ids = list(due)
    if not endpoint_ids:
        return
    until = time.monotonic() + BATCH_SECONDS
    with ThreadPoolExecutor(min(MOST_THREADS, len(endpoint_ids))) as threads:
        list(threads.map(lambda endpoint_id: _serve(endpoint_id, until), endpoint_ids))


def _serve(endpoint_id: int, until: float) -> None:
    """One endpoint's deliveries, one after the other."""
    try:
        while time.monotonic() < until and (delivery := claim_delivery(endpoint_id=endpoint_id, now=timezone.now())):
            mark(delivery, send(delivery), now=timezone.now())
    finally:
        connection.close()  # the thread's own


def claim_delivery(*, endpoint_id: int, now: dt.datetime) -> WebhookDelivery | None:
    """The endpoint's longest waiting delivery that nobody else has, ours until the lease ends."""
    with transaction.atomic():
        due = WebhookDelivery.objects.due(now).filter(endpoint=endpoint_id).select_related("endpoint")
        delivery = due.select_for_update(skip_locked=True, of=("self",)).first()
        if delivery:
            delivery.try_count, delivery.next_try_at, delivery.error = delivery.try_count + 1, now + LEASE, ""
            delivery.save(update_fields=["try_count", "next_try_at", "error"])
    return delivery


def send(delivery: WebhookDelivery) -> Answer:
    """POST it, signed. Never raises for what the other side does."""
    now, key = timezone.now(), str(delivery.key)
    try:
        secret = unseal(delivery.endpoint.sealed_secret)
    except SecretUnreadable as error:
        return Answer(None, "", str(error), 0)
    body = json.dumps(
        {"type": delivery.event, "timestamp": delivery.happened_at.isoformat(), "data": delivery.payload}
    ).encode()
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret=secret, key=key, timestamp=timestamp, body=body),
    }
    return post(delivery.endpoint.url, body, headers)


def mark(delivery: WebhookDelivery, answer: Answer, *, now: dt.datetime) -> None:
    """Keep what came of a try, unless somebody else has claimed the delivery since."""
    kept = {
        "tried_at": now,
        "response_code": answer.code,
        "response_text": answer.text,
        "error": answer.error,
        "duration_ms": answer.duration_ms,
    }
    with transaction.atomic(), recorded_as(user_id=None, how="job"):
        row = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.WAITING, try_count=delivery.try_count)
        if answer.is_taken:
            row.update(**kept, state=State.DELIVERED, delivered_at=now)
            WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).exclude(failure_count=0).update(failure_count=0)
            return
        is_last = delivery.try_count >= MOST_TRIES
        row.update(**kept, **({"state": State.FAILED} if is_last else {"next_try_at": next_try_at(now)}))
        _count_failure(delivery.endpoint, answer, now)
    log.warning("Delivery %s to %s failed: %s", delivery.pk, delivery.endpoint, answer.error)


def _count_failure(endpoint: WebhookEndpoint, answer: Answer, now: dt.datetime) -> None:
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    row.update(failure_count=F("failure_count") + 1)
    if answer.is_silence:
        row.update(next_try_at=next_try_at(now, count="failure_count"))
    if row.filter(failure_count__gte=PAUSED_AFTER, paused_at__isnull=True).update(paused_at=now):
        _tell_admins(endpoint, answer, now)


def _tell_admins(endpoint: WebhookEndpoint, answer: Answer, now: dt.datetime) -> None:
    text = (
        f"The webhook endpoint {endpoint.name} ({endpoint.url}) failed {PAUSED_AFTER} times in a row and is paused.\n"
        f"The last try: {answer.error}\n\n"
        "What happens meanwhile is kept. When the endpoint works again, resume it under Webhooks.\n"
    )
    for email in User.objects.filter(role=User.Role.ADMIN, is_active=True).values_list("email", flat=True):
        queue_mail(
            to=[email],
            subject=f"Webhook paused: {endpoint.name}",
            text=text,
            dedup_key=f"webhook-paused:{endpoint.pk}:{now.isoformat()}:{email}",
        )


def forget_old_deliveries(*, before: dt.datetime) -> int:
    """Drop what was delivered or failed before a moment; what waits stays."""
    return WebhookDelivery.objects.exclude(state=State.WAITING).filter(created_at__lt=before).delete()[0]
