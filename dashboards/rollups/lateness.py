"""Accounts that order late as a habit, from the same facts."""

from __future__ import annotations

from typing import Final

import numpy as np

from dashboards.models import Level
from dashboards.rollups.adding import Calendar, added, joined, scope_of, with_scope
from forecasting.engine.arrays import NO_DAY
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays

WINDOW_DAYS: Final = 730
FEWEST_ORDERS: Final = 2
LATE_KEYS: Final = ("level", "team_id", "owner_id", "account_id")
LATE_SUMS: Final = ("ordered_count", "late_count", "late_cents", "late_days")


def find_late(facts: Arrays, calendar: Calendar) -> Arrays:
    """int64 arrays of LATE_KEYS and LATE_SUMS: on each level, the accounts that are habitually late.

    That is: at least two orders in the last two years, win-backs among them, and more late or won back than not.
    """
    rows = with_scope(facts, calendar)
    timing, ordered = rows["timing"], rows["ordered"]
    is_ordered = (timing >= TimingClass.EARLY) & (timing <= TimingClass.WIN_BACK) & (ordered != NO_DAY)
    at = np.flatnonzero(is_ordered & (ordered.astype(np.int64) >= calendar.today - WINDOW_DAYS))
    is_late = timing[at] >= TimingClass.LATE
    sums = {
        "ordered_count": np.ones(at.size, dtype=np.int64),
        "late_count": is_late,
        "late_cents": rows["renewed"][at] * is_late,
        "late_days": np.maximum(ordered[at].astype(np.int64) - rows["due"][at], 0) * is_late,
    }
    parts = []
    for level in Level:
        team, owner, _ = scope_of(rows, at, level)
        keys = [np.full(at.size, level, dtype=np.int64), team, owner, rows["account_id"][at].astype(np.int64)]
        codes, first, place = np.unique(joined(keys), return_index=True, return_inverse=True)
        part = {name: added(place, amounts, codes.size) for name, amounts in sums.items()}
        part |= {name: key[first] for name, key in zip(LATE_KEYS, keys, strict=True)}
        kept = (part["ordered_count"] >= FEWEST_ORDERS) & (2 * part["late_count"] > part["ordered_count"])
        parts.append({name: values[kept] for name, values in part.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in (*LATE_KEYS, *LATE_SUMS)}
