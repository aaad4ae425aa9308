"""Accounts that ordered late, from the same facts."""

from __future__ import annotations

from typing import Final

import numpy as np

from dashboards.rollups.adding import added, joined
from forecasting.engine.arrays import NO_DAY
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays

WINDOW_DAYS: Final = 730
LATE_SUMS: Final = ("ordered_count", "late_count", "late_cents", "late_days")
LATE_KEYS: Final = ("account_id", "owner_id")


def count_late(facts: Arrays, today: int) -> Arrays:
    """int64 arrays of LATE_KEYS and LATE_SUMS: each account and owner with a late order or a win-back in the window."""
    timing, ordered = facts["timing"], facts["ordered"]
    is_ordered = (timing >= TimingClass.EARLY) & (timing <= TimingClass.WIN_BACK) & (ordered != NO_DAY)
    at = np.flatnonzero(is_ordered & (ordered.astype(np.int64) >= today - WINDOW_DAYS))
    keys = [facts[name][at].astype(np.int64) for name in LATE_KEYS]
    codes, first, place = np.unique(joined(keys), return_index=True, return_inverse=True)
    is_late = timing[at] >= TimingClass.LATE
    days = ordered[at].astype(np.int64) - facts["due"][at]
    sums = {
        "ordered_count": np.ones(at.size, dtype=np.int64),
        "late_count": is_late,
        "late_cents": facts["renewed"][at] * is_late,
        "late_days": np.maximum(days, 0) * is_late,
    }
    rows = {name: added(place, amounts, codes.size) for name, amounts in sums.items()}
    rows |= {name: key[first] for name, key in zip(LATE_KEYS, keys, strict=True)}
    kept = rows["late_count"] > 0
    return {name: values[kept] for name, values in rows.items()}
