"""Where a run keeps its results until it is published: of each chunk the scores that differ, and its line rows by
quarter, as bytes that are read only once, or never where the quarter is as it was.

The tables belong to the one run that is running: they are emptied when a run begins and when it is over. They are
unlogged, because their content can be computed again; PostgreSQL empties them, both at once, when it recovers from a
crash, so the frames are counted before they are trusted.
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
from forecasting.frames.fingerprints import DERIVED
from forecasting.line_sources import RowSums
from forecasting.models import Run

SCORES: Final = "forecasting_stagedframe"
LINES: Final = "forecasting_stagedlines"
SCORE_COLUMNS: Final = (*DERIVED, "fingerprint")
COLUMNS: Final = ("renewal_id", "edit_count", *SCORE_COLUMNS)
NOT_STORED: Final = -1  # the count of edits of a row that its chunk found no score of


def clear_staging(cursor: Any) -> None:
    cursor.execute(f"TRUNCATE {SCORES}, {LINES}")


def stage_frame(
    cursor: Any, *, chunk_id: int, lines: Mapping[int, NDArray[Any]], scores: Mapping[str, NDArray[Any]]
) -> None:
    """Keep the line rows (LINE_ROW[m]) of a chunk by quarter, and the scores to be written: an array for each of
    COLUMNS."""
    copy_in_bytes(cursor, SCORES, [(chunk_id, encode_rows({name: scores[name] for name in COLUMNS}))])
    copy_in_bytes(
        cursor,
        LINES,
        [(quarter, chunk_id, *_signed(RowSums.of(rows)), rows.tobytes()) for quarter, rows in lines.items()],
    )


def is_staging_whole(cursor: Any, run: Run) -> bool:
    """Whether there is a frame of every chunk. Where a crash has emptied the table, the chunks are undone."""
    cursor.execute(f"SELECT count(*) FROM {SCORES}")
    if cursor.fetchone() == (run.chunks.count(),):
        return True
    clear_staging(cursor)
    run.chunks.update(staged_at=None)
    return False


def staged_sums(cursor: Any) -> dict[int, RowSums]:
    """What the rows of all chunks are, by quarter."""
    cursor.execute(f"SELECT quarter, row_count, open_count, rows_hash FROM {LINES}")
    found: dict[int, RowSums] = {}
    for quarter, *sums in cursor.fetchall():
        found[quarter] = RowSums(*sums).plus(found.get(quarter, RowSums(0, 0, 0)))
    return found


def staged_lines(cursor: Any, quarter: int) -> NDArray[Any]:
    """LINE_ROW[n] of all chunks that are due in a quarter."""
    frames = _contents(cursor, "rows", f"{LINES} WHERE quarter = {quarter}")
    return np.concatenate([np.frombuffer(content, dtype=LINE_ROW) for content in frames])


def copy_staged_scores(cursor: Any, table: str) -> None:
    """Append the scores of all chunks to a table that has COLUMNS. Risk is NaN where nothing is known."""
    for content in _contents(cursor, "scores", f"{SCORES} WHERE true"):
        if content:
            copy_in_rows(cursor, table, COLUMNS, content)


def copy_first_scores(cursor: Any, table: str, renewal_ids: Integers) -> int:
    """The same of the renewals with these ids alone, none of which was edited yet; how many rows were written.

    The table was emptied in this transaction.
    """
    count = 0
    for content in _contents(cursor, "scores", f"{SCORES} WHERE true"):
        if not content:
            continue
        is_there = np.isin(encoded_field(content, COLUMNS.index("renewal_id"), np.dtype(np.int64)), renewal_ids)
        encoded_field(content, COLUMNS.index("edit_count"), np.dtype(np.int32))[:] = 0
        rows = content if is_there.all() else encoded_rows(content)[is_there].tobytes()
        copy_in_rows(cursor, table, COLUMNS, rows, is_frozen=True)
        count += int(np.count_nonzero(is_there))
    return count


def _contents(cursor: Any, column: str, source: str) -> Iterator[memoryview]:
    cursor.execute(f"SELECT chunk_id FROM {source} ORDER BY chunk_id")
    for (chunk_id,) in cursor.fetchall():
        yield copy_out_bytes(cursor, f"SELECT {column} FROM {source} AND chunk_id = {chunk_id}")


def _signed(sums: RowSums) -> RowSums:
    """With a hash that a bigint holds; the same modulo 2**64."""
    return sums._replace(hash=sums.hash - 2**64 if sums.hash >= 2**63 else sums.hash)
