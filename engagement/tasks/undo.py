"""One step of tasks taken back by its batch, as history kept it; the undo is a step too, so that it can be redone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from accounts.models import User, get_company
from config.history import recorded_as
from engagement.tasks.services import lock_tasks
from engagement.tasks.stakes import refresh_stakes

# What a step writes. What was edited on a task's page is not undone from here.
COLUMNS: Final = "done_at, done_by_id, outcome, spent_minutes, snoozed_until, owner_id"
# What a step left of a row is what the next event of the row found, or the row itself; it is changed where it says
# something else now. What was written and taken back since is no change.
STEP: Final = f"""
SELECT e.pgh_obj_id, ({", ".join(f"t.{name}" for name in COLUMNS.split(", "))}) IS DISTINCT FROM
    ({", ".join(f"CASE WHEN l.pgh_id IS NULL THEN t.{name} ELSE l.{name} END" for name in COLUMNS.split(", "))})
FROM engagement_taskevent e JOIN engagement_task t ON t.id = e.pgh_obj_id
LEFT JOIN LATERAL (SELECT * FROM engagement_taskevent n WHERE n.pgh_obj_id = e.pgh_obj_id AND n.pgh_id > e.pgh_id
    ORDER BY n.pgh_id LIMIT 1) l ON true
WHERE e.pgh_context_id = %s AND e.pgh_label = 'before_update' AND (e.pgh_context ->> 'user')::bigint = %s
"""
PUT_BACK: Final = f"""
UPDATE engagement_task t SET ({COLUMNS}) = (SELECT {", ".join(f"e.{name}" for name in COLUMNS.split(", "))})
FROM engagement_taskevent e
WHERE e.pgh_context_id = %s AND e.pgh_label = 'before_update' AND t.id = e.pgh_obj_id AND t.id = ANY(%s)
"""


class NoSuchStep(LookupError):
    """This user made no such step, or history has forgotten it."""


@dataclass(frozen=True)
class Undone:
    """`kept_count`: tasks that somebody has changed since, which stay as they are."""

    batch_id: UUID
    count: int
    kept_count: int


def undo_step(*, user: User, batch_id: UUID) -> Undone:
    """Put the tasks of one's own step back to what they were before it.

    Raises: NoSuchStep; PermissionDenied where one of the tasks is no longer the user's to write.
    """
    with transaction.atomic(), recorded_as(user_id=user.pk, how="undo") as undo_id, connection.cursor() as cursor:
        cursor.execute(STEP, [batch_id, user.pk])
        found = dict(cursor.fetchall())
        if not found:
            raise NoSuchStep
        lock_tasks(user, found)
        cursor.execute(STEP, [batch_id, user.pk])  # as it stands now that nobody else writes in them
        ids = [pk for pk, is_changed in cursor.fetchall() if not is_changed]
        cursor.execute(PUT_BACK, [batch_id, ids])
        refresh_stakes(as_of=get_company().today(), task_ids=ids)
    return Undone(undo_id, len(ids), len(found) - len(ids))
