"""The last step of a run: what was staged becomes what readers see, all of it in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from forecasting.frames import LINE_ROW, Reporting, read_reporting
from forecasting.lines import compute_lines
from forecasting.models import Run, RunChunk
from forecasting.services.locks import Lock, take_lock
from forecasting.services.store_lines import read_lines, replace_lines

SCORE_COLUMNS: Final = (
    "account_id",
    "timing_class",
    "timing_days",
    "risk_score",
    "likelihood",
    "likelihood_count",
    "probability",
    "completeness",
    "contributions",
)
NAMES: Final = ", ".join(SCORE_COLUMNS)


def _of(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in SCORE_COLUMNS)


# In staging, where no column is NULL, NaN stands for "nothing known".
STAGED: Final = _of("t").replace("t.risk_score", "NULLIF(t.risk_score, 'NaN')")
# A row that was edited since its chunk read it keeps what the edit scored; that of a renewal which has gone to another
# account without an edit was not found by the chunk, and its count not either.
UPDATE: Final = (
    f"UPDATE renewals_renewalscore s SET ({NAMES}) = ROW({STAGED}) FROM forecasting_stagedscore t"
    " WHERE s.renewal_id = t.renewal_id AND (s.edit_count = t.edit_count OR s.account_id <> t.account_id)"
)
# One whose renewal was deleted meanwhile is left out.
INSERT: Final = (
    f"INSERT INTO renewals_renewalscore (renewal_id, edit_count, {NAMES}) SELECT t.renewal_id, 0, {STAGED}"
    " FROM forecasting_stagedscore t JOIN renewals_renewal r ON r.id = t.renewal_id"
    " WHERE NOT EXISTS (SELECT FROM renewals_renewalscore s WHERE s.renewal_id = t.renewal_id)"
)
# Where foreign keys will be checked, a renewal that is being edited just now is left to its edit: waiting for it, while
# it waits for us, would be a deadlock.
SKIP_EDITED: Final = " FOR KEY SHARE OF r SKIP LOCKED"


def publish_run(*, run_id: int) -> bool:
    """Publish a run whose chunks are all staged; False when there is nothing to publish, or somebody is at it.

    Readers see the run before or this one. A row that was edited since its chunk read it keeps what the edit scored.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(skip_locked=True).filter(pk=run_id, state=Run.State.RUNNING).first()
        if run is None or run.chunks.filter(staged_at__isnull=True).exists() or not _is_staging_whole(run):
            return False
        report = read_reporting(as_of=run.as_of_on)
        with connection.cursor() as cursor, ThreadPoolExecutor(max_workers=1) as beside:
            take_lock(Lock.LINES)
            stored = read_lines(cursor)
            # The lines are computed here while the database merges the scores.
            lines = beside.submit(compute_lines, _staged_rows(cursor), report, stored=stored)
            take_lock(Lock.SCORES)
            run.changed_count = _merge_scores(cursor) if _has_scores(cursor) else _fill_scores(cursor)
            replace_lines(cursor, lines.result(), stored=stored)
            cursor.execute("TRUNCATE forecasting_stagedscore, forecasting_stagedframe")
        _finish(run, report)
    return True


def _is_staging_whole(run: Run) -> bool:
    """Whether staging holds what the chunks say. PostgreSQL empties it when it recovers: the chunks are then undone."""
    expected = run.chunks.aggregate(rows=Sum("changed_count", default=0), chunks=Count("pk"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM forecasting_stagedscore), (SELECT count(*) FROM forecasting_stagedframe)"
        )
        if cursor.fetchone() == (expected["rows"], expected["chunks"]):
            return True
        cursor.execute("TRUNCATE forecasting_stagedscore, forecasting_stagedframe")
    run.chunks.update(staged_at=None)
    return False


def _staged_rows(cursor: Any) -> np.ndarray[Any, Any]:
    cursor.execute("SELECT chunk_id FROM forecasting_stagedframe ORDER BY chunk_id")
    parts = [np.empty(0, dtype=LINE_ROW)]
    for (chunk_id,) in cursor.fetchall():
        cursor.execute("SELECT content FROM forecasting_stagedframe WHERE chunk_id = %s", [chunk_id])
        parts.append(np.frombuffer(cursor.fetchone()[0], dtype=LINE_ROW))
    return np.concatenate(parts)


def _has_scores(cursor: Any) -> bool:
    cursor.execute("SELECT EXISTS (SELECT FROM renewals_renewalscore)")
    return bool(cursor.fetchone()[0])


def _merge_scores(cursor: Any) -> int:
    """Write what changed and what is new; the number of rows written. The caller holds Lock.SCORES."""
    cursor.execute(UPDATE)
    changed: int = cursor.rowcount
    return changed + _insert(cursor)


def _fill_scores(cursor: Any) -> int:
    """Write the first scores that there are; the number of rows. The caller holds Lock.SCORES.

    Emptied in this transaction, the table need not be logged where PostgreSQL may leave that out (wal_level minimal).
    """
    cursor.execute("TRUNCATE renewals_renewalscore")
    with suspended_indexes(cursor, "renewals_renewalscore"):
        return _insert(cursor)


def _insert(cursor: Any) -> int:
    """Every row is joined with its renewal, so its foreign keys need no check of their own, if we may say so.

    Checking a million of them one by one takes longer than the rest of the run.
    """
    cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
    is_allowed = cursor.fetchone()[0]
    if is_allowed:
        cursor.execute("SET LOCAL session_replication_role = replica")
    cursor.execute(INSERT + ("" if is_allowed else SKIP_EDITED))
    inserted: int = cursor.rowcount
    if is_allowed:
        cursor.execute("SET LOCAL session_replication_role = origin")
    return inserted


@contextmanager
def suspended_indexes(cursor: Any, table: str) -> Iterator[None]:
    """Drop the table's indexes but its key, and build them again in one go: for the first rows of an empty table.

    Readers wait until the transaction ends; there is nothing for them to read before.
    """
    cursor.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " WHERE i.indrelid = %s::regclass AND NOT i.indisunique",
        [table],
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        cursor.execute(definition)


def _finish(run: Run, report: Reporting) -> None:
    run.state, run.published_at = Run.State.PUBLISHED, timezone.now()
    run.message = _unrated_message(run, report)
    run.save(update_fields=["state", "published_at", "changed_count", "message"])
    RunChunk.objects.filter(run__pk__lt=run.pk).delete()


def _unrated_message(run: Run, report: Reporting) -> str:
    """Names what is missing from the forecast because its currency has no rate; empty when nothing is."""
    if not run.chunks.filter(unrated_count__gt=0).exists():
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT currency, count(*) FROM renewals_renewal WHERE NOT is_excluded AND currency <> ALL(%s)"
            " AND due_on BETWEEN %s AND %s GROUP BY currency ORDER BY currency",
            [list(report.currencies), *report.bounds],
        )
        found = cursor.fetchall()
    named = ", ".join(f"{count} in {currency}" for currency, count in found)
    return f"Renewals in a currency without a rate are in no forecast: {named}." if found else ""
