"""What is decided, by level, segment and risk band of the month it is due in: what books are compared by."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from dashboards.models import Level
from dashboards.rollups.adding import Calendar, added, joined, scope_of, teams_of
from dashboards.rollups.store import MONTH, MONTH_ON, created, hashes_of, in_months
from forecasting.engine.arrays import NO_ID, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays, Column, copy_in, copy_out
from forecasting.periods import months_of_days

SCOPE: Final = ("level", "team_id", "owner_id", "segment_id")
KEYS: Final = (*SCOPE, "band", "month")
SUMS: Final = ("count", "baseline_cents", "kept_cents")
NAMES: Final = (*KEYS, *SUMS, "squares")
STORED: Final = (
    Column("id", "int8", "id"),
    Column("level", "int8", "level"),
    *(Column(name, "int8", f"COALESCE({name}, {NO_ID})") for name in SCOPE[1:]),
    Column("band", "int8", "band"),
    Column("month", "int8", MONTH),
    *(Column(name, "int8", name) for name in SUMS),
    Column("squares", "float8", "squares"),
)
STAGED: Final = created(
    "staged_mix", *(f"{name} bigint NOT NULL" for name in (*KEYS, *SUMS)), "squares double precision NOT NULL"
)
INSERT: Final = (
    f"INSERT INTO dashboards_mixcell ({', '.join(SCOPE)}, band, month_on, {', '.join(SUMS)}, squares)"
    f" SELECT level, {', '.join(f'NULLIF({name}, {NO_ID})' for name in SCOPE[1:])}, band, {MONTH_ON},"
    f" {', '.join(SUMS)}, squares FROM staged_mix"
)


def replace_mixes(cursor: Any, facts: Arrays, calendar: Calendar, months: Integers | None) -> None:
    """Make the stored cells of these months (of all, where None) those of the decided rows of `read_facts`."""
    month = months_of_days(facts["due"]).astype(np.int64)
    is_in = facts["timing"] >= TimingClass.LAPSED
    if months is not None:
        is_in &= np.isin(month, months)
    rows = facts | {"month": month, "team_id": teams_of(facts["owner_id"], calendar)}
    cells = _cells({name: values[is_in] for name, values in rows.items()})
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
    every = np.arange(rows["baseline"].size)
    is_won = (rows["timing"] >= TimingClass.EARLY) & (rows["timing"] <= TimingClass.LATE)
    kept = np.where(is_won, np.minimum(rows["renewed"], rows["baseline"]), 0)
    sums = dict(zip(SUMS, (np.ones(every.size, dtype=np.int64), rows["baseline"], kept), strict=True))
    squares = rows["baseline"].astype(np.float64) ** 2
    parts = []
    for level in Level:
        scope = [np.full(every.size, level, dtype=np.int64), *scope_of(rows, every, level)]
        keys = [*scope, *(rows[name].astype(np.int64) for name in KEYS[len(SCOPE) :])]
        codes, first, place = np.unique(joined(keys), return_index=True, return_inverse=True)
        part: Arrays = {name: key[first] for name, key in zip(KEYS, keys, strict=True)}
        part |= {name: added(place, amounts, codes.size) for name, amounts in sums.items()}
        parts.append(part | {"squares": np.bincount(place, squares, codes.size).astype(np.float64)})
    return {name: np.concatenate([part[name] for part in parts]) for name in NAMES}
