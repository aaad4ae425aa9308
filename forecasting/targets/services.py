"""The write to targets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from config.history import recorded_as
from forecasting.models import Target


class Held(NamedTuple):
    """Who is held to it, and from which day on: a team or an owner; the whole company where both are None."""

    team_id: int | None
    owner_id: int | None
    starts_on: dt.date


class Asked(NamedTuple):
    """An amount that somebody typed, and what stood there when they did; None is no target."""

    amount: Decimal | None
    seen: Decimal | None


class StaleTargets(Exception):
    """Somebody changed some of these meanwhile: `present` has what they are now. Nothing was written."""

    def __init__(self, present: dict[Held, Decimal | None]) -> None:
        super().__init__("Somebody else changed these targets meanwhile.")
        self.present = present


def save_targets(*, by: User, grain: str, asked: Mapping[Held, Asked]) -> int:
    """Set the targets that are asked for, all or none; how many changed.

    Raises:
        PermissionDenied: one of them is not this user's to set.
        StaleTargets: one of them is no longer what the user saw.
    """
    with transaction.atomic(), recorded_as(user_id=by.pk, how="page"):
        _refuse_strangers(by, asked)
        rows = Target.objects.filter(grain=grain, starts_on__in={held.starts_on for held in asked})
        present = {Held(row.team_id, row.owner_id, row.starts_on): row for row in rows.select_for_update()}
        amounts = {held: present[held].amount if held in present else None for held in asked}
        stale = {held: amounts[held] for held, one in asked.items() if amounts[held] not in (one.seen, one.amount)}
        if stale:
            raise StaleTargets(stale)
        changed = {held: one.amount for held, one in asked.items() if one.amount != amounts[held]}
        gone = [present[held].pk for held, amount in changed.items() if amount is None]
        Target.objects.filter(pk__in=gone).delete()
        moved = [held for held, amount in changed.items() if amount is not None and held in present]
        for held in moved:
            present[held].amount = changed[held] or Decimal(0)
        Target.objects.bulk_update([present[held] for held in moved], ["amount"])
        Target.objects.bulk_create(
            Target(grain=grain, amount=amount, **held._asdict())
            for held, amount in changed.items()
            if amount is not None and held not in present
        )
    return len(changed)


def _refuse_strangers(by: User, asked: Mapping[Held, Asked]) -> None:
    if by.is_admin:
        return
    if by.role != User.Role.MANAGER or by.team_id is None:
        raise PermissionDenied("Targets are set by managers and admins.")
    owners = {held.owner_id for held in asked if held.owner_id is not None}
    own = set(User.objects.filter(pk__in=owners, team=by.team_id).values_list("pk", flat=True))
    for held in asked:
        is_own = held.owner_id in own if held.owner_id is not None else held.team_id == by.team_id
        if not is_own:
            raise PermissionDenied("A manager sets the targets of their own team and its people.")
