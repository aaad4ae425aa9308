"""Touches and people of an account, and the account's page. The account is the rep's."""

from django.utils import timezone

from accounts.models import Account, Contact, Touch
from accounts.touches.services import delete_touch, log_touch
from tests.cast import Cast, make_account
from tests.permissions import Row, everybody, only

READERS = everybody(200, outsider=404, other_manager=404)
EDITORS = only("rep", "manager", "admin", outsider=404, other_manager=404)
WRITERS = only("rep", "manager", "admin", status=302, outsider=404, other_manager=404)
INVALID = EDITORS | {"rep": 422, "manager": 422, "admin": 422}

MANAGERS = only("manager", "admin", status=302, outsider=404, other_manager=404)
UNKNOWN = MANAGERS | {"manager": 422, "admin": 422}


def account(cast: Cast) -> int:
    return (Account.objects.filter(owner=cast.rep).first() or make_account(owner=cast.rep)).pk


def touch(cast: Cast) -> int:
    now = timezone.now()
    found = Touch.objects.first() or log_touch(
        account_id=account(cast), user=cast.rep, kind="call", happened_at=now, now=now
    )
    return found.pk


def deleted_touch(cast: Cast) -> int:
    pk = touch(cast)
    delete_touch(touch_id=pk, user=cast.rep, now=timezone.now())
    return pk


def contact(cast: Cast) -> int:
    return Contact.objects.get_or_create(account_id=account(cast), name="Ana")[0].pk


TOUCH = {"touch-kind": "call", "touch-note": "<b>Agreed</b>"}
ROWS = [
    Row("account_page:page", READERS, kwargs={"pk": account}),
    Row("account_page:page", everybody(404), kwargs={"pk": 999_999_999}),
    Row("account_page:page", everybody(405), kwargs={"pk": account}, method="post"),
    Row("account_page:story", READERS, kwargs={"pk": account}),
    Row("account_page:story", everybody(404), kwargs={"pk": 999_999_999}),
    Row("account_page:family", MANAGERS, kwargs={"pk": account}, method="post", data={"parent": ""}),
    Row("account_page:family", UNKNOWN, kwargs={"pk": account}, method="post", data={"parent": "Nobody Ltd"}),
    Row("account_page:family", everybody(405), kwargs={"pk": account}),
    Row("account_page:options", everybody(200)),
    Row("touches:section", READERS, kwargs={"account_id": account}),
    Row("touches:log", everybody(405), kwargs={"account_id": account}),
    Row("touches:log", WRITERS, kwargs={"account_id": account}, method="post", data=TOUCH),
    Row("touches:log", INVALID, kwargs={"account_id": account}, method="post", data={"touch-kind": "fax"}),
    Row("touches:log", everybody(404), kwargs={"account_id": 999_999_999}, method="post", data=TOUCH),
    Row("touches:edit", EDITORS, kwargs={"pk": touch}),
    Row("touches:edit", WRITERS, kwargs={"pk": touch}, method="post", data=TOUCH),
    Row("touches:edit", everybody(404), kwargs={"pk": 999_999_999}),
    Row("touches:delete", WRITERS, kwargs={"pk": touch}, method="post"),
    Row("touches:delete", everybody(405), kwargs={"pk": touch}),
    Row("touches:restore", WRITERS, kwargs={"pk": deleted_touch}, method="post"),
    Row("touches:restore", everybody(404), kwargs={"pk": 999_999_999}, method="post"),
    Row("contacts:add", EDITORS, kwargs={"account_id": account}),
    Row("contacts:add", WRITERS, kwargs={"account_id": account}, method="post", data={"name": "Bea"}),
    Row("contacts:add", INVALID, kwargs={"account_id": account}, method="post", data={"name": ""}),
    Row("contacts:edit", EDITORS, kwargs={"pk": contact}),
    Row("contacts:edit", WRITERS, kwargs={"pk": contact}, method="post", data={"name": "Bea"}),
    Row("contacts:delete", WRITERS, kwargs={"pk": contact}, method="post"),
    Row("contacts:delete", everybody(405), kwargs={"pk": contact}),
]
