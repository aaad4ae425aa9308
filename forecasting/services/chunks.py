"""A range of accounts: read, scored, and staged where it differs. Done any number of times, it counts once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from forecasting.engine.arrays import Booleans, Integers
from forecasting.frames import (
    Accounts,
    Arrays,
    Column,
    Reporting,
    Rules,
    copy_out,
    day_number,
    judge,
    line_rows,
    load_rules,
    read_book,
    score_book,
)
from forecasting.frames.fingerprints import fingerprints
from forecasting.lines import rows_by_quarter
from forecasting.models import Run, RunChunk
from forecasting.services.staging import NOT_STORED, stage_frame

# Of a stored score, what tells whether it is the one that a run would write.
UNKNOWN: Final = 0
STORED: Final = (
    Column("renewal_id", "int8", "renewal_id"),
    Column("edit_count", "int4", "edit_count"),
    Column("fingerprint", "int8", f"COALESCE(fingerprint, {UNKNOWN})"),
)


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
        chunk.save(update_fields=["staged_at", "row_count", "changed_count", "unrated_count"])
    return True


@lru_cache(maxsize=1)
def _rules_of(run_id: int) -> tuple[Rules, Reporting]:
    """Read once per process and run. A rule that is saved meanwhile asks for a run of its own."""
    run = Run.objects.get(pk=run_id)
    return load_rules(run), Reporting.of_run(run)


def _stage(cursor: Any, chunk: RunChunk, rules: Rules, report: Reporting) -> None:
    accounts = Accounts.between(chunk.first_account_id, chunk.last_account_id)
    # Before the rows: an edit in between is then newer than its count, and the merge leaves that row alone.
    source = f"renewals_renewalscore WHERE {accounts.condition.format('account_id')}"
    stored = copy_out(cursor, STORED, source, accounts.parameters)
    book = read_book(cursor, rules, accounts, currencies=report.currencies)
    scores = score_book(book, rules, judge(book, rules, day_number(report.as_of)))
    lines, chunk.unrated_count = line_rows(book.renewals, scores, rules, report)
    scores["fingerprint"] = fingerprints(scores)
    is_changed, edit_count = _compared(scores, stored)
    staged = {name: values[is_changed] for name, values in scores.items()}
    chunk.row_count, chunk.changed_count = book.row_count, staged["renewal_id"].size
    stage_frame(
        cursor,
        chunk_id=chunk.pk,
        lines=rows_by_quarter(lines, report.fiscal_start),
        scores={**staged, "edit_count": edit_count[is_changed]},
    )


def _compared(scores: Arrays, stored: Arrays) -> tuple[Booleans, Integers]:
    """(whether each score is new or differs from what is stored, the edits of its row, NOT_STORED where none is)."""
    count = scores["renewal_id"].size
    is_changed, edit_count = np.ones(count, dtype=np.bool_), np.full(count, NOT_STORED, dtype=np.int32)
    order = np.argsort(stored["renewal_id"], kind="stable")
    known = stored["renewal_id"][order]
    place = np.minimum(np.searchsorted(known, scores["renewal_id"]), max(known.size - 1, 0))
    rows = np.flatnonzero(known[place] == scores["renewal_id"]) if known.size else order
    twins = order[place[rows]]
    edit_count[rows] = stored["edit_count"][twins]
    theirs = stored["fingerprint"][twins]
    is_changed[rows] = (scores["fingerprint"][rows] != theirs) | (theirs == UNKNOWN)
    return is_changed, edit_count
