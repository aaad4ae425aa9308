"""Deliveries to a real HTTP server: signed, tried again, paused, never lost."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
import time
from typing import Any

import pytest
from django.utils import timezone

from config.celery import app
from engagement.models import OutgoingMail, WebhookDelivery, WebhookEndpoint
from engagement.webhooks.outbox import Told, queue_deliveries, queue_delivery
from engagement.webhooks.secrets import SecretUnreadable, make_secret, seal, unseal
from engagement.webhooks.sending import LEASE, claim_delivery, forget_old_deliveries, send_waiting_deliveries
from engagement.webhooks.signature import sign
from tests.cast import Cast
from tests.engagement.webhooks.sink import Sink, http_sink
from tests.workers import kill, start_worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
MOMENT = dt.datetime(2026, 11, 22, 8, 30, tzinfo=dt.UTC)


def endpoint(url: str, **fields: Any) -> WebhookEndpoint:
    values = {
        "name": f"Endpoint {url}",
        "event_names": ["call.frozen"],
        "sealed_secret": seal("whsec_c2VjcmV0"),
        **fields,
    }
    return WebhookEndpoint.objects.create(url=url, **values)


def frozen(key: str = "call:1") -> None:
    queue_delivery(event="call.frozen", payload={"call": 1}, dedup_key=key, happened_at=MOMENT)


def make_due() -> None:
    WebhookDelivery.objects.update(next_try_at=timezone.now())
    WebhookEndpoint.objects.update(next_try_at=timezone.now())


def test_a_delivery_is_signed_so_that_the_receiver_can_tell(sink: Sink) -> None:
    endpoint(sink.url)
    frozen()
    before = int(time.time())
    send_waiting_deliveries()
    send_waiting_deliveries()
    (request,), delivery = sink.requests, WebhookDelivery.objects.get()
    assert json.loads(request.body) == {
        "type": "call.frozen", "timestamp": "2026-11-22T08:30:00+00:00", "data": {"call": 1}
    }  # fmt: skip
    key, sent_at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert (key, before <= int(sent_at) <= time.time()) == (str(delivery.key), True)
    # As a receiver does it, in its own words (docs/webhooks.md).
    content = f"{key}.{sent_at}.".encode() + request.body
    expected = base64.b64encode(hmac.new(b"secret", content, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert (request.path, request.headers["content-type"]) == ("/hooks?a=1", "application/json")
    assert (delivery.state, delivery.try_count, delivery.response_code, delivery.response_text, delivery.error) == (
        "delivered", 1, 200, "ok", ""
    )  # fmt: skip


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of standardwebhooks.com's reference libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signature = sign(secret=secret, key="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_only_who_chose_the_event_is_told_and_once(sink: Sink) -> None:
    chose = endpoint(sink.url)
    endpoint("http://127.0.0.1:1/", name="Other", event_names=["import.done"])
    endpoint("http://127.0.0.1:1/", name="Off", is_active=False)
    frozen()
    frozen()
    queue_deliveries(told=[Told("call.frozen", {}, "call:1"), Told("call.frozen", {}, "call:2")])
    kept = WebhookDelivery.objects.order_by("pk").values_list("endpoint", "dedup_key", "payload")
    assert list(kept) == [(chose.pk, "call:1", {"call": 1}), (chose.pk, "call:2", {})]


def test_what_fails_is_tried_again_later_with_the_same_id(sink: Sink) -> None:
    sink.codes, sink.answer = [500, 400, 200], b"Not today"
    row = endpoint(sink.url)
    frozen()
    states = []
    for _ in range(3):
        before = timezone.now()
        send_waiting_deliveries()
        delivery = WebhookDelivery.objects.get()
        row.refresh_from_db()
        pause = (delivery.next_try_at - before).total_seconds()
        states.append((delivery.state, delivery.response_code, delivery.error, row.failure_count))
        assert delivery.state == "delivered" or 60 * delivery.try_count <= pause <= 125 * delivery.try_count
        make_due()
    assert states == [
        ("waiting", 500, "It answered 500.", 1),
        ("waiting", 400, "It answered 400.", 2),
        ("delivered", 200, "", 0),
    ]
    assert len({request.headers["webhook-id"] for request in sink.requests}) == 1
    assert WebhookDelivery.objects.get().response_text == "Not today"


def test_an_endpoint_that_does_not_answer_is_asked_once_for_all_that_waits(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    row = endpoint("http://127.0.0.1:1/")
    for number in range(20):
        frozen(f"call:{number}")
    now = timezone.now()
    send_waiting_deliveries()
    row.refresh_from_db()
    assert sorted(WebhookDelivery.objects.values_list("try_count", flat=True)) == [0] * 19 + [1]
    assert (row.failure_count, 60 <= (row.next_try_at - now).total_seconds() <= 125) == (1, True)
    send_waiting_deliveries()
    row.refresh_from_db()
    assert row.failure_count == 1


def test_one_refused_delivery_holds_up_no_other(sink: Sink) -> None:
    sink.codes = [400, 200]
    endpoint(sink.url)
    frozen("call:1")
    frozen("call:2")
    send_waiting_deliveries()
    states = WebhookDelivery.objects.order_by("pk").values_list("dedup_key", "state")
    assert list(states) == [("call:1", "waiting"), ("call:2", "delivered")]


def test_a_silent_endpoint_holds_up_no_other(sink: Sink) -> None:
    with http_sink() as slow:
        slow.delay_seconds = 2
        endpoint(slow.url, name="A slow one")
        endpoint(sink.url, name="Quick")
        for number in range(5):
            frozen(f"call:{number}")
        started = time.monotonic()
        worker = threading.Thread(target=send_waiting_deliveries)
        worker.start()
        while len(sink.requests) < 5:
            assert time.monotonic() - started < 5
            time.sleep(0.02)
        assert len(slow.requests) <= 2
        slow.delay_seconds = 0
        worker.join(30)
        assert len(slow.requests) == 5


def test_ten_failures_in_a_row_pause_the_endpoint_and_tell_the_admins(cast: Cast, sink: Sink) -> None:
    sink.codes = [500]
    row = endpoint(sink.url, name="CRM")
    frozen()
    for _ in range(12):
        send_waiting_deliveries()
        make_due()
    row.refresh_from_db()
    assert (len(sink.requests), row.failure_count, row.paused_at is not None) == (10, 10, True)
    (mail,) = OutgoingMail.objects.all()
    assert (mail.to, mail.subject) == ([cast.admin.email], "Webhook paused: CRM")
    assert "failed 10 times in a row and is paused.\nThe last try: It answered 500.\n" in mail.text
    frozen("call:2")  # what happens meanwhile is kept
    assert sorted(WebhookDelivery.objects.values_list("state", flat=True)) == ["waiting", "waiting"]


def test_a_delivery_is_given_up_after_its_last_try(sink: Sink) -> None:
    sink.codes = [500]
    endpoint(sink.url)
    frozen()
    WebhookDelivery.objects.update(try_count=14)
    send_waiting_deliveries()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.try_count) == ("failed", 15)


def test_failures_leave_no_trace_in_history_but_the_pause_does(sink: Sink) -> None:
    sink.codes = [500]
    endpoint(sink.url, failure_count=8)
    frozen()
    send_waiting_deliveries()
    model: Any = WebhookEndpoint._meta.get_field("events").related_model
    assert list(model.objects.values_list("pgh_label", flat=True)) == ["after_insert"]
    make_due()
    send_waiting_deliveries()
    assert list(model.objects.order_by("pgh_id").values_list("pgh_label", "paused_at")) == [
        ("after_insert", None), ("before_update", None)
    ]  # fmt: skip
    assert "sealed_secret" not in {field.name for field in model._meta.get_fields()}


def test_a_private_address_is_refused_when_it_is_called_too(settings: Any) -> None:
    """It may have been public when it was typed, and the setting that allowed it may be gone."""
    settings.WEBHOOK_ALLOW_PRIVATE = False
    endpoint("https://localhost/")
    frozen()
    send_waiting_deliveries()
    error = WebhookDelivery.objects.get().error
    assert error.startswith("localhost (")
    assert error.endswith(") is not an address of the public Internet.")


def test_a_secret_is_kept_sealed_and_opens_with_no_other_key(settings: Any) -> None:
    secret = make_secret()
    sealed = seal(secret)
    assert (unseal(sealed), secret in sealed, seal(secret) == sealed) == (secret, False, False)
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadable):
        unseal(sealed)


def test_a_claimed_delivery_is_nobody_elses_until_its_lease_ends() -> None:
    row, now = endpoint("https://example.com/"), timezone.now() + dt.timedelta(seconds=1)
    frozen()
    assert claim_delivery(endpoint_id=row.pk, now=now) is not None
    assert claim_delivery(endpoint_id=row.pk, now=now + LEASE - dt.timedelta(seconds=1)) is None
    again = claim_delivery(endpoint_id=row.pk, now=now + LEASE)
    assert again is not None
    assert again.try_count == 2


def test_a_killed_worker_loses_no_delivery(monkeypatch: Any, sink: Sink) -> None:
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "yes")
    endpoint(sink.url)
    frozen()
    sink.delay_seconds = 8
    task = "engagement.webhooks.tasks.send_waiting_deliveries"
    app.send_task(task)
    workers = [start_worker()]
    try:
        wait_until(lambda: len(sink.requests) == 1)
        kill(workers[0])
        delivery = WebhookDelivery.objects.get()
        assert (delivery.state, delivery.try_count, delivery.next_try_at > timezone.now()) == ("waiting", 1, True)
        sink.delay_seconds = 0
        make_due()  # the lease is over
        app.send_task(task)
        workers.append(start_worker())
        wait_until(lambda: WebhookDelivery.objects.get().state == "delivered")
    finally:
        for worker in workers:
            kill(worker)
        app.control.purge()
    assert [request.headers["webhook-id"] for request in sink.requests] == [str(delivery.key)] * 2


def test_old_deliveries_are_forgotten_unless_they_wait(sink: Sink) -> None:
    endpoint(sink.url)
    frozen("call:1")
    send_waiting_deliveries()
    frozen("call:2")
    assert forget_old_deliveries(before=timezone.now() + dt.timedelta(days=1)) == 1
    assert [row.dedup_key for row in WebhookDelivery.objects.all()] == ["call:2"]
