"""Recurring value and customers by when they came: changes of each fiscal quarter, kept true by differences.

A customer came in the month of its first movement; those that were there when the ledger begins came before it. As a
customer it counts once, where the largest of its lines of that month stands (the lowest owner of equal ones), so that
every scope is a sum of these rows; its value counts where each of its lines stands. It is there at the end of a quarter
at which it has any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import NO_ID, Integers
from forecasting.engine.recurring import Kind, State
from forecasting.frames import Arrays, copy_in

TABLE: Final = "forecasting_mrrcohort"
KEYS: Final = ("owner_id", "segment_id", "came", "quarter")
SUMS: Final = ("cents", "account_count")
STAGED: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_cohort ("
    + ", ".join(f"{name} bigint NOT NULL" for name in (*KEYS, *SUMS))
    + ") ON COMMIT DELETE ROWS"
)
CAME: Final = f"CASE WHEN came <> {NO_ID} THEN make_date(1970 + (came / 12)::int, mod(came, 12)::int + 1, 1) END"
QUARTER: Final = "make_date(1970 + (quarter / 12)::int, mod(quarter, 12)::int + 1, 1)"
INSERT: Final = (
    f"INSERT INTO {TABLE} (owner_id, segment_id, came_on, quarter_on, amount, account_count)"
    f" SELECT NULLIF(owner_id, {NO_ID}), NULLIF(segment_id, {NO_ID}), {CAME}, {QUARTER}, cents * 0.01, account_count"
    " FROM staged_cohort ON CONFLICT (owner_id, segment_id, came_on, quarter_on)"
    f" DO UPDATE SET amount = {TABLE}.amount + EXCLUDED.amount,"
    f" account_count = {TABLE}.account_count + EXCLUDED.account_count"
)
WHOLE: Final = "forecasting_mrrtriangle"
INSERT_WHOLE: Final = (
    f"INSERT INTO {WHOLE} (came_on, quarter_on, amount, account_count)"
    f" SELECT {CAME}, {QUARTER}, sum(cents) * 0.01, sum(account_count) FROM staged_cohort GROUP BY 1, 2"
    " ON CONFLICT (came_on, quarter_on)"
    f" DO UPDATE SET amount = {WHOLE}.amount + EXCLUDED.amount,"
    f" account_count = {WHOLE}.account_count + EXCLUDED.account_count"
)


def replace_cohorts(cursor: Any, rows: Arrays, fiscal_start: int) -> None:
    """Make the stored changes those of all movements of the book."""
    cursor.execute(f"DELETE FROM {TABLE}; DELETE FROM {WHOLE}")
    _write(cursor, cohort_changes(rows, fiscal_start))
    cursor.execute(f"ANALYZE {TABLE}")


def change_cohorts(cursor: Any, *, new: Arrays, stored: Arrays, fiscal_start: int) -> None:
    """Take the stored movements of some accounts off, and put the new ones on. Nothing before the first roll-up."""
    cursor.execute(f"SELECT EXISTS (SELECT FROM {TABLE})")
    if not cursor.fetchone()[0]:
        return
    there, gone = cohort_changes(new, fiscal_start), cohort_changes(stored, fiscal_start)
    keys = {name: np.concatenate([there[name], gone[name]]) for name in KEYS}
    sums = {name: np.concatenate([there[name], -gone[name]]) for name in SUMS}
    _write(cursor, _summed(keys, sums))


def _write(cursor: Any, changes: Arrays) -> None:
    cursor.execute(STAGED)
    cursor.execute("DELETE FROM staged_cohort")
    copy_in(cursor, "staged_cohort", {name: changes[name] for name in (*KEYS, *SUMS)})
    cursor.execute(INSERT)
    cursor.execute(INSERT_WHOLE)


def cohort_changes(rows: Arrays, fiscal_start: int) -> Arrays:
    """int64 arrays of KEYS and SUMS, of all movements of some accounts.

    `came` and `quarter` are the first month of a fiscal quarter, in months since 1970; `came` is NO_ID for those that
    were there before the ledger begins.
    """
    at = np.flatnonzero(rows["state"] == State.ACTUAL)
    order = at[np.lexsort([rows["owner_id"][at], -rows["amount"][at], rows["month"][at], rows["account_id"][at]])]
    account = rows["account_id"][order]
    is_first = np.ones(account.size, dtype=np.bool_)
    is_first[1:] = account[1:] != account[:-1]
    firsts = np.flatnonzero(is_first)
    came_first = np.where(
        rows["kind"][order][firsts] == Kind.OPENING, NO_ID, _quarters(rows["month"][order][firsts], fiscal_start)
    )
    place = np.cumsum(is_first) - 1  # which account a row is of
    quarter = _quarters(rows["month"][order], fiscal_start)
    is_loss = np.isin(rows["kind"][order], (Kind.CONTRACTION, Kind.CHURN))
    cents = np.where(is_loss, -rows["amount"][order], rows["amount"][order])
    values = {
        "owner_id": rows["owner_id"][order],
        "segment_id": rows["segment_id"][order],
        "came": came_first[place],
        "quarter": quarter,
    }
    who, at_end, change = _customers(place, quarter, cents)
    customers = {
        "owner_id": rows["owner_id"][order][firsts][who],
        "segment_id": rows["segment_id"][order][firsts][who],
        "came": came_first[who],
        "quarter": at_end,
    }
    return _summed(
        {name: np.concatenate([values[name], customers[name]]) for name in KEYS},
        {
            "cents": np.concatenate([cents, np.zeros_like(change)]),
            "account_count": np.concatenate([np.zeros_like(cents), change]),
        },
    )


def _quarters(month: Integers, fiscal_start: int) -> Integers:
    first: Integers = month - (month - (fiscal_start - 1)) % 3
    return first


def _customers(place: Integers, quarter: Integers, cents: Integers) -> tuple[Integers, Integers, Integers]:
    """(which account, quarter, 1 or -1) of every quarter at whose end a customer is there, or gone, anew. Rows are in
    the order of account and quarter."""
    if not place.size:
        return place, quarter, cents
    is_new = np.ones(place.size, dtype=np.bool_)
    is_new[1:] = (place[1:] != place[:-1]) | (quarter[1:] != quarter[:-1])
    starts = np.flatnonzero(is_new)
    who, at_end = place[starts], quarter[starts]
    total = np.cumsum(np.add.reduceat(cents, starts))
    # Every account begins with nothing: what the ones before it came to is taken off.
    begins = np.flatnonzero(np.append(True, who[1:] != who[:-1]))
    before = np.append(0, total)[begins]
    level = total - np.repeat(before, np.diff(np.append(begins, who.size)))
    is_there = (level > 0).astype(np.int64)
    was_there = np.append(0, is_there[:-1])
    was_there[begins] = 0
    changed = np.flatnonzero(is_there != was_there)
    return who[changed], at_end[changed], (is_there - was_there)[changed]


def _summed(keys: Mapping[str, Integers], sums: Mapping[str, Integers]) -> Arrays:
    """Rows of equal keys added up; those that come to nothing left out."""
    order = np.lexsort([keys[name] for name in reversed(KEYS)])
    if not order.size:
        return {name: np.zeros(0, dtype=np.int64) for name in (*KEYS, *SUMS)}
    is_new = np.zeros(order.size, dtype=np.bool_)
    is_new[0] = True
    for name in KEYS:
        is_new[1:] |= keys[name][order][1:] != keys[name][order][:-1]
    starts = np.flatnonzero(is_new)
    found = {name: keys[name][order][starts].astype(np.int64) for name in KEYS}
    found |= {name: np.add.reduceat(sums[name][order], starts, dtype=np.int64) for name in SUMS}
    kept = np.flatnonzero((found["cents"] != 0) | (found["account_count"] != 0))
    return {name: values[kept] for name, values in found.items()}
