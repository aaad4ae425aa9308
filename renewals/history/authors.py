"""Who made some columns of rows what they are: for conflicts, where somebody was faster."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from renewals.history.kinds import RENEWAL


def newest_authors(columns: Sequence[str], ids: Sequence[int]) -> dict[int, tuple[str, dt.datetime]]:
    """Name and moment by renewal: of the newest event in which one of these columns was something else.

    One statement. A renewal whose columns nobody changed, or no person, is missing.
    """
    differs = " OR ".join(f"x.{column} IS DISTINCT FROM r.{column}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT ON (x.pgh_obj_id) x.pgh_obj_id, u.name, x.pgh_created_at
                FROM {RENEWAL.event_table} x JOIN {RENEWAL.table} r ON r.id = x.pgh_obj_id
                JOIN accounts_user u ON u.id = (x.pgh_context->>'user')::bigint
                WHERE x.pgh_obj_id = ANY(%s) AND ({differs})
                ORDER BY x.pgh_obj_id, x.pgh_id DESC""",
            [list(ids)],
        )
        return {pk: (name, at) for pk, name, at in cursor.fetchall()}
