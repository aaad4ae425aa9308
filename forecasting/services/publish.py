"""The last step of a run: what was staged becomes what readers see, all of it in one transaction."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from forecasting.frames import LINE_ROW, Reporting, read_reporting
from forecasting.lines import compute_lines
from forecasting.models import Run, RunChunk
from forecasting.services.locks import Lock, take_lock
from forecasting.services.store_lines import merge_lines, stage_lines
from renewals.quality.evaluate import evaluate_all

SCORE_COLUMNS = (
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
# NaN stands for "nothing known" in staging, where no column is NULL.
STAGED = {name: f"t.{name}" for name in SCORE_COLUMNS} | {"risk_score": "NULLIF(t.risk_score, 'NaN')"}
UPDATE = (
    f"UPDATE renewals_renewalscore s SET {', '.join(f'{name} = {STAGED[name]}' for name in SCORE_COLUMNS)}"
    " FROM forecasting_stagedscore t WHERE s.renewal_id = t.renewal_id AND s.edit_count = t.edit_count"
    f" AND ({', '.join(f's.{name}' for name in SCORE_COLUMNS)}) IS DISTINCT FROM ({', '.join(STAGED.values())})"
)
# A renewal that is being edited just now is skipped: its edit brings its score. One that was deleted is not there.
INSERT = (
    f"INSERT INTO renewals_renewalscore (renewal_id, edit_count, {', '.join(SCORE_COLUMNS)})"
    f" SELECT t.renewal_id, 0, {', '.join(STAGED.values())} FROM forecasting_stagedscore t"
    " JOIN renewals_renewal r ON r.id = t.renewal_id"
    " WHERE NOT EXISTS (SELECT FROM renewals_renewalscore s WHERE s.renewal_id = t.renewal_id)"
    " FOR KEY SHARE OF r SKIP LOCKED ON CONFLICT DO NOTHING"
)


def publish_run(*, run_id: int) -> bool:
    """Publish a run whose chunks are all staged; False when there is nothing to publish, or somebody is at it.

    Readers see the run before or this one. A row that was edited since its chunk read it keeps what the edit scored.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(skip_locked=True).filter(pk=run_id, state=Run.State.RUNNING).first()
        if run is None or run.chunks.filter(staged_at__isnull=True).exists() or not _is_staging_whole(run):
            return False
        report = read_reporting(as_of=run.as_of_on)
        with connection.cursor() as cursor:
            take_lock(Lock.LINES)
            stage_lines(cursor, compute_lines(_staged_rows(cursor), report))
            evaluate_all(as_of=run.as_of_on)  # before the lock on scores, as every edit does
            take_lock(Lock.SCORES)
            run.changed_count = _merge_scores(cursor)
            merge_lines(cursor)
            cursor.execute("TRUNCATE forecasting_stagedscore, forecasting_stagedframe")
        _finish(run, report)
    return True


def _is_staging_whole(run: Run) -> bool:
    """Whether staging holds what the chunks say. PostgreSQL empties it when it recovers: the chunks are then undone."""
    expected = run.chunks.aggregate(rows=Sum("row_count", default=0), chunks=Count("pk"))
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


def _merge_scores(cursor: Any) -> int:
    """Write what changed and what is new; the number of rows written."""
    cursor.execute("ANALYZE forecasting_stagedscore")
    cursor.execute(UPDATE)
    changed: int = cursor.rowcount
    cursor.execute(INSERT)
    return changed + int(cursor.rowcount)


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
