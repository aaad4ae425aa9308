"""Forecast lines from arrays into their table: only what changed is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from typing import Any, Final

import numpy as np

from config.foreign_keys import unchecked_keys
from forecasting.engine.arrays import NO_ID, Booleans, Integers
from forecasting.frames import Arrays, Column, copy_in, copy_out
from forecasting.lines import AMOUNTS, COUNTS
from forecasting.models import ForecastLine
from forecasting.periods import first_day, month_number

IDS: Final = ("team_id", "owner_id", "segment_id")
KEYS: Final = ("grain", "month", *IDS)
TABLE: Final = "forecasting_forecastline"
SOURCES: Final = "forecasting_linesource"
UNKNOWN_SOURCE: Final = 0
VALUES: Final = (*COUNTS, *AMOUNTS, "open_hash")
# A line as it is in memory: codes for names, the month's number for its first day, cents for amounts.
STORED: Final = (
    Column("id", "int8", "id"),
    Column("grain", "int8", "CASE grain WHEN 'month' THEN 0 ELSE 1 END"),
    Column("month", "int8", "(extract(year FROM starts_on) - 1970) * 12 + extract(month FROM starts_on) - 1"),
    *(Column(name, "int8", f"COALESCE({name}, {NO_ID})") for name in IDS),
    *(Column(name, "int8", name) for name in COUNTS),
    *(Column(name, "int8", f"{name} * 100") for name in AMOUNTS),
    Column("open_hash", "int8", "open_hash"),
)
CREATE: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_line ("
    + ", ".join(f"{name} bigint NOT NULL" for name in (*KEYS, *VALUES))
    + ") ON COMMIT DELETE ROWS"
)
INSERT: Final = (
    f"INSERT INTO {TABLE} (grain, starts_on, {', '.join((*IDS, *VALUES))})"
    " SELECT CASE grain WHEN 0 THEN 'month' ELSE 'quarter' END,"
    " make_date(1970 + (month / 12)::int, mod(month, 12)::int + 1, 1), "
    + ", ".join(
        [
            *(f"NULLIF({name}, {NO_ID})" for name in IDS),
            *COUNTS,
            *(f"{name} * 0.01" for name in AMOUNTS),
            "open_hash",
        ]
    )
    + " FROM staged_line"
)
# What the ids name is held until the commit, as PostgreSQL's own check of a foreign key holds it.
HOLD: Final = "SELECT count(*) FROM (SELECT FROM {} WHERE id = ANY(%s) FOR KEY SHARE) held"


def read_lines(cursor: Any, *, first_on: dt.date = dt.date.min, last_on: dt.date = dt.date.max) -> Arrays:
    """The stored lines of the periods that start between two days, as `compute_lines` has them, with their `id`."""
    return copy_out(cursor, STORED, f"{TABLE} WHERE starts_on BETWEEN %s AND %s", (first_on, last_on))


def read_lines_but(cursor: Any, quarters: Collection[int]) -> Arrays:
    """The same of all periods but some quarters, each named by its first month, and their months."""
    left_out = [first_day(quarter + month) for quarter in quarters for month in range(3)]
    return copy_out(cursor, STORED, f"{TABLE} WHERE starts_on <> ALL(%s::date[])", (left_out,))


def read_sources(cursor: Any) -> dict[int, int]:
    """The hash of what the stored lines of a quarter were computed from, by its first month; where that is known."""
    cursor.execute(f"SELECT starts_on, source_hash FROM {SOURCES}")
    return {month_number(starts_on): source for starts_on, source in cursor.fetchall()}


def trusted_lines(stored: Arrays, sources: Mapping[int, int]) -> Arrays:
    """Those of the lines that nobody wrote otherwise: of quarters with a source (`read_sources`)."""
    is_ours = np.isin(stored["month"], [quarter + month for quarter in sources for month in range(3)])
    return {name: values[is_ours] for name, values in stored.items()}


def trust_quarter(cursor: Any, quarter: int) -> None:
    """Say that the lines of a quarter are ours, whatever they were computed from. The caller holds Lock.LINES."""
    cursor.execute(
        f"INSERT INTO {SOURCES} (starts_on, source_hash) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        [first_day(quarter), UNKNOWN_SOURCE],
    )


def replace_sources(cursor: Any, sources: Mapping[int, int]) -> None:
    """Say what all lines that are stored now were computed from. The caller holds Lock.LINES."""
    cursor.execute(f"DELETE FROM {SOURCES}")
    cursor.execute(
        f"INSERT INTO {SOURCES} (starts_on, source_hash) SELECT * FROM unnest(%s::date[], %s::bigint[])",
        [[first_day(quarter) for quarter in sources], list(sources.values())],
    )


def replace_lines(cursor: Any, lines: Arrays, *, stored: Arrays) -> int:
    """Make the stored lines (`read_lines`) those of `compute_lines`; how many were written.

    What is equal already is left alone. The caller has held Lock.LINES since before it read.
    """
    is_stored, is_kept = _unchanged(lines, stored)
    if not is_kept.all():
        cursor.execute(f"DELETE FROM {TABLE} WHERE id = ANY(%s)", [stored["id"][~is_kept].tolist()])
    new = np.flatnonzero(~is_stored)
    if new.size:
        _insert_lines(cursor, {name: lines[name][new] for name in (*KEYS, *VALUES)})
    return int(new.size)


def _insert_lines(cursor: Any, lines: Arrays) -> None:
    cursor.execute(CREATE)
    cursor.execute("DELETE FROM staged_line")
    copy_in(cursor, "staged_line", {name: lines[name].astype(np.int64) for name in (*KEYS, *VALUES)})
    is_held = all(_hold(cursor, name, np.setdiff1d(lines[name], NO_ID)) for name in IDS)
    with unchecked_keys(cursor) if is_held else nullcontext():
        cursor.execute(INSERT)


def _hold(cursor: Any, name: str, ids: Integers) -> bool:
    """Whether all that these ids name is there, and stays there until the commit."""
    related = ForecastLine._meta.get_field(name.removesuffix("_id")).related_model
    assert isinstance(related, type)
    cursor.execute(HOLD.format(related._meta.db_table), [ids.tolist()])
    return bool(cursor.fetchone()[0] == ids.size)


def _unchanged(lines: Arrays, stored: Arrays) -> tuple[Booleans, Booleans]:
    """Which lines are stored exactly so, and which stored ones are among the lines. No key is twice in either."""
    count = lines["grain"].size
    keys = [np.concatenate([lines[name], stored[name]]) for name in KEYS]
    order: Integers = np.lexsort(keys)
    is_pair = np.logical_and.reduce([key[order[1:]] == key[order[:-1]] for key in keys])
    # The sort is stable: of two with the same key, ours comes before the stored one.
    ours, theirs = order[:-1][is_pair], order[1:][is_pair] - count
    is_same = np.logical_and.reduce([lines[name][ours] == stored[name][theirs] for name in VALUES])
    is_stored, is_kept = np.zeros(count, dtype=np.bool_), np.zeros(stored["grain"].size, dtype=np.bool_)
    is_stored[ours], is_kept[theirs] = is_same, is_same
    return is_stored, is_kept
