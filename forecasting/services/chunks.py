"""A range of accounts: read, scored, staged. Done any number of times by any number of workers, it counts once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from psycopg2 import Binary

from forecasting.frames import (
    Accounts,
    Arrays,
    Column,
    Reporting,
    Rules,
    copy_in,
    copy_out,
    day_number,
    judge,
    line_rows,
    load_rules,
    read_book,
    read_reporting,
    score_book,
)
from forecasting.models import Run, RunChunk

EDIT_COLUMNS = (Column("renewal_id", "int8", "renewal_id"), Column("edit_count", "int4", "edit_count"))


def stage_chunk(*, chunk_id: int) -> bool:
    """Score a range of accounts and stage the result; False when it is done already, or somebody is at it.

    One transaction: staged rows and `staged_at` appear together or not at all, so a worker that is killed leaves
    nothing behind, and its lock on the chunk's row goes with its connection.
    """
    with transaction.atomic():
        chunk = (
            RunChunk.objects.select_related("run")
            .select_for_update(skip_locked=True, of=("self",))
            .filter(pk=chunk_id, staged_at__isnull=True, run__state=Run.State.RUNNING)
            .first()
        )
        if chunk is None:
            return False
        with connection.cursor() as cursor:
            _stage(cursor, chunk, *_rules_of(chunk.run_id))
        chunk.staged_at = timezone.now()
        chunk.save(update_fields=["staged_at", "row_count", "unrated_count"])
    return True


@lru_cache(maxsize=1)
def _rules_of(run_id: int) -> tuple[Rules, Reporting]:
    """Read once per process and run. A rule that is saved meanwhile asks for a run of its own."""
    run = Run.objects.get(pk=run_id)
    return load_rules(run), read_reporting(as_of=run.as_of_on)


def _stage(cursor: Any, chunk: RunChunk, rules: Rules, report: Reporting) -> None:
    accounts = Accounts.between(chunk.first_account_id, chunk.last_account_id)
    # Before the rows: an edit in between is then newer than its count, and the merge leaves that row alone.
    edited = copy_out(
        cursor,
        EDIT_COLUMNS,
        f"renewals_renewalscore WHERE edit_count > 0 AND {accounts.condition.format('account_id')}",
        accounts.parameters,
    )
    book = read_book(cursor, rules, accounts, currencies=report.currencies)
    scores = score_book(book, rules, judge(book, rules, day_number(report.as_of)))
    rows, chunk.unrated_count = line_rows(book.renewals, scores["timing_class"], scores["probability"], rules, report)
    chunk.row_count = book.row_count
    copy_in(cursor, "forecasting_stagedscore", {**scores, "edit_count": _edit_counts(scores["renewal_id"], edited)})
    cursor.execute(
        "INSERT INTO forecasting_stagedframe (chunk_id, content) VALUES (%s, %s)", [chunk.pk, Binary(rows.tobytes())]
    )


def _edit_counts(renewal_ids: np.ndarray[Any, Any], edited: Arrays) -> np.ndarray[Any, Any]:
    counts = np.zeros(renewal_ids.size, dtype=np.int32)
    if edited["renewal_id"].size:
        order = np.argsort(edited["renewal_id"])
        known = edited["renewal_id"][order]
        place = np.minimum(np.searchsorted(known, renewal_ids), known.size - 1)
        np.copyto(counts, edited["edit_count"][order][place], where=known[place] == renewal_ids)
    return counts
