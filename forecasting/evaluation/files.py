"""A labelled file: one row per renewal, with id, cohort, amount, y (1 = renewed) and f_* (what was known)."""

import csv
import gzip
import re
import warnings
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.fitted import Column, Numbers, Rows
from forecasting.engine.fitted.features import MANY_VALUES
from forecasting.evaluation.cohort_order import UnknownOrder, in_order
from forecasting.evaluation.columns import categories_of, column_of, is_blank, numbers_of

NEEDED: Final = ("id", "cohort", "amount", "y")
FEATURE: Final = "f_"
MOST_AMOUNT: Final = 1e15
MOST_WHOLE: Final = 2.0**52  # a sum of whole units up to here is one of floats too
CENTS: Final = 100.0
GZIP: Final = b"\x1f\x8b"
ENCODING: Final = "utf-8-sig"
SHOWN: Final = 30


class LabelledFileRejected(Exception):
    """The file cannot be judged: says which row, field, value and why."""


@dataclass(frozen=True, eq=False)
class LabelledFile:
    """`rows.cohorts` are places in `cohorts` (the oldest first).

    amounts  int64[n] in units of which `scale` make one of the file's: hundredths, or finer where these would not hold
             the amounts, or coarser where their sum would be too large
    notes    what was taken otherwise than it stands there, in words
    """

    name: str
    rows: Rows
    cohorts: tuple[str, ...]
    amounts: Integers
    scale: float = CENTS
    notes: tuple[str, ...] = ()


def read_labelled(path: Path, segments: tuple[str, ...] = ()) -> LabelledFile:
    """Read a CSV (or .csv.gz). Raises LabelledFileRejected naming row, field, value and reason; rows count from 1."""
    table = _read(path)
    features = [name for name in table.columns if name.startswith(FEATURE)]
    for name in segments:
        if name not in features:
            raise LabelledFileRejected(f"segment {name} is not a column of {path.name}; it has {listed(features)}")
    outcome, amount = numbers_of(table["y"]), numbers_of(table["amount"])
    _reject(~np.isin(outcome, (0.0, 1.0)), "y", table, "is not 0 or 1")
    _reject(~((amount >= 0) & (amount <= MOST_AMOUNT)), "amount", table, f"is not an amount of 0 to {MOST_AMOUNT:,.0f}")
    _reject(np.asarray(table["cohort"].str.strip() == ""), "cohort", table, "is not the name of a period")
    names = table["cohort"].str.strip()
    try:
        cohorts, is_ordered = in_order(names.unique())
    except UnknownOrder as error:
        raise LabelledFileRejected(str(error)) from error
    notes = [] if is_ordered else [f"the names of the cohorts tell no time: taken in this order: {listed(cohorts)}"]
    columns, used, said = _columns(table, features, segments)
    rows = Rows(
        columns=columns,
        segments=used,
        cohorts=pd.Index(cohorts).get_indexer(pd.Index(names)).astype(np.int64),
        is_renewed=outcome == 1.0,
        accounts=_accounts(table),
    )
    units, scale = in_whole_units(amount)
    return LabelledFile(path.name, rows, tuple(cohorts), units, scale, tuple(notes + said))


def _read(path: Path) -> pd.DataFrame:
    """Every column as texts. Lines without anything are left out."""
    try:
        with _opened(path) as file:
            _check_head(path, next(csv.reader(file), []))
        with _opened(path) as file, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # more fields than names: which is which?
            table = pd.read_csv(file, dtype=str, keep_default_na=False, na_filter=False, index_col=False)
    except UnicodeDecodeError as error:
        raise LabelledFileRejected(f"{path} cannot be read: it is not in UTF-8 ({error})") from error
    except pd.errors.ParserWarning as error:
        raise LabelledFileRejected(f"{path.name} row 1: more fields than the heading has names") from error
    except (OSError, EOFError, zlib.error, csv.Error, ValueError) as error:
        raise LabelledFileRejected(f"{path} cannot be read: {_in_a_line(error)}") from error
    table.columns = table.columns.str.strip()
    if table.empty:
        raise LabelledFileRejected(f"{path.name} has no rows")
    return table


def _opened(path: Path) -> IO[str]:
    """Packed or not, by what it begins with."""
    with path.open("rb") as file:
        is_packed = file.read(len(GZIP)) == GZIP
    if is_packed:
        return gzip.open(path, "rt", encoding=ENCODING, newline="")
    return path.open(encoding=ENCODING, newline="")


def _check_head(path: Path, names: list[str]) -> None:
    names = [name.strip() for name in names]
    for name in NEEDED:
        if name not in names:
            raise LabelledFileRejected(
                f"{path.name} has no column {name}; it needs {', '.join(NEEDED)} and f_* columns, separated by "
                f"commas, and has {listed(names)}"
            )
    for name, count in Counter(names).items():
        if count > 1 and (name in NEEDED or name.startswith(FEATURE)):
            raise LabelledFileRejected(f"{path.name} has {count} columns {name}: which one is meant?")


def _columns(
    table: pd.DataFrame, features: Sequence[str], segments: Sequence[str]
) -> tuple[dict[str, Column], tuple[str, ...], list[str]]:
    """(columns by name, those of the segments, what to say of them).

    A segment of more than a dozen numbers or days is used as such too: as names alone they would tell nothing.
    """
    columns: dict[str, Column] = {}
    used, notes = list[str](), list[str]()
    for name in features:
        column, note = column_of(table[name])
        notes += [f"{name}: {note}"] if note else []
        columns[name] = column
        if name not in segments:
            continue
        as_segment = categories_of(table[name])
        is_number = isinstance(column, Numbers) and len(as_segment.names) > MANY_VALUES
        columns[f"{name} as a segment" if is_number else name] = as_segment
    for name in dict.fromkeys(segments):
        own = f"{name} as a segment"
        used.append(own if own in columns else name)
    return columns, tuple(used), notes


def _accounts(table: pd.DataFrame) -> Integers:
    """int64[n]: rows of one id are of one account; a row without one stands alone."""
    accounts = pd.factorize(table["id"].str.strip())[0].astype(np.int64)
    blank = np.flatnonzero(is_blank(table["id"]))
    accounts[blank] = len(table) + blank
    return accounts


def in_whole_units(amounts: Floats) -> tuple[Integers, float]:
    """(amounts int64[n] in units, how many of these make 1); floats hold the sum of the units exactly.

    Hundredths where all amounts are whole ones; else the finest power of ten, at most 1e12, that leaves the sum so.
    """
    total = float(amounts.sum())
    cents = np.rint(amounts * CENTS)
    if total * CENTS <= MOST_WHOLE and np.allclose(cents, amounts * CENTS, rtol=1e-12, atol=1e-6):
        return cents.astype(np.int64), CENTS
    scale = 10.0 ** min(np.floor(np.log10(MOST_WHOLE / total)), 12)
    return np.rint(amounts * scale).astype(np.int64), float(scale)


def _reject(is_bad: Booleans, name: str, table: pd.DataFrame, reason: str) -> None:
    if is_bad.any():
        row = int(np.argmax(is_bad))
        raise LabelledFileRejected(f"row {row + 1}: {name} {table[name].iloc[row].strip() or '(blank)'} {reason}")


def listed(names: Sequence[str]) -> str:
    """All of them, or of many the first ones and the last."""
    if len(names) > SHOWN:
        names = [*names[: SHOWN - 1], "…", names[-1]]
    return ", ".join(names) or "none"


def _in_a_line(error: Exception) -> str:
    return re.sub(r"^Error tokenizing data\. C error: ", "", " ".join(str(error).split()))
