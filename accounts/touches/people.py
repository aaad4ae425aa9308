"""Writes to the people of a customer. A champion who left is a signal, from the day on which that became known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.access import may_edit_account
from accounts.models import Account, AccountSignal, Contact, User
from accounts.touches.services import score_account
from config.history import recorded_as

EDITED = ("name", "role", "email", "phone", "is_champion", "is_unmailed", "left_on")


class ContactRefused(ValueError):
    """This cannot be kept of a contact; the message says why, `field` names what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def add_contact(*, account_id: int, user: User, values: Mapping[str, Any], today: dt.date) -> Contact:
    """Raises ContactRefused, and PermissionDenied for who may not edit the account."""
    contact = Contact(account_id=account_id)
    return _save(contact, user, values, today)


def edit_contact(*, contact: Contact, user: User, values: Mapping[str, Any], today: dt.date) -> Contact:
    """Save these of `EDITED`. Raises as add_contact."""
    return _save(contact, user, values, today)


def delete_contact(*, contact: Contact, user: User, today: dt.date) -> None:
    """For one added by mistake: touches with them stay, without them. Who left gets the day instead."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        _lock(contact.account_id, user)
        was_champion = contact.is_champion
        contact.delete()
        if was_champion:
            _tell_of_champions(contact.account_id, today)


def _save(contact: Contact, user: User, values: Mapping[str, Any], today: dt.date) -> Contact:
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        _lock(contact.account_id, user)
        was_champion = contact.is_champion
        for name in EDITED:
            setattr(contact, name, values.get(name, getattr(contact, name)))
        if not contact.name.strip():
            raise ContactRefused("name", "A contact needs a name.")
        if contact.left_on and contact.left_on > today:
            raise ContactRefused("left_on", "Nobody has left on a day that is to come.")
        contact.save(update_fields=EDITED if contact.pk else None)
        if was_champion or contact.is_champion:
            _tell_of_champions(contact.account_id, today)
    return contact


def _lock(account_id: int, user: User) -> None:
    """One at a time, so that two champions who leave at once are both counted."""
    if not may_edit_account(user, account_id):
        raise PermissionDenied("The people of an account are kept by who may edit it.")
    Account.objects.select_for_update(no_key=True).get(pk=account_id)


def _tell_of_champions(account_id: int, today: dt.date) -> None:
    """A champion has left where there was one and none is left. Written only where that is news."""
    champions = Contact.objects.filter(account=account_id, is_champion=True)
    has_left = champions.exists() and not champions.filter(left_on__isnull=True).exists()
    measured = AccountSignal.objects.filter(account=account_id, has_champion_left__isnull=False)
    known = measured.order_by("-measured_on").values_list("has_champion_left", flat=True).first()
    if known == has_left or (known is None and not has_left):
        return
    AccountSignal.objects.update_or_create(
        account_id=account_id, measured_on=today, defaults={"has_champion_left": has_left}
    )
    score_account(account_id=account_id, as_of=today)
