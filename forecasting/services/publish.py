"""The last step of a run: what was staged becomes what readers see, all of it in one transaction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from config.foreign_keys import may_skip_checks, unchecked_keys
from config.indexes import suspended_indexes
from forecasting.frames import Column, Reporting, copy_out
from forecasting.frames.outlook import Outlook
from forecasting.line_sources import source_hash
from forecasting.lines import compute_quarters
from forecasting.models import Run, RunChunk
from forecasting.services.locks import Lock, take_lock
from forecasting.services.staging import (
    NOT_STORED,
    SCORE_COLUMNS,
    clear_staging,
    copy_first_scores,
    copy_staged_scores,
    is_staging_whole,
    staged_lines,
    staged_sums,
)
from forecasting.services.store_lines import (
    read_lines_but,
    read_sources,
    replace_lines,
    replace_sources,
    trusted_lines,
)

NAMES: Final = ", ".join(SCORE_COLUMNS)


def _of(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in SCORE_COLUMNS)


# What is to be merged, as it was staged.
STAGED_SCORES: Final = (
    "CREATE TEMPORARY TABLE staged_score ON COMMIT DROP AS SELECT * FROM renewals_renewalscore LIMIT 0"
)
# In staging, where no column is NULL, NaN stands for "nothing known".
STAGED: Final = _of("t").replace("t.risk_score", "NULLIF(t.risk_score, 'NaN')")
# A row that was edited since its chunk read it keeps what the edit scored; that of a renewal which has gone to another
# account without an edit was not found by the chunk, and its count not either.
UPDATE: Final = (
    f"UPDATE renewals_renewalscore s SET ({NAMES}) = ROW({STAGED}) FROM staged_score t"
    " WHERE s.renewal_id = t.renewal_id AND (s.edit_count = t.edit_count OR s.account_id <> t.account_id)"
)
# One whose renewal was deleted meanwhile is left out.
INSERT: Final = (
    f"INSERT INTO renewals_renewalscore (renewal_id, edit_count, {NAMES}) SELECT t.renewal_id, 0, {STAGED}"
    " FROM staged_score t JOIN renewals_renewal r ON r.id = t.renewal_id"
    f" WHERE t.edit_count = {NOT_STORED}"
    " AND NOT EXISTS (SELECT FROM renewals_renewalscore s WHERE s.renewal_id = t.renewal_id)"
)
# Where foreign keys will be checked, a renewal that is being edited just now is left to its edit: waiting for it, while
# it waits for us, would be a deadlock.
SKIP_EDITED: Final = " FOR KEY SHARE OF r SKIP LOCKED"


def publish_run(*, run_id: int) -> bool:
    """Publish a run whose chunks are all staged; False when there is nothing to publish, or somebody is at it.

    Readers see the run before or this one. A row that was edited since its chunk read it keeps what the edit scored.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        run = Run.objects.select_for_update(skip_locked=True).filter(pk=run_id, state=Run.State.RUNNING).first()
        if run is None or not run.is_prepared() or run.chunks.filter(staged_at__isnull=True).exists():
            return False
        if not is_staging_whole(cursor, run):
            return False
        report = Reporting.of_run(run)
        with ThreadPoolExecutor(max_workers=1) as beside:
            take_lock(Lock.LINES)
            shock = Outlook.of_run(run).shock
            sources = {quarter: source_hash(sums, report, shock) for quarter, sums in staged_sums(cursor).items()}
            before = read_sources(cursor)
            kept = dict(sources.items() & before.items())
            stored = read_lines_but(cursor, kept)
            known = trusted_lines(stored, before)
            rows = [staged_lines(cursor, quarter) for quarter in sources.keys() - kept]
            # The lines are computed here while the database merges the scores.
            lines = beside.submit(compute_quarters, rows, report, shock=shock, stored=known)
            take_lock(Lock.SCORES)
            run.changed_count = _write_scores(cursor)
            replace_lines(cursor, lines.result(), stored=stored)
            replace_sources(cursor, sources)
        clear_staging(cursor)
        _finish(run, report)
    return True


def _has_scores(cursor: Any) -> bool:
    cursor.execute("SELECT EXISTS (SELECT FROM renewals_renewalscore)")
    return bool(cursor.fetchone()[0])


def _write_scores(cursor: Any) -> int:
    """Make what is staged the scores that readers see; how many were written. The caller holds Lock.SCORES."""
    if _has_scores(cursor) or not may_skip_checks(cursor):
        return _merge_scores(cursor)
    return _fill_scores(cursor)


def _merge_scores(cursor: Any) -> int:
    """Write what changed and what is new."""
    cursor.execute(STAGED_SCORES)
    copy_staged_scores(cursor, "staged_score")
    cursor.execute("ANALYZE staged_score (renewal_id, edit_count)")
    cursor.execute(UPDATE)
    changed: int = cursor.rowcount
    with unchecked_keys(cursor) as is_unchecked:
        cursor.execute(INSERT + ("" if is_unchecked else SKIP_EDITED))
        inserted: int = cursor.rowcount
    cursor.execute("DROP TABLE staged_score")
    return changed + inserted


def _fill_scores(cursor: Any) -> int:
    """Write the first scores that there are, and build their indexes after it.

    Emptied in this transaction, the table need not be logged where PostgreSQL may leave that out (wal_level minimal).
    """
    cursor.execute("TRUNCATE renewals_renewalscore")
    with suspended_indexes(cursor, "renewals_renewalscore"), unchecked_keys(cursor):
        # From here on whoever deletes a renewal waits for the lock on its score: what is there now stays.
        there = copy_out(cursor, [Column("id", "int8", "id")], "renewals_renewal")["id"]
        filled = copy_first_scores(cursor, "renewals_renewalscore", there)
        cursor.execute("UPDATE renewals_renewalscore SET risk_score = NULL WHERE risk_score = 'NaN'")
    # What reads the scores next would be planned for the empty table.
    cursor.execute("ANALYZE renewals_renewalscore")
    return filled


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
