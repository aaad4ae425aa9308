"""What is decided, by owner, segment and risk band of the month it is due in: what books are compared by."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from dashboards.rollups.adding import joined
from dashboards.rollups.store import MONTH, MONTH_ON, created, hashes_of, in_months
from forecasting.engine.arrays import NO_ID, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays, Column, copy_in, copy_out
from forecasting.periods import months_of_days

KEYS: Final = ("owner_id", "segment_id", "band", "month")
SUMS: Final = ("count", "baseline_cents", "kept_cents")
NAMES: Final = (*KEYS, *SUMS, "squares")
STORED: Final = (
    Column("id", "int8", "id"),
    Column("owner_id", "int8", f"COALESCE(owner_id, {NO_ID})"),
    Column("segment_id", "int8", f"COALESCE(segment_id, {NO_ID})"),
    Column("band", "int8", "band"),
    Column("month", "int8", MONTH),
    *(Column(name, "int8", name) for name in SUMS),
    Column("squares", "float8", "squares"),
)
STAGED: Final = created(
    "staged_mix", *(f"{name} bigint NOT NULL" for name in (*KEYS, *SUMS)), "squares double precision NOT NULL"
)
INSERT: Final = (
    f"INSERT INTO dashboards_mixcell (owner_id, segment_id, band, month_on, {', '.join(SUMS)}, squares)"
    f" SELECT NULLIF(owner_id, {NO_ID}), NULLIF(segment_id, {NO_ID}), band, {MONTH_ON}, {', '.join(SUMS)}, squares"
    " FROM staged_mix"
)


def replace_mixes(cursor: Any, facts: Arrays, months: Integers | None) -> None:
    """Make the stored cells of these months (of all, where None) those of the decided rows of `read_facts`."""
    month = months_of_days(facts["due"]).astype(np.int64)
    is_in = facts["timing"] >= TimingClass.LAPSED
    if months is not None:
        is_in &= np.isin(month, months)
    cells = _cells({name: values[is_in] for name, values in (facts | {"month": month}).items()})
    condition, parameters = in_months(months)
    stored = copy_out(cursor, STORED, f"dashboards_mixcell WHERE {condition}", parameters)
    ours, theirs = hashes_of(cells, NAMES), hashes_of(stored, NAMES)
    new, gone = ~np.isin(ours, theirs), ~np.isin(theirs, ours)
    if gone.any():
        cursor.execute("DELETE FROM dashboards_mixcell WHERE id = ANY(%s)", [stored["id"][gone].tolist()])
    if new.any():
        cursor.execute(STAGED)
        cursor.execute("DELETE FROM staged_mix")
        copy_in(cursor, "staged_mix", {name: cells[name][new] for name in NAMES})
        cursor.execute(INSERT)


def _cells(rows: Arrays) -> Arrays:
    keys = [rows[name].astype(np.int64) for name in KEYS]
    codes, first, place = np.unique(joined(keys), return_index=True, return_inverse=True)
    size = codes.size
    is_won = (rows["timing"] >= TimingClass.EARLY) & (rows["timing"] <= TimingClass.LATE)
    kept = np.where(is_won, np.minimum(rows["renewed"], rows["baseline"]), 0)
    sums = np.zeros((3, size), dtype=np.int64)
    for row, values in zip(sums, (np.ones(place.size, dtype=np.int64), rows["baseline"], kept), strict=True):
        np.add.at(row, place, values)
    squares = np.bincount(place, rows["baseline"].astype(np.float64) ** 2, size).astype(np.float64)
    return (
        {name: key[first] for name, key in zip(KEYS, keys, strict=True)}
        | dict(zip(SUMS, sums, strict=True))
        | {"squares": squares}
    )
