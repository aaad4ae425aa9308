"""Webhooks: admins only."""

from engagement.models import WebhookDelivery, WebhookEndpoint
from engagement.webhooks.secrets import seal
from tests.cast import Cast
from tests.permissions import Row, everybody, only

ADMIN, REDIRECT, INVALID = only("admin"), only("admin", status=302), only("admin", status=422)


def endpoint(cast: Cast) -> int:
    values = {"url": "https://8.8.8.8/", "event_names": ["call.frozen"], "sealed_secret": seal("whsec_c2VjcmV0")}
    return WebhookEndpoint.objects.get_or_create(name="CRM", defaults=values)[0].pk


def delivery(cast: Cast) -> int:
    values = {"endpoint_id": endpoint(cast), "event": "call.frozen", "payload": {}, "state": "failed"}
    return WebhookDelivery.objects.get_or_create(dedup_key="k", defaults=values)[0].pk


# Addresses and no names, so that nothing has to be resolved.
ENDPOINT = {"name": "Chat", "url": "https://8.8.4.4/hook", "event_names": "call.frozen", "is_active": "on"}
PRIVATE = ENDPOINT | {"url": "https://10.0.0.1/hook"}
ONE = {"pk": endpoint}
NONE = {"pk": 999_999_999}
ROWS = [
    Row("webhooks:list", ADMIN),
    Row("webhooks:add", ADMIN),
    Row("webhooks:add", ADMIN, method="post", data=ENDPOINT),
    Row("webhooks:add", INVALID, method="post", data=PRIVATE),
    Row("webhooks:endpoint", ADMIN, kwargs=ONE),
    Row("webhooks:endpoint", REDIRECT, kwargs=ONE, method="post", data=ENDPOINT),
    Row("webhooks:endpoint", INVALID, kwargs=ONE, method="post", data=PRIVATE),
    Row("webhooks:endpoint", everybody(403, admin=404), kwargs=NONE),
    Row("webhooks:rotate", ADMIN, kwargs=ONE, method="post"),
    Row("webhooks:rotate", everybody(405), kwargs=ONE),
    Row("webhooks:pause", REDIRECT, kwargs=ONE, method="post"),
    Row("webhooks:resume", REDIRECT, kwargs=ONE, method="post"),
    Row("webhooks:test", REDIRECT, kwargs=ONE, method="post"),
    Row("webhooks:delete", REDIRECT, kwargs=ONE, method="post"),
    Row("webhooks:delete", everybody(405), kwargs=ONE),
    Row("webhooks:replay", REDIRECT, kwargs={"pk": delivery}, method="post"),
    Row("webhooks:replay", everybody(403, admin=404), kwargs=NONE, method="post"),
]
