"""Where a run keeps its results until it is published: of each chunk a frame, as bytes that are read only once.

The table belongs to the one run that is running: it is emptied when a run begins and when it is over. It is unlogged,
because its content can be computed again; PostgreSQL empties it when it recovers from a crash, so the frames are
counted before they are trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Integers
from forecasting.frames import (
    LINE_ROW,
    copy_in_bytes,
    copy_in_rows,
    copy_out_bytes,
    encode_rows,
    encoded_field,
    encoded_rows,
)
from forecasting.frames.outlook import MEANS
from forecasting.models import Run

TABLE: Final = "forecasting_stagedframe"
SCORE_COLUMNS: Final = (
    "account_id",
    "timing_class",
    "timing_days",
    "risk_score",
    "likelihood",
    "likelihood_count",
    "probability",
    *MEANS,
    "completeness",
    "contributions",
)
COLUMNS: Final = ("renewal_id", "edit_count", *SCORE_COLUMNS)
NOT_STORED: Final = -1  # the count of edits of a row that its chunk found no score of


def clear_staging(cursor: Any) -> None:
    cursor.execute(f"TRUNCATE {TABLE}")


def stage_frame(cursor: Any, *, chunk_id: int, lines: NDArray[Any], scores: Mapping[str, NDArray[Any]]) -> None:
    """Keep the line rows (LINE_ROW[m]) of a chunk, and the scores to be written: an array for each of COLUMNS."""
    rows = encode_rows({name: scores[name] for name in COLUMNS})
    copy_in_bytes(cursor, TABLE, chunk_id, lines.tobytes(), rows)


def is_staging_whole(cursor: Any, run: Run) -> bool:
    """Whether there is a frame of every chunk. Where a crash has emptied the table, the chunks are undone."""
    cursor.execute(f"SELECT count(*) FROM {TABLE}")
    if cursor.fetchone() == (run.chunks.count(),):
        return True
    clear_staging(cursor)
    run.chunks.update(staged_at=None)
    return False


def staged_lines(cursor: Any) -> NDArray[Any]:
    """LINE_ROW[n] of all chunks."""
    frames = [np.frombuffer(content, dtype=LINE_ROW) for content in _contents(cursor, "lines")]
    return np.concatenate([np.empty(0, dtype=LINE_ROW), *frames])


def copy_staged_scores(cursor: Any, table: str) -> None:
    """Append the scores of all chunks to a table that has COLUMNS. Risk is NaN where nothing is known."""
    for content in _contents(cursor, "scores"):
        if content:
            copy_in_rows(cursor, table, COLUMNS, content)


def copy_first_scores(cursor: Any, table: str, renewal_ids: Integers) -> int:
    """The same of the renewals with these ids alone, none of which was edited yet; how many rows were written.

    The table was emptied in this transaction.
    """
    count = 0
    for content in _contents(cursor, "scores"):
        if not content:
            continue
        is_there = np.isin(encoded_field(content, COLUMNS.index("renewal_id"), np.dtype(np.int64)), renewal_ids)
        encoded_field(content, COLUMNS.index("edit_count"), np.dtype(np.int32))[:] = 0
        rows = content if is_there.all() else encoded_rows(content)[is_there].tobytes()
        copy_in_rows(cursor, table, COLUMNS, rows, is_frozen=True)
        count += int(np.count_nonzero(is_there))
    return count


def _contents(cursor: Any, column: str) -> Iterator[memoryview]:
    cursor.execute(f"SELECT chunk_id FROM {TABLE} ORDER BY chunk_id")
    for (chunk_id,) in cursor.fetchall():
        yield copy_out_bytes(cursor, f"SELECT {column} FROM {TABLE} WHERE chunk_id = {chunk_id}")
