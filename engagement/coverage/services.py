"""Writes of coverage: the touch models of accounts as one step that can be taken back, and the terms by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from accounts.models import Account, User
from config.history import recorded_as
from engagement.coverage.allocation import MODELS
from engagement.models import CoverageTerms
from renewals.history.batches import recorded_batch
from renewals.models import ChangeBatch

ROLES = (User.Role.ADMIN, User.Role.MANAGER)


def apply_touch_models(*, by: User, changes: Mapping[int, int]) -> ChangeBatch:
    """Set the touch model of accounts (id -> LOW, MID or HIGH) by one UPDATE; `row_count` tells how many were changed.

    Accounts that the user does not write to are left as they are.

    Raises PermissionDenied for anybody but managers and admins.
    """
    if by.role not in ROLES:
        raise PermissionDenied("A manager or an admin sets touch models.")
    mine = Account.objects.editable_by(by).filter(pk__in=list(changes)).order_by().values_list("pk", flat=True)
    ids = sorted(set(mine))
    models = [MODELS[changes[pk]] for pk in ids]
    with recorded_batch(user=by, how=ChangeBatch.How.PAGE, description="Touch models as suggested") as batch:
        # In the order of their ids, so that two who apply at once wait for each other.
        list(Account.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE accounts_account a SET touch_model = n.touch_model, updated_at = now()
                FROM unnest(%s::bigint[], %s::text[]) n (id, touch_model)
                WHERE a.id = n.id AND a.touch_model <> n.touch_model
                """,
                [ids, models],
            )
            batch.row_count = int(cursor.rowcount)
        batch.description = f"Touch models of {batch.row_count:,} account{'' if batch.row_count == 1 else 's'}"
    return batch


def save_terms(*, by: User, terms: Mapping[int | None, Mapping[str, Any] | None]) -> None:
    """Set the terms of each segment named, None being all others; a segment that is given None has none of its own."""
    if not by.is_admin:
        raise PermissionDenied("An admin sets what touch models cost and save.")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        known = {one.segment_id: one for one in CoverageTerms.objects.select_for_update()}
        for segment_id, values in terms.items():
            row = known.get(segment_id)
            if values is None:
                if row is not None:
                    row.delete()
                continue
            if row is not None and all(getattr(row, name) == value for name, value in values.items()):
                continue
            row = row or CoverageTerms(segment_id=segment_id)
            for name, value in values.items():
                setattr(row, name, value)
            row.save()


def editable_ids(user: User, ids: Sequence[int]) -> set[int]:
    """Of these accounts, those whose touch model the user may set."""
    if user.role not in ROLES:
        return set()
    return set(Account.objects.editable_by(user).filter(pk__in=ids).order_by().values_list("pk", flat=True))
