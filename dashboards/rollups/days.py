"""What is open of the whole book by the day it is due, segment and risk band, from the rows of `opened`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from dashboards.models.risk import DAY_SUMS
from dashboards.rollups.adding import added, joined
from dashboards.rollups.store import created
from forecasting.engine.arrays import NO_ID, Booleans
from forecasting.frames import Arrays, copy_in
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM

BANDS: Final = ("high", "medium", "low", "unscored")
KEYS: Final = ("due", "segment_id")
STAGED: Final = created("staged_open_day", *(f"{name} bigint NOT NULL" for name in (*KEYS, *DAY_SUMS)))
ADD: Final = (
    f"INSERT INTO dashboards_openday AS d (due_on, segment_id, {', '.join(DAY_SUMS)})"
    f" SELECT DATE '1970-01-01' + due::int, NULLIF(segment_id, {NO_ID}), {', '.join(DAY_SUMS)} FROM staged_open_day"
    " ON CONFLICT (due_on, segment_id) DO UPDATE SET "
    + ", ".join(f"{name} = d.{name} + excluded.{name}" for name in DAY_SUMS)
)
IS_NOTHING: Final = " AND ".join(f"{band}_count = 0" for band in BANDS)


def in_band(score: Any, band: str) -> Booleans:
    """Which risk scores are in a band; what is below 0 is unscored."""
    found: Booleans = {
        "high": score >= HIGH_RISK_FROM,
        "medium": (score >= MEDIUM_RISK_FROM) & (score < HIGH_RISK_FROM),
        "low": (score >= 0) & (score < MEDIUM_RISK_FROM),
        "unscored": score < 0,
    }[band]
    return found


def replace_days(cursor: Any, rows: Arrays) -> None:
    """Make them those of all rows."""
    cursor.execute("DELETE FROM dashboards_openday")
    _add(cursor, rows, np.ones(rows["due"].size, dtype=np.int64))


def change_days(cursor: Any, *, less: Arrays, more: Arrays) -> None:
    """What was stored of some rows is taken off, and what they are now added."""
    rows = {name: np.concatenate([less[name], more[name]]) for name in (*KEYS, "risk_score", "baseline_cents")}
    _add(cursor, rows, np.repeat(np.array([-1, 1]), [less["due"].size, more["due"].size]))
    cursor.execute(f"DELETE FROM dashboards_openday WHERE {IS_NOTHING}")


def _add(cursor: Any, rows: Arrays, sign: Any) -> None:
    keys = [rows[name].astype(np.int64) for name in KEYS]
    codes, first, place = np.unique(joined(keys), return_index=True, return_inverse=True)
    sums: Arrays = {name: key[first] for name, key in zip(KEYS, keys, strict=True)}
    for band in BANDS:
        is_in = sign * in_band(rows["risk_score"], band)
        sums[f"{band}_count"] = added(place, is_in, codes.size)
        sums[f"{band}_cents"] = added(place, is_in * rows["baseline_cents"], codes.size)
    cursor.execute(STAGED)
    cursor.execute("DELETE FROM staged_open_day")
    copy_in(cursor, "staged_open_day", {name: sums[name] for name in (*KEYS, *DAY_SUMS)})
    cursor.execute(ADD)
