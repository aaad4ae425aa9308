"""Families of accounts: nothing stands above itself, which no constraint of one row can hold."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, connection


class FamilyLoop(IntegrityError):
    """An account would stand above itself."""


def refuse_loops(account_ids: Sequence[int]) -> None:
    """Walks up from each. Raises FamilyLoop, as the database would raise for a rule that it can hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE up AS (
                SELECT family_id AS above FROM accounts_account WHERE id = ANY(%s) AND family_id IS NOT NULL
                UNION ALL
                SELECT a.family_id FROM up JOIN accounts_account a ON a.id = up.above WHERE a.family_id IS NOT NULL
            ) CYCLE above SET is_loop USING path
            SELECT 1 FROM up WHERE is_loop LIMIT 1
            """,
            [list(account_ids)],
        )
        if cursor.fetchone():
            raise FamilyLoop("It would stand above itself: the account stands above its former parent by now.")
