"""Writing what was planned: one transaction, one step of the history, a few statements whatever the number of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from django.db import connection

from renewals.bulk.plan import ROWS, editable_sql
from renewals.bulk.rules import COLUMNS, NOT_YOURS, TABLE
from renewals.forms import LABELS
from renewals.history.batches import recorded_batch
from renewals.history.kinds import RENEWAL
from renewals.models import BulkEdit, ChangeBatch
from renewals.scoring import scoring

ROWS_AT_ONCE = 20_000  # so that progress can be told; what is written is one transaction all the same
# Measured on 2 cores: 2.3 s for 20,000 rows here and now, 6.8 s for 50,000, and 3.8 s for a run over a book of 100,000,
# which nobody waits for. Up to here the scores are there with the edit.
SCORED_AT_ONCE = 20_000
HOW = {
    BulkEdit.Kind.SELECTION: ChangeBatch.How.BULK,
    BulkEdit.Kind.FILE: ChangeBatch.How.IMPORT,
    BulkEdit.Kind.PASTE: ChangeBatch.How.PASTE,
}
CHANGED = "Changed since: "
EVENTS = RENEWAL.event_table
GONE = "This renewal is no longer there."


def apply_rows(edit: BulkEdit, *, as_of: dt.date, on_progress: Callable[[int], None] | None = None) -> None:
    """Write the chosen rows that are still as the plan saw them; each row of the edit says what became of it.

    A row that somebody has changed since, in a column that this edit depends on, is skipped. Rows that nobody may edit
    any more are refused. Must run in a transaction of its own; sets the counts and the batch of `edit`, and does not
    save it.
    """
    ids = _chosen_ids(edit)
    with recorded_batch(user=edit.requested_by, how=HOW[BulkEdit.Kind(edit.kind)], description="") as batch:
        written: list[int] = []
        for start in range(0, len(ids), ROWS_AT_ONCE):
            part = ids[start : start + ROWS_AT_ONCE]
            _lock(part)
            _judge(edit, part)
            written += _write(edit, part)
            if on_progress:
                on_progress(start + len(part))
        edit.done_count, edit.written_count = len(ids), len(written)
        batch.row_count = len(written)
        batch.description = f"{edit.description} · {len(written):,} {'renewal' if len(written) == 1 else 'renewals'}"[
            :300
        ]
        if written:
            edit.batch_id = batch.pk
            _score(written, edit, as_of)


def _chosen_ids(edit: BulkEdit) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT renewal_id FROM {ROWS} WHERE edit_id = %s AND verdict = 'ready' AND is_chosen ORDER BY renewal_id",
            [edit.pk],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _lock(ids: Sequence[int]) -> None:
    """In the order of their ids, so that two who lock many never wait for each other. A statement of its own: what the
    next one reads is what was committed before the locks were had."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {TABLE} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(ids)])


def _judge(edit: BulkEdit, ids: Sequence[int]) -> None:
    """Say of each row whether it is written."""
    editable, params = editable_sql(edit.requested_by)
    stale = {column: _stale(column) for column in dict.fromkeys([*edit.columns, "forecast_amount"])}
    labels = ", ".join(f"CASE WHEN {sql} THEN '{_label(column)}'{_author(column)} END" for column, sql in stale.items())
    statement = f"""
        WITH judged AS (
            SELECT e.id, r.id IS NULL AS is_gone, NOT ({editable}) AS is_refused, concat_ws(', ', {labels}) AS stale
            FROM {ROWS} e LEFT JOIN {TABLE} r ON r.id = e.renewal_id
            WHERE e.edit_id = %(edit)s AND e.renewal_id = ANY(%(ids)s) AND e.verdict = 'ready'
        )
        UPDATE {ROWS} e SET
            verdict = CASE WHEN is_gone OR is_refused THEN 'refused' WHEN stale <> '' THEN 'skipped' ELSE 'written' END,
            reason = CASE WHEN is_gone THEN '{GONE}' WHEN is_refused THEN '{NOT_YOURS}'
                          WHEN stale <> '' THEN '{CHANGED}' || stale || '.' ELSE '' END
        FROM judged WHERE e.id = judged.id
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"edit": edit.pk, "ids": list(ids), **params})


def _stale(column: str) -> str:
    """Neither as it was seen nor as it is wanted already. Compared as texts, as they are stored."""
    now = f"r.{column}::text"
    return (
        f"(e.seen ? '{column}' AND {now} IS DISTINCT FROM e.seen->>'{column}'"
        f" AND NOT (e.wanted ? '{column}' AND {now} IS NOT DISTINCT FROM e.wanted->>'{column}'))"
    )


def _author(column: str) -> str:
    """SQL of who made the column what it is: of the newest event in which it was something else."""
    return f""" || coalesce(' by ' || (
        SELECT u.name FROM {EVENTS} x JOIN accounts_user u ON u.id = (x.pgh_context->>'user')::bigint
        WHERE x.pgh_obj_id = r.id AND x.{column} IS DISTINCT FROM r.{column} ORDER BY x.pgh_id DESC LIMIT 1), '')"""


def _label(column: str) -> str:
    return LABELS.get(column.removesuffix("_id"), column.removesuffix("_on").replace("_", " ").capitalize())


def _write(edit: BulkEdit, ids: Sequence[int]) -> list[int]:
    """One UPDATE. Each row gets the columns that its plan changes, whatever those of the next row are."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {TABLE} r SET {assignments(edit.columns, 'e')}, updated_at = now() FROM {ROWS} e"
            f" WHERE e.edit_id = %s AND e.renewal_id = ANY(%s) AND e.verdict = 'written' AND r.id = e.renewal_id"
            " RETURNING r.id",
            [edit.pk, list(ids)],
        )
        return [pk for (pk,) in cursor.fetchall()]


def assignments(columns: Sequence[str], relation: str) -> str:
    """SET of an UPDATE of `r`: the columns that `relation.wanted`, jsonb of texts by column, has; the others stay."""
    return ", ".join(
        f"{name} = CASE WHEN {relation}.wanted ? '{name}'"
        f" THEN ({relation}.wanted->>'{name}')::{COLUMNS[name]} ELSE r.{name} END"
        for name in columns
    )


def _score(ids: Sequence[int], edit: BulkEdit, as_of: dt.date) -> None:
    if len(ids) <= SCORED_AT_ONCE:
        scoring().score_renewals(ids, as_of=as_of)
    else:
        scoring().request_run(reason="bulk", user=edit.requested_by)
