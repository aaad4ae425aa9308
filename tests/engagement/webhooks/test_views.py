"""The pages of endpoints: a secret is shown once, what was sent can be sent again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from engagement.models import WebhookDelivery, WebhookEndpoint
from engagement.webhooks.secrets import unseal
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NEW = {"name": "CRM", "url": "https://8.8.8.8/hook", "event_names": ["call.frozen"], "is_active": "on"}


def test_a_secret_is_shown_once_and_never_again(cast: Cast) -> None:
    admin = cast.client_of("admin")
    made = admin.post("/webhooks/new/", NEW)
    row = WebhookEndpoint.objects.get()
    secret = unseal(row.sealed_secret)
    assert (secret in made.text, "no-store" in made.headers["Cache-Control"]) == (True, True)
    for address in ("/webhooks/", f"/webhooks/{row.pk}/", "/history/"):
        page = admin.get(address).text
        assert (secret in page, row.sealed_secret in page) == (False, False)
    again = admin.post(f"/webhooks/{row.pk}/secret/")
    row.refresh_from_db()
    assert (unseal(row.sealed_secret) in again.text, secret in again.text) == (True, False)


def test_the_address_of_an_endpoint_is_told_to_admins_alone(cast: Cast) -> None:
    """It may hold a key of the other program."""
    cast.client_of("admin").post("/webhooks/new/", NEW)
    endpoint = WebhookEndpoint.objects.get()
    cast.client_of("admin").post(f"/webhooks/{endpoint.pk}/", NEW | {"url": "https://8.8.8.8/key-4711"})
    told = {name: "key-4711" in cast.client_of(name).get("/history/").text for name in ("admin", "auditor", "manager")}
    assert told == {"admin": True, "auditor": False, "manager": False}


def test_saving_an_endpoint_leaves_its_secret(cast: Cast) -> None:
    admin = cast.client_of("admin")
    admin.post("/webhooks/new/", NEW)
    before = WebhookEndpoint.objects.get()
    assert admin.post(f"/webhooks/{before.pk}/", NEW | {"name": "Chat", "sealed_secret": "x"}).status_code == 302
    after = WebhookEndpoint.objects.get()
    assert (after.name, after.sealed_secret) == ("Chat", before.sealed_secret)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"url": "https://169.254.169.254/"}, "169.254.169.254 is not an address of the public Internet."),
        ({"url": "http://8.8.8.8/"}, "An address begins with https://, not &#x27;http&#x27;."),
        ({"event_names": []}, "Choose at least one event."),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused(cast: Cast, values: dict[str, object], message: str) -> None:
    answer = cast.client_of("admin").post("/webhooks/new/", NEW | values)
    assert (answer.status_code, message in answer.text) == (422, True)
    assert not WebhookEndpoint.objects.exists()


def test_what_was_sent_is_sent_again_under_its_id(cast: Cast) -> None:
    admin = cast.client_of("admin")
    admin.post("/webhooks/new/", NEW)
    row = WebhookDelivery.objects.create(
        endpoint=WebhookEndpoint.objects.get(), event="call.frozen", payload={"call": "<b>1</b>"}, dedup_key="k",
        state="delivered", delivered_at=timezone.now(), try_count=3, response_code=200, response_text="<i>ok</i>",
    )  # fmt: skip
    page = admin.get(f"/webhooks/{row.endpoint_id}/").text
    assert ("<b>1</b>" in page, "&lt;i&gt;ok&lt;/i&gt;" in page) == (False, True)
    admin.post(f"/webhooks/deliveries/{row.pk}/replay/")
    key = row.key
    row.refresh_from_db()
    assert (row.state, row.try_count, row.key, row.delivered_at) == ("waiting", 0, key, None)


def test_a_paused_endpoint_is_resumed(cast: Cast) -> None:
    admin = cast.client_of("admin")
    admin.post("/webhooks/new/", NEW)
    WebhookEndpoint.objects.update(paused_at=timezone.now(), failure_count=10)
    row = WebhookEndpoint.objects.get()
    assert "Paused since" in admin.get(f"/webhooks/{row.pk}/").text
    admin.post(f"/webhooks/{row.pk}/resume/")
    row.refresh_from_db()
    assert (row.paused_at, row.failure_count) == (None, 0)
