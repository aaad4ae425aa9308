"""What was lost or given up, by month and all that the risk page tells it by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from dashboards.models import LostMonth
from dashboards.rollups.adding import added, joined
from forecasting.engine.arrays import NO_ID, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames import SCORED, Arrays, Column, Reporting, copy_out, copy_out_bytes
from forecasting.frames.book import MISSING, currency_column
from forecasting.frames.converted import converted_cents
from forecasting.periods import first_day, months_of_days

GONE: Final = tuple(int(one) for one in (TimingClass.LAPSED, TimingClass.LOST, TimingClass.WIN_BACK))
KEPT: Final = tuple(int(one) for one in (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE))
# Of renewed ones, those that may be worth less than before: most are not. What is converted with its cross-sell apart
# may lose a cent by it.
GIVEN_UP: Final = "(COALESCE(r.final_amount, 0) < r.baseline_amount OR r.cross_sell_amount > 0)"
COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("owner_id", "small_id", f"COALESCE(r.owner_id, {NO_ID})"),
    Column("segment_id", "small_id", f"COALESCE(a.segment_id, {NO_ID})"),
    Column("reason_id", "small_id", f"COALESCE(r.churn_reason_id, {NO_ID})"),
    Column("product_key", "int8", "hashtextextended(c.product, 0)"),
    Column("due", "date", "r.due_on"),
    Column("timing", "int2", "s.timing_class"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("renewed", "int8", "COALESCE(r.final_amount, 0) * 100"),
    Column("cross_sell", "int8", "r.cross_sell_amount * 100"),
)
AMOUNTS: Final = ("baseline", "renewed", "cross_sell")
KEYS: Final = ("month", "owner_id", "segment_id", "reason_id", "product_key", "is_downsell")
NAMES: Final = (*KEYS, "cents", "example_id")
MONTHS_AT_ONCE: Final = 12
# A cell as it is kept: NAMES of a fixed width.
CELL: Final = np.dtype(
    [
        ("month", "<i4"),
        ("owner_id", "<i4"),
        ("segment_id", "<i4"),
        ("reason_id", "<i4"),
        ("product_key", "<i8"),
        ("is_downsell", "?"),
        ("cents", "<i8"),
        ("example_id", "<i8"),
    ]
)
STORED: Final = (
    "SELECT COALESCE(string_agg(cells, ''::bytea ORDER BY month_on), ''::bytea) FROM dashboards_lostmonth"
    " WHERE month_on BETWEEN %s AND %s"
)
TOLD: Final = (
    Column("id", "int8", "r.id"),
    Column("reason_id", "small_id", f"COALESCE(r.churn_reason_id, {NO_ID})"),
    Column("product_key", "int8", "hashtextextended(c.product, 0)"),
)
OF_RENEWALS: Final = "renewals_renewal r JOIN renewals_contract c ON c.id = r.contract_id WHERE r.id = ANY(%s)"


def read_lost_rows(
    cursor: Any, report: Reporting, condition: str = "TRUE", parameters: Sequence[object] = ()
) -> Arrays:
    """KEYS, cents and the example of every renewal `r` that lost anything and meets a condition.

    Lost is the baseline of what was declined, has lapsed, or lapsed and was won back; downsell what renewed ones gave
    up of theirs.
    """
    is_lost = f"(s.timing_class IN %s OR s.timing_class IN %s AND {GIVEN_UP})"
    source = f"{SCORED} WHERE NOT r.is_excluded AND {is_lost} AND {condition}"
    columns = [*COLUMNS, currency_column(report.currencies)]
    rows = copy_out(cursor, columns, source, [GONE, KEPT, *parameters])
    rows = {name: values[rows["currency"] != MISSING] for name, values in rows.items()}
    currency = rows["currency"].astype(np.int64)
    rows |= {name: converted_cents(rows[name], currency, report.rates) for name in AMOUNTS}
    return _lost(rows)


def lost_among(cursor: Any, facts: Arrays) -> Arrays:
    """The same of the rows of `read_facts`: of those that lost anything only reason and product are read."""
    rows = {name: values[_cents(facts) != 0] for name, values in facts.items()}
    told = copy_out(cursor, TOLD, OF_RENEWALS, [rows["id"].tolist()])
    # One that was deleted meanwhile marks its month again.
    _, ours, theirs = np.intersect1d(rows["id"], told.pop("id"), assume_unique=True, return_indices=True)
    rows = {name: values[ours] for name, values in rows.items()}
    return _lost(rows | {name: values[theirs] for name, values in told.items()})


def _lost(rows: Arrays) -> Arrays:
    """NAMES of those that lost anything; amounts are cents of the reporting currency."""
    cents, month = _cents(rows), months_of_days(rows["due"])
    is_downsell = np.isin(rows["timing"], KEPT)
    rows = rows | {"month": month, "is_downsell": is_downsell, "cents": cents, "example_id": rows["id"]}
    return {name: rows[name][cents != 0] for name in NAMES}


def _cents(rows: Arrays) -> Integers:
    kept = rows["renewed"] - np.minimum(rows["cross_sell"], rows["renewed"])
    given_up = np.maximum(rows["baseline"] - kept, 0)
    cents: Integers = np.select(
        [np.isin(rows["timing"], GONE), np.isin(rows["timing"], KEPT)], [rows["baseline"], given_up], 0
    )
    return cents


def add_up_lost(rows: Arrays) -> Arrays:
    """Cells: NAMES of each that has anything of the rows, whose example is the oldest of them."""
    codes, first, place = np.unique(joined([rows[name] for name in KEYS]), return_index=True, return_inverse=True)
    example = np.full(codes.size, np.iinfo(np.int64).max)
    np.minimum.at(example, place, rows["example_id"])
    cells = {name: rows[name][first].astype(np.int64) for name in KEYS}
    return cells | {"cents": added(place, rows["cents"], codes.size), "example_id": example}


def replace_lost(cells: Arrays, months: Integers | None) -> None:
    """Make the stored cells of these months (of all, where None) those that are given."""
    stored, packed = LostMonth.objects.all(), _packed(cells)
    if months is not None:
        asked = {first_day(int(month)) for month in months}
        stored = stored.filter(month_on__in=asked)
        packed = {month_on: one for month_on, one in packed.items() if month_on in asked}
    known = {month_on: bytes(one) for month_on, one in stored.values_list("month_on", "cells")}
    stored.exclude(month_on__in=packed).delete()
    LostMonth.objects.bulk_create(
        [LostMonth(month_on=month_on, cells=one) for month_on, one in packed.items() if known.get(month_on) != one],
        batch_size=MONTHS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["month_on"],
        update_fields=["cells"],
    )


def _packed(cells: Arrays) -> dict[dt.date, bytes]:
    """Months with their cells in the order of their keys, which is that of `add_up_lost`."""
    rows = np.empty(cells["month"].size, dtype=CELL)
    for name in NAMES:
        rows[name] = cells[name]
    months, first = np.unique(rows["month"], return_index=True)
    parts = np.split(rows, first[1:])
    return {first_day(month): part.tobytes() for month, part in zip(months.tolist(), parts, strict=False)}


def read_cells(cursor: Any, first_on: dt.date, last_on: dt.date) -> Arrays:
    """NAMES of every cell of the months that begin from one day to another, the oldest first."""
    kept = copy_out_bytes(cursor, cursor.mogrify(STORED, [first_on, last_on]).decode())
    rows = np.frombuffer(kept, dtype=CELL)
    return {name: np.ascontiguousarray(rows[name]) for name in NAMES}
