"""Steps: everything that one paste, bulk edit, import or undo writes, under one id."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from config.history import recorded_as
from renewals.history.kinds import NAMES, UNDOABLE, Kind
from renewals.models import ChangeBatch

How = ChangeBatch.How
# Without a sort of all ids: those of an import mostly have no gap.
ONE_RANGE = """CASE WHEN max(id) - min(id) + 1 = count(*)
    THEN int8multirange(int8range(min(id), max(id), '[]'))::text END"""


@contextmanager
def recorded_batch(*, user: User | None, how: str, description: str) -> Iterator[ChangeBatch]:
    """One transaction whose changes are one step of the history, shown and undone as one.

    The batch is written when the block ends, so `row_count`, `description` and `created_ids` may be set inside. Where
    the block fails there is neither a change nor a batch.
    """
    with transaction.atomic(), recorded_as(user_id=user.pk if user else None, how=how) as batch_id:
        batch = ChangeBatch(id=batch_id, how=how, user=user, description=description[:300])
        yield batch
        batch.save(force_insert=True)


def keep_import(
    *,
    batch_id: uuid.UUID,
    user: User | None,
    file_name: str,
    row_count: int,
    first_ids: Mapping[str, int],
    made_names: Mapping[str, Sequence[int]],
) -> None:
    """The step that an import was. Ask for it last in the import's own transaction, by what `recorded_as` yielded.

    `first_ids` as of note_created_now; `made_names`: by table the ids of what the file added to lists.
    """
    description = f"Import of {file_name}: {row_count:,} row{'' if row_count == 1 else 's'}"[:300]
    batch = ChangeBatch(id=batch_id, how=How.IMPORT, user=user, description=description, row_count=row_count)
    note_created_now(batch, first_ids)
    for kind in NAMES:
        if kind.table in made_names:
            note_created(batch, kind, made_names[kind.table])
    batch.save(force_insert=True)


def note_created_now(batch: ChangeBatch, first_ids: Mapping[str, int]) -> None:
    """Note the rows that this transaction made with `created_at = now()`, for undo.

    An insert leaves no event, so a step that makes rows has to say which. `first_ids` by table: an id that no earlier
    row has passed, so that the book is not read for what is new.
    """
    for kind in UNDOABLE:
        made_now = f"SELECT id FROM {kind.table} WHERE id >= %s AND created_at = now()"
        _note(batch, kind.table, made_now, [first_ids[kind.table]])


def note_created(batch: ChangeBatch, kind: Kind, ids: Sequence[int]) -> None:
    """Note rows that this step made, by their ids."""
    _note(batch, kind.table, "SELECT unnest(%s::bigint[]) AS id", [list(ids)])


def _note(batch: ChangeBatch, table: str, ids: str, params: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {ONE_RANGE}, count(*) FROM ({ids}) made", params)
        ranges, count = cursor.fetchone() or (None, 0)
        if count and ranges is None:
            cursor.execute(f"SELECT range_agg(int8range(id, id, '[]'))::text FROM ({ids}) made", params)
            (ranges,) = cursor.fetchone() or (None,)
    if ranges:
        batch.created_ids = {**batch.created_ids, table: ranges}


def ids_in_ranges() -> str:
    """SQL that spells out an int8multirange, its one parameter, as ids."""
    return """SELECT generate_series(lower(part), upper(part) - 1) AS id
        FROM unnest(%s::int8multirange) AS part"""


def find_maker(kind: Kind, object_id: int, created_at: dt.datetime) -> ChangeBatch | None:
    """The step that made this row, where it is still known."""
    made = ChangeBatch.objects.raw(
        f"""SELECT * FROM {ChangeBatch._meta.db_table} WHERE made_at BETWEEN %s AND %s
            AND (created_ids->>%s)::int8multirange @> %s::bigint ORDER BY made_at LIMIT 1""",
        [created_at - dt.timedelta(days=1), created_at + dt.timedelta(days=1), kind.table, object_id],
    )
    return next(iter(made), None)
