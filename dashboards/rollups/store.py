"""Cells from arrays into their table; what is stored just so already is not written again."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dashboards.models.cells import SUMS
from dashboards.rollups.adding import CLASSES, KEYS, VALUES
from dashboards.rollups.lateness import LATE_KEYS, LATE_SUMS
from forecasting.engine.arrays import NO_DAY, NO_ID, Integers
from forecasting.engine.bits import chained
from forecasting.frames import Arrays, Column, copy_in, copy_out
from forecasting.periods import first_day

MONTH_ON: Final = "make_date(1970 + (month / 12)::int, mod(month, 12)::int + 1, 1)"
MONTH: Final = "(extract(year FROM month_on) - 1970) * 12 + extract(month FROM month_on) - 1"
STAGED: Final = (*KEYS, *VALUES, "row_hash")
SCOPE_COLUMNS: Final = ("level", "team_id", "owner_id", "segment_id")


def created(table: str, *columns: str) -> str:
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({', '.join(columns)}) ON COMMIT DELETE ROWS"


def _created(table: str, names: tuple[str, ...]) -> str:
    return created(table, *(f"{name} bigint NOT NULL" for name in names))


def _arrays() -> list[str]:
    return [f"ARRAY[{', '.join(f'{name}_{at}' for at in range(count))}]" for name, count in CLASSES.items()]


CELL_COLUMNS: Final = (*SCOPE_COLUMNS, "month_on", *SUMS, *CLASSES, "last_due_on", "row_hash")
CELL_VALUES: Final = (
    "level",
    *(f"NULLIF({name}, {NO_ID})" for name in SCOPE_COLUMNS[1:]),
    MONTH_ON,
    *SUMS,
    *_arrays(),
    f"CASE WHEN last_due = {NO_DAY} THEN NULL ELSE DATE '1970-01-01' + last_due::int END",
    "row_hash",
)
INSERT_CELLS: Final = (
    f"INSERT INTO dashboards_cell ({', '.join(CELL_COLUMNS)}) SELECT {', '.join(CELL_VALUES)} FROM staged_cell"
)
LATE: Final = (*LATE_KEYS, *LATE_SUMS)
INSERT_LATE: Final = (
    f"INSERT INTO dashboards_lateaccount ({', '.join(LATE)}) SELECT "
    + ", ".join(f"NULLIF({name}, {NO_ID})" for name in LATE)
    + " FROM staged_late"
)
STORED_LATE: Final = (
    Column("id", "int8", "id"),
    *(Column(name, "int8", f"COALESCE({name}, {NO_ID})") for name in LATE),
)


def replace_cells(cursor: Any, cells: Arrays, months: Integers | None) -> int:
    """Make the stored cells of these months (of all, where None) those that are given; how many were written."""
    if months is not None:
        is_in = np.isin(cells["month"], months)
        cells = {name: values[is_in] for name, values in cells.items()}
    condition, parameters = in_months(months)
    columns = [Column("id", "int8", "id"), Column("row_hash", "int8", "row_hash")]
    stored = copy_out(cursor, columns, f"dashboards_cell WHERE {condition}", parameters)
    hashes = hashes_of(cells, (*KEYS, *VALUES))
    new, gone = ~np.isin(hashes, stored["row_hash"]), ~np.isin(stored["row_hash"], hashes)
    if gone.any():
        cursor.execute("DELETE FROM dashboards_cell WHERE id = ANY(%s)", [stored["id"][gone].tolist()])
    if new.any():
        cursor.execute(_created("staged_cell", STAGED))
        cursor.execute("DELETE FROM staged_cell")
        copy_in(cursor, "staged_cell", {name: (cells | {"row_hash": hashes})[name][new] for name in STAGED})
        cursor.execute(INSERT_CELLS)
    return int(new.sum())


def in_months(months: Integers | None) -> tuple[str, tuple[object, ...]]:
    """The condition on rows of these months, of all where None, with its parameters."""
    return ("TRUE", ()) if months is None else ("month_on = ANY(%s)", ([first_day(int(one)) for one in months],))


def replace_late_accounts(cursor: Any, rows: Arrays, account_ids: Integers | None) -> None:
    """Make the stored ones of these accounts (of all, where None) those that are given."""
    condition, parameters = ("TRUE", ()) if account_ids is None else ("account_id = ANY(%s)", (account_ids.tolist(),))
    stored = copy_out(cursor, STORED_LATE, f"dashboards_lateaccount WHERE {condition}", parameters)
    ours, theirs = hashes_of(rows, LATE), hashes_of(stored, LATE)
    new, gone = ~np.isin(ours, theirs), ~np.isin(theirs, ours)
    if gone.any():
        cursor.execute("DELETE FROM dashboards_lateaccount WHERE id = ANY(%s)", [stored["id"][gone].tolist()])
    if new.any():
        cursor.execute(_created("staged_late", LATE))
        cursor.execute("DELETE FROM staged_late")
        copy_in(cursor, "staged_late", {name: rows[name][new].astype(np.int64) for name in LATE})
        cursor.execute(INSERT_LATE)


def hashes_of(rows: Arrays, names: tuple[str, ...]) -> NDArray[np.int64]:
    """64 bits of each row; float64 by its bits, all else as whole numbers."""
    columns = (rows[name] if rows[name].dtype == np.float64 else rows[name].astype(np.int64) for name in names)
    words = (np.ascontiguousarray(values).view(np.uint64) for values in columns)
    return chained(words, np.zeros(rows[names[0]].size, dtype=np.uint64)).view(np.int64)
