"""A labelled file: one row per renewal, with id, cohort, amount, y (1 = renewed) and f_* (what was known)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from forecasting.engine.arrays import Integers
from forecasting.engine.fitted import Categories, Column, Numbers, Rows

NEEDED: Final = ("id", "cohort", "amount", "y")
FEATURE: Final = "f_"
MOST_AMOUNT: Final = 1e12  # sums of many stay whole cents
EPOCH: Final = pd.Timestamp("1970-01-01", tz="UTC")


class LabelledFileRejected(Exception):
    """The file cannot be judged: says which row, field, value and why."""


@dataclass(frozen=True, eq=False)
class LabelledFile:
    """`rows.cohorts` are places in `cohorts` (ascending); amounts int64[n] in hundredths of the file's unit."""

    name: str
    rows: Rows
    cohorts: tuple[str, ...]
    amounts: Integers


def read_labelled(path: Path, segments: tuple[str, ...] = ()) -> LabelledFile:
    """Read a CSV (or .csv.gz). Raises LabelledFileRejected naming row, field, value and reason; rows count from 1.

    Cohorts are put in the order of the numbers in their names: 2024-9 comes before 2024-10.
    """
    try:
        table = pd.read_csv(path, low_memory=False, dtype={"id": "string", "cohort": "string"})
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise LabelledFileRejected(f"{path} cannot be read: {error}") from error
    for name in NEEDED:
        if name not in table.columns:
            raise LabelledFileRejected(
                f"{path.name} has no column {name}; it needs {', '.join(NEEDED)} and f_* columns"
            )
    if table.empty:
        raise LabelledFileRejected(f"{path.name} has no rows")
    features = [name for name in table.columns if name.startswith(FEATURE)]
    for name in segments:
        if name not in features:
            raise LabelledFileRejected(f"segment {name} is not a column of {path.name}; it has {', '.join(features)}")
    outcome, amount = _numbers(table, "y"), _numbers(table, "amount")
    _reject(~np.isin(outcome, (0.0, 1.0)), "y", table, "is not 0 or 1")
    _reject(~((amount >= 0) & (amount <= MOST_AMOUNT)), "amount", table, f"is not an amount of 0 to {MOST_AMOUNT:,.0f}")
    _reject(table["cohort"].isna().to_numpy(), "cohort", table, "is not the name of a period")
    labels = sorted(table["cohort"].unique(), key=_natural)
    accounts, _ = pd.factorize(table["id"], use_na_sentinel=False)
    rows = Rows(
        columns={name: _column(table[name], is_segment=name in segments) for name in features},
        segments=segments,
        cohorts=pd.Index(labels).get_indexer(pd.Index(table["cohort"])).astype(np.int64),
        is_renewed=outcome == 1.0,
        accounts=accounts.astype(np.int64),
    )
    cents = np.rint(amount * 100).astype(np.int64)
    return LabelledFile(path.name, rows, tuple(labels), cents)


def _natural(label: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", label)]


def _column(values: "pd.Series[float] | pd.Series[str]", *, is_segment: bool) -> Column:
    if is_segment or not (pd.api.types.is_numeric_dtype(values) or _is_date(values)):
        codes, names = pd.factorize(values.astype("string"))
        return Categories(codes.astype(np.int64), tuple(str(name) for name in names))
    if not pd.api.types.is_numeric_dtype(values):
        values = (pd.to_datetime(values, format="ISO8601", utc=True) - EPOCH) / pd.Timedelta(days=1)
    return Numbers(values.to_numpy(dtype=np.float64, na_value=np.nan))


def _is_date(values: "pd.Series[float] | pd.Series[str]") -> bool:
    """Every known value is an ISO date or time: a day is a number, of which a later one may be learned."""
    known = values.dropna().astype("string")
    if known.empty or not known.str.match(r"\d{4}-\d{2}-\d{2}").all():
        return False
    return bool(pd.to_datetime(known, format="ISO8601", errors="coerce", utc=True).notna().all())


def _numbers(table: pd.DataFrame, name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    found = pd.to_numeric(table[name], errors="coerce")
    return np.asarray(found, dtype=np.float64)


def _reject(is_bad: "np.ndarray[tuple[int], np.dtype[np.bool_]]", name: str, table: pd.DataFrame, reason: str) -> None:
    if is_bad.any():
        row = int(np.argmax(is_bad))
        value = table[name].iloc[row]
        raise LabelledFileRejected(f"row {row + 1}: {name} {'(blank)' if pd.isna(value) else value} {reason}")
