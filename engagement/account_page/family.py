"""The family of an account: the accounts above and below it, and the edit that refuses a loop."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Account, User
from config.history import recorded_as

MOST_SHOWN = 200
MOST_LEVELS = 30  # bounds the walk where a loop was made before loops were refused


class FamilyLoop(ValueError):
    """An account would be above itself."""


@dataclass(frozen=True)
class Kin:
    """An account of the family; `level` is 0 for the topmost. One that the reader may not see has no id and no name."""

    id: int | None
    name: str
    level: int
    is_here: bool


TREE = """
    WITH RECURSIVE up AS (
        SELECT id, family_id, 0 AS steps FROM {table} WHERE id = %s
        UNION ALL SELECT a.id, a.family_id, up.steps + 1 FROM {table} a JOIN up ON a.id = up.family_id
        WHERE up.steps < %s
    ), root AS (SELECT id FROM up ORDER BY steps DESC LIMIT 1),
    tree AS (
        SELECT a.id, a.name, 0 AS level, ARRAY[a.name, a.id::text] AS path, ARRAY[a.id] AS seen
        FROM {table} a JOIN root USING (id)
        UNION ALL SELECT a.id, a.name, tree.level + 1, tree.path || a.name::text || a.id::text, tree.seen || a.id
        FROM {table} a JOIN tree ON a.family_id = tree.id WHERE tree.level < %s AND NOT a.id = ANY(tree.seen)
    )
    SELECT id, name, level FROM tree ORDER BY path LIMIT %s
"""


def read_family(account: Account, user: User) -> list[Kin]:
    """The whole tree that the account stands in, from the top; nothing where it stands alone. Two queries."""
    query = TREE.format(table=Account._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(query, [account.pk, MOST_LEVELS, MOST_LEVELS, MOST_SHOWN])
        found = cursor.fetchall()
    if len(found) < 2:
        return []
    visible = set(
        Account.objects.visible_to(user)
        .filter(pk__in=[pk for pk, _, _ in found])
        .order_by()
        .values_list("pk", flat=True)
    )
    return [
        Kin(pk, name, level, pk == account.pk) if pk in visible else Kin(None, "", level, False)
        for pk, name, level in found
    ]


def may_edit_family(user: User, account: Account) -> bool:
    """What came with the account belongs to managers and admins, as in an import."""
    if user.is_admin:
        return True
    owner = account.owner
    return user.role == User.Role.MANAGER and owner is not None and owner.team_id == user.team_id is not None


def set_family(*, account_id: int, parent_id: int | None, user: User) -> Account:
    """Put an account below another one, or let it stand alone.

    Raises:
        FamilyLoop: the other one is the account itself, or stands below it.
        PermissionDenied: as may_edit_family; and the other one has to be one that the user sees.
    """
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        with connection.cursor() as cursor:
            # Two moves at once could close a loop that neither of them sees. They are rare: one at a time.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('accounts.family'))")
        account = (
            Account.objects.select_for_update(no_key=True, of=("self",)).select_related("owner").get(pk=account_id)
        )
        if not may_edit_family(user, account):
            raise PermissionDenied("A manager of the account's team or an admin sets its family.")
        if parent_id is not None:
            if not Account.objects.visible_to(user).filter(pk=parent_id).exists():
                raise PermissionDenied("You do not see that account.")
            above = _above(parent_id)
            if account.pk in above:
                raise FamilyLoop(f"{above[parent_id]} belongs to {account.name} already: it cannot stand above it too.")
        account.family_id = parent_id
        account.updated_at = timezone.now()
        account.save(update_fields=["family", "updated_at"])
    return account


def _above(account_id: int) -> dict[int, str]:
    """The account and those above it, by id. UNION ends the walk where a loop is in the book already."""
    query = f"""
        WITH RECURSIVE up AS (
            SELECT id, family_id, name FROM {Account._meta.db_table} WHERE id = %s
            UNION SELECT a.id, a.family_id, a.name FROM {Account._meta.db_table} a JOIN up ON a.id = up.family_id
        ) SELECT id, name FROM up
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [account_id])
        return dict(cursor.fetchall())
