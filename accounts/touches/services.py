"""Writes to touches. Each keeps the account's last touch right and scores its open renewals, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Max

from accounts.access import may_edit_account
from accounts.models import Account, Company, Contact, Touch, User, get_company
from config.history import recorded_as

NOTE_LENGTH = 4000
# Earlier than any customer of a company that renews contracts by software: a year typed wrong.
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
EDITED = ("kind", "happened_at", "contact", "note", "next_touch_on")


class TouchRefused(ValueError):
    """This cannot be a touch; the message says why, `field` names what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class TouchGone(LookupError):
    """There is no such touch, or no deleted one that could come back."""


def log_touch(
    *,
    account_id: int,
    user: User,
    kind: str,
    happened_at: dt.datetime,
    now: dt.datetime,
    contact: Contact | None = None,
    note: str = "",
    next_touch_on: dt.date | None = None,
) -> Touch:
    """Keep a touch. `Account.last_touch_on` becomes its day in the company's time zone where that is later.

    Raises:
        TouchRefused: it is yet to come, its next one does not come after it, or the contact is another account's.
        PermissionDenied: the user does not write to this account.
    """
    company = get_company()
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        account = _lock_account(account_id, user)
        touch = Touch(account=account, author=user, kind=kind, happened_at=happened_at, contact=contact)
        touch.note, touch.next_touch_on = _cleaned(note), next_touch_on
        _check(touch, company, now)
        touch.replaced_touch_on = _known_from_elsewhere(account, company)
        touch.save(force_insert=True)
        _settle(account, company, now, touch.happened_at)
    return touch


def edit_touch(*, touch_id: int, user: User, values: Mapping[str, Any], now: dt.datetime) -> Touch:
    """Save these of `EDITED`. Who may: its author, and who may edit the account.

    Raises: as log_touch, and TouchGone.
    """
    company = get_company()
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        touch, account = _lock_touch(touch_id, user)
        before = touch.happened_at
        for name in EDITED:
            setattr(touch, name, values.get(name, getattr(touch, name)))
        touch.note = _cleaned(touch.note)
        _check(touch, company, now)
        touch.save(update_fields=EDITED)
        if touch.happened_at != before:
            _take_back(account, company, before, touch.replaced_touch_on)
            _settle(account, company, now, touch.happened_at)
    return touch


def delete_touch(*, touch_id: int, user: User, now: dt.datetime) -> Touch:
    """It goes from the page and stays in history. The account's last touch is the one before, if this was the last."""
    company = get_company()
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        touch, account = _lock_touch(touch_id, user)
        touch.delete()
        _take_back(account, company, touch.happened_at, touch.replaced_touch_on)
        _settle(account, company, now)
    return touch


def restore_touch(*, touch_id: int, user: User, now: dt.datetime) -> Touch:
    """A deleted touch as it was, under its own id.

    Raises: TouchGone where history has none or it is there again; PermissionDenied as edit_touch.
    """
    company, deleted = get_company(), _deleted(touch_id)
    if deleted is None:
        raise TouchGone
    kept: dict[str, Any] = {field.attname: getattr(deleted, field.attname) for field in Touch._meta.concrete_fields}
    with transaction.atomic(), recorded_as(user_id=user.pk, how="undo"):
        account = _lock_account(kept["account_id"], user, author_id=kept["author_id"])
        if Touch.objects.filter(pk=touch_id).exists():
            raise TouchGone
        if not Contact.objects.filter(pk=kept["contact_id"]).exists():
            kept["contact_id"] = None
        touch = Touch(**kept)
        touch.save(force_insert=True)
        _settle(account, company, now, touch.happened_at)
    return touch


def settle_last_touches(account_ids: Iterable[int]) -> None:
    """No account's last touch is earlier than the newest touch that is kept of it. Who calls scores what reads it."""
    zone = get_company().time_zone
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE accounts_account a SET last_touch_on = newest.day, updated_at = now()
            FROM (SELECT account_id, max((happened_at AT TIME ZONE %s)::date) AS day FROM accounts_touch
                  WHERE account_id = ANY(%s) GROUP BY 1) newest
            WHERE a.id = newest.account_id AND (a.last_touch_on IS NULL OR a.last_touch_on < newest.day)
            """,
            [zone, sorted(account_ids)],
        )


def account_of_deleted(touch_id: int) -> int | None:
    """Whose touch it was; None where history has no such touch."""
    deleted = _deleted(touch_id)
    return deleted.account_id if deleted else None


def _deleted(touch_id: int) -> Any:
    """The event that holds a deleted touch as it was."""
    events: Any = Touch._meta.get_field("events").related_model
    return events.objects.filter(pgh_obj_id=touch_id, pgh_label="before_delete").order_by("-pgh_id").first()


def may_change_touch(user: User, touch: Touch) -> bool:
    """Its author may, and who may edit the account."""
    return may_edit_account(user, touch.account_id) or _is_authors(touch.author_id, touch.account_id, user)


def score_account(*, account_id: int, as_of: dt.date) -> None:
    """Score the account's open renewals anew. Asked by the name that settings give: this app knows no app above it."""
    ids = Account.objects.filter(pk=account_id, renewals__outcome="open").order_by().values_list("renewals", flat=True)
    import_module(settings.SCORING_BACKEND).score_renewals(list(ids), as_of=as_of)


def _lock_account(account_id: int, user: User, *, author_id: int | None = None) -> Account:
    """The account, locked, so that of two touches at once the later day stays. An author need not edit the account."""
    if not (may_edit_account(user, account_id) or _is_authors(author_id, account_id, user)):
        raise PermissionDenied("Touches are written by who may edit the account, and changed by their author too.")
    return Account.objects.select_for_update(no_key=True).get(pk=account_id)


def _is_authors(author_id: int | None, account_id: int, user: User) -> bool:
    is_author = author_id == user.pk and user.role != User.Role.VIEWER
    return is_author and Account.objects.visible_to(user).filter(pk=account_id).exists()


def _lock_touch(touch_id: int, user: User) -> tuple[Touch, Account]:
    known = Touch.objects.filter(pk=touch_id).values_list("account_id", "author_id").first()
    if known is None:
        raise TouchGone
    account = _lock_account(known[0], user, author_id=known[1])
    touch = Touch.objects.select_for_update().filter(pk=touch_id).first()
    if touch is None:  # deleted while we waited for the account
        raise TouchGone
    return touch, account


def _cleaned(note: str) -> str:
    return note.replace("\x00", "").replace("\r\n", "\n").strip()


def _check(touch: Touch, company: Company, now: dt.datetime) -> None:
    if touch.kind not in Touch.Kind.values:
        raise TouchRefused("kind", f"{touch.kind} is no kind of touch.")
    if touch.happened_at > now:
        raise TouchRefused("happened_at", "A touch has happened; put one that is to come under Next touch.")
    if touch.happened_at < EARLIEST:
        raise TouchRefused("happened_at", f"A touch before {EARLIEST.year} is not kept.")
    if touch.next_touch_on and touch.next_touch_on <= company.today(touch.happened_at):
        raise TouchRefused("next_touch_on", "The next touch comes after this one.")
    if touch.contact and touch.contact.account_id != touch.account_id:
        raise TouchRefused("contact", f"{touch.contact} is not with this customer.")
    if len(touch.note) > NOTE_LENGTH:
        raise TouchRefused("note", f"A note has at most {NOTE_LENGTH:,} characters, not {len(touch.note):,}.")


def _newest_day(account: Account, company: Company) -> dt.date | None:
    newest = Touch.objects.filter(account=account).aggregate(at=Max("happened_at"))["at"]
    return company.today(newest) if newest else None


def _known_from_elsewhere(account: Account, company: Company) -> dt.date | None:
    """The account's last touch, unless the touches kept here explain it; then what the newest of them replaced."""
    if account.last_touch_on != _newest_day(account, company):
        return account.last_touch_on
    return Touch.objects.filter(account=account).order_by("-pk").values_list("replaced_touch_on", flat=True).first()


def _take_back(account: Account, company: Company, happened_at: dt.datetime, replaced_on: dt.date | None) -> None:
    """The last touch without one that is gone: the newest that is left. A later one, from an import, stays."""
    if account.last_touch_on == company.today(happened_at):
        known = (_newest_day(account, company), replaced_on)
        account.last_touch_on = max((day for day in known if day), default=None)


def _settle(account: Account, company: Company, now: dt.datetime, happened_at: dt.datetime | None = None) -> None:
    """Write the account's last touch, never earlier than it is, and score what reads it."""
    day = company.today(happened_at) if happened_at else None
    if day and (account.last_touch_on is None or account.last_touch_on < day):
        account.last_touch_on = day
    Account.objects.filter(pk=account.pk).exclude(last_touch_on=account.last_touch_on).update(
        last_touch_on=account.last_touch_on, updated_at=now
    )
    score_account(account_id=account.pk, as_of=company.today(now))
