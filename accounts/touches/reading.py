"""What is read of an account's touches and people, as the drawer and the account page show it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, IntegerField, Min, QuerySet, Value, When

from accounts.access import may_edit_account
from accounts.models import Account, Company, Contact, Touch, User
from accounts.touches.forms import TouchForm

TOUCHES_SHOWN = 12
ICONS = {"call": "phone", "mail": "mail", "meeting": "users", "review": "checklist", "other": "message"}


@dataclass(frozen=True)
class ShownTouch:
    touch: Touch
    icon: str
    may_change: bool


def next_touch(account: Account) -> dt.date | None:
    """The earliest day that was agreed on and that no touch has come on or after; it may be past."""
    agreed = Touch.objects.filter(account=account, next_touch_on__isnull=False)
    if account.last_touch_on:
        agreed = agreed.filter(next_touch_on__gt=account.last_touch_on)
    earliest: dt.date | None = agreed.aggregate(on=Min("next_touch_on"))["on"]
    return earliest


def contacts_of(account_id: int) -> QuerySet[Contact]:
    """Those who are there, champions first; then those who left."""
    has_left = Case(When(left_on__isnull=True, then=Value(0)), default=Value(1), output_field=IntegerField())
    return Contact.objects.filter(account=account_id).order_by(has_left, F("is_champion").desc(), "name", "pk")


def read_touches(
    account: Account, user: User, company: Company, *, now: dt.datetime, form: TouchForm | None = None
) -> dict[str, Any]:
    """Template context of touches/_section.html. `form` is one with what was typed and what is wrong. Five queries."""
    may_write = may_edit_account(user, account.pk)
    newest = Touch.objects.filter(account=account).select_related("author", "contact").order_by("-happened_at", "-pk")
    shown = list(newest[: TOUCHES_SHOWN + 1])
    next_on = next_touch(account)
    is_writer = user.role != User.Role.VIEWER
    return {
        "account": account,
        "touches": [
            ShownTouch(touch, ICONS[touch.kind], may_write or (is_writer and touch.author_id == user.pk))
            for touch in shown[:TOUCHES_SHOWN]
        ],
        "has_more_touches": len(shown) > TOUCHES_SHOWN,
        "next_touch_on": next_on,
        "is_next_touch_past": next_on is not None and next_on < company.today(now),
        "may_write_touches": may_write,
        "touch_form": (form or new_form(account, now)) if may_write else None,
    }


def new_form(account: Account, now: dt.datetime) -> TouchForm:
    initial = {"kind": Touch.Kind.CALL, "happened_at": now}
    here = contacts_of(account.pk).filter(left_on__isnull=True)
    return TouchForm(contacts=here, now=now, initial=initial, prefix="touch")
