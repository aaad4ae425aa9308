"""Writes to the people of a customer. A champion who left is a signal, from the day on which that became known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from accounts.access import may_edit_account
from accounts.models import Account, Contact, User
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
            _tell_and_score(contact.account_id, today)


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
            _tell_and_score(contact.account_id, today)
    return contact


def _lock(account_id: int, user: User) -> None:
    """One at a time, so that two champions who leave at once are both counted."""
    if not may_edit_account(user, account_id):
        raise PermissionDenied("The people of an account are kept by who may edit it.")
    Account.objects.select_for_update(no_key=True).get(pk=account_id)


def _tell_and_score(account_id: int, today: dt.date) -> None:
    if tell_of_champions([account_id], on=today):
        score_account(account_id=account_id, as_of=today)


def tell_of_champions(account_ids: Sequence[int], *, on: dt.date) -> list[int]:
    """A champion has left where there was one and none is left. Kept as a signal of this day, for the accounts where
    that is news; these are given."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO accounts_accountsignal AS o (account_id, measured_on, has_champion_left)
            SELECT a.id, %s, c.has_left
            FROM accounts_account a
            CROSS JOIN LATERAL (
                SELECT coalesce(bool_and(left_on IS NOT NULL), false) AS has_left FROM accounts_contact
                WHERE account_id = a.id AND is_champion) c
            LEFT JOIN LATERAL (
                SELECT has_champion_left AS had_left FROM accounts_accountsignal
                WHERE account_id = a.id AND has_champion_left IS NOT NULL
                ORDER BY measured_on DESC LIMIT 1) known ON true
            WHERE a.id = ANY(%s) AND c.has_left IS DISTINCT FROM coalesce(known.had_left, false)
            ORDER BY a.id
            ON CONFLICT (account_id, measured_on) DO UPDATE SET has_champion_left = excluded.has_champion_left
            RETURNING account_id
            """,
            [on, list(account_ids)],
        )
        return [account_id for (account_id,) in cursor.fetchall()]
