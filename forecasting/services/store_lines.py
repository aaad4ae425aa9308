"""Forecast lines from arrays into their table: only what changed is written."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import NO_ID
from forecasting.frames import Arrays, copy_in
from forecasting.lines import AMOUNTS, COUNTS

KEYS: Final = ("grain", "month", "team_id", "owner_id", "segment_id")
SAME_SCOPE: Final = " AND ".join(
    f"l.{name} IS NOT DISTINCT FROM t.{name}" for name in ("team_id", "owner_id", "segment_id")
)
VALUES: Final = (*COUNTS, *AMOUNTS)
CREATE: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_line ("
    + ", ".join(f"{name} bigint NOT NULL" for name in (*KEYS, *VALUES))
    + ") ON COMMIT DELETE ROWS"
)
# As ForecastLine has them: names and dates for codes, blanks for missing ids, amounts for cents.
READ: Final = (
    "SELECT CASE t.grain WHEN 0 THEN 'month' ELSE 'quarter' END AS grain,"
    " make_date(1970 + (t.month / 12)::int, mod(t.month, 12)::int + 1, 1) AS starts_on, "
    + ", ".join(f"NULLIF(t.{name}, {NO_ID}) AS {name}" for name in ("team_id", "owner_id", "segment_id"))
    + "".join(f", t.{name}" for name in COUNTS)
    + "".join(f", (t.{name}::numeric / 100)::numeric(18, 2) AS {name}" for name in AMOUNTS)
    + " FROM staged_line t"
)


def stage_lines(cursor: Any, lines: Arrays) -> None:
    """Put lines (forecasting.lines.compute_lines) where `merge_lines` finds them, in the same transaction."""
    cursor.execute(CREATE)
    cursor.execute("DELETE FROM staged_line")
    copy_in(cursor, "staged_line", {name: lines[name].astype(np.int64) for name in (*KEYS, *VALUES)})
    cursor.execute("ANALYZE staged_line")


def merge_lines(cursor: Any, *, condition: str = "TRUE", parameters: tuple[object, ...] = ()) -> None:
    """Make the lines `l` that meet a condition equal to the staged ones. The caller holds Lock.LINES."""
    names = ("grain", "starts_on", "team_id", "owner_id", "segment_id", *VALUES)
    same = f"l.grain = t.grain AND l.starts_on = t.starts_on AND {SAME_SCOPE}"
    cursor.execute(
        f"DELETE FROM forecasting_forecastline l WHERE {condition} AND NOT EXISTS (SELECT FROM ({READ}) t WHERE {same})",
        parameters,
    )
    cursor.execute(
        f"UPDATE forecasting_forecastline l SET {', '.join(f'{name} = t.{name}' for name in VALUES)}"
        f" FROM ({READ}) t WHERE {same}"
        f" AND ({', '.join(f'l.{name}' for name in VALUES)}) IS DISTINCT FROM ({', '.join(f't.{name}' for name in VALUES)})"
    )
    cursor.execute(
        f"INSERT INTO forecasting_forecastline ({', '.join(names)}) SELECT {', '.join(f't.{name}' for name in names)}"
        f" FROM ({READ}) t ON CONFLICT DO NOTHING"
    )
