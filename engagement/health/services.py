"""Writes to the weights of health and to what is weighed. Each asks for the accounts that it touches to be judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Max

from accounts.models import HealthFactor, HealthWeightVersion, Segment, User
from config.history import recorded_as

MARK = """
    INSERT INTO accounts_stalehealth (account_id, marked_at)
    SELECT a.id, now() FROM accounts_account a
    WHERE {condition} AND EXISTS (SELECT FROM accounts_accountsignal s WHERE s.account_id = a.id) ORDER BY 1
    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at
"""


def save_weights(
    *, by: User, segment: Segment | None, weights: Mapping[str, float], healthy_from: int, watch_from: int
) -> HealthWeightVersion:
    """A new version for a segment (None: for the segments without their own).

    Raises:
        ValueError: a weight is negative, none is above 0, or the bands are not 0 < watch < healthy <= 100.
        PermissionDenied: only admins set weights.
    """
    if min(weights.values(), default=0) < 0 or sum(weights.values()) <= 0:
        raise ValueError("Weights are 0 or more, and one of them at least is above 0.")
    if not 0 < watch_from < healthy_from <= 100:
        raise ValueError("Watch begins above 0 and below healthy, which begins at 100 at most.")
    return _add_version(by, segment, dict(weights), healthy_from, watch_from)


def share_weights(*, by: User, segment: Segment) -> HealthWeightVersion:
    """End a segment's own weights: it uses those of the other segments again."""
    return _add_version(by, segment, {}, HealthWeightVersion().healthy_from, HealthWeightVersion().watch_from)


def _add_version(
    by: User, segment: Segment | None, weights: dict[str, float], healthy_from: int, watch_from: int
) -> HealthWeightVersion:
    _require_admin(by)
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        version = HealthWeightVersion.objects.create(
            segment=segment, weights=weights, healthy_from=healthy_from, watch_from=watch_from, created_by=by
        )
        _mark_accounts(segment)
    return version


def add_factor(*, by: User, factor: HealthFactor) -> HealthFactor:
    """A custom signal, without weight until an admin gives it one.

    Factors are never deleted: an account's parts are kept by their places.
    """
    _require_admin(by)
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        # Taking turns: two new factors at once would get one position.
        list(HealthFactor.objects.order_by("position").select_for_update().values_list("pk"))
        last = HealthFactor.objects.aggregate(last=Max("position"))["last"]
        factor.position, factor.is_custom = (0 if last is None else last + 1), True
        factor.save(force_insert=True)
    return factor


def update_factor(*, by: User, factor: HealthFactor, values: Mapping[str, Any]) -> HealthFactor:
    """Another scale, another name: every account is judged anew."""
    _require_admin(by)
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        for name, value in values.items():
            setattr(factor, name, value)
        factor.save(update_fields=list(values))
        _mark_accounts(None)
    return factor


def _require_admin(by: User) -> None:
    if not by.is_admin:
        raise PermissionDenied("An admin sets what health is made of.")


def _mark_accounts(segment: Segment | None) -> None:
    """Those of a segment, or all: which segments share the others' weights may be changing too."""
    with connection.cursor() as cursor:
        if segment is None:
            cursor.execute(MARK.format(condition="true"))
        else:
            cursor.execute(MARK.format(condition="a.segment_id = %s"), [segment.pk])
