"""Writing rows to a file, block after block, so that memory stays flat: CSV for programs, XLSX with typed cells."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from accounts.models import HealthBand
from renewals.exports.columns import STATE, Column, Kind
from renewals.exports.guard import guarded
from renewals.exports.state import make_signer
from renewals.models import Renewal, TimingClass

Block = Sequence[tuple[Any, ...]]
OnRows = Callable[[int], None]
# What an XLSX sheet holds below its header.
XLSX_MOST_ROWS = 1_048_575
CODES: dict[str, dict[Any, str]] = {
    "account__health__band": {band.value: str(band.label) for band in HealthBand},
    "score__timing_class": {member.value: str(member.label) for member in TimingClass},
    "outcome": {str(value): str(label) for value, label in Renewal.Outcome.choices},
}
SHEET, ABOUT = "Renewals", "About"


class TooManyRows(ValueError):
    """More than a file of this format holds; the text says how many, and the way round."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count:,} rows are more than an XLSX sheet holds ({XLSX_MOST_ROWS:,}). "
            "Take CSV, or filter the table first."
        )


def write_csv(path: Path, columns: Sequence[Column], blocks: Iterable[Block], on_rows: OnRows) -> int:
    """UTF-8 with a mark, by which spreadsheets know it. Gives the number of rows."""
    sign, count = make_signer(), 0
    converters = [(place, convert) for place, column in enumerate(columns) if (convert := _text_converter(column))]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([*(column.heading for column in columns), STATE])
        for block in blocks:
            lines = []
            for values in block:
                line = list(values)
                for place, convert in converters:
                    if (value := line[place]) is not None:
                        line[place] = convert(value)
                line[-1] = sign(line[0], line[-1])
                lines.append(line)
            writer.writerows(lines)
            count += len(lines)
            on_rows(count)
    return count


def _text_converter(column: Column) -> Callable[[Any], Any] | None:
    """None where csv writes the value as it should be: whole numbers, amounts, dates."""
    if column.accessor in CODES:
        return CODES[column.accessor].__getitem__
    if column.kind in {Kind.TEXT, Kind.CODE}:
        return guarded
    return _per_cent if column.kind is Kind.SHARE else None


def _per_cent(share: float) -> float:
    return round(share * 100, 2)


def write_xlsx(
    path: Path, columns: Sequence[Column], blocks: Iterable[Block], on_rows: OnRows, *, about: Sequence[tuple[str, str]]
) -> int:
    """One sheet with the rows, one that says what they are. Texts are written as texts, never read as formulas.

    Raises TooManyRows: the writer itself would leave out what does not fit, without a word.
    """
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    sign, count = make_signer(), 0
    with xlsxwriter.Workbook(str(path), options) as workbook:
        sheet = workbook.add_worksheet(SHEET)
        writers = [_cell_writer(workbook, sheet, column) for column in columns]
        _lay_out(workbook, sheet, columns)
        for block in blocks:
            for values in block:
                count += 1
                if count > XLSX_MOST_ROWS:
                    raise TooManyRows(count)
                for place, write in enumerate(writers):
                    if (value := values[place]) is not None:
                        write(count, place, value)
                sheet.write_string(count, len(columns), sign(values[0], values[-1]))
            on_rows(count)
        _write_about(workbook, [("Rows", count), *about])
    return count


def _lay_out(workbook: Any, sheet: Any, columns: Sequence[Column]) -> None:
    head = workbook.add_format({"bold": True, "bottom": 1})
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.heading, head)
    sheet.set_column(len(columns), len(columns), 12, None, {"hidden": True})
    sheet.write_string(0, len(columns), STATE, head)
    sheet.freeze_panes(1, 2)


def _cell_writer(workbook: Any, sheet: Any, column: Column) -> Callable[[int, int, Any], Any]:
    if column.accessor in CODES:
        labels = CODES[column.accessor]
        return lambda row, place, value: sheet.write_string(row, place, labels[value])
    match column.kind:
        case Kind.TEXT | Kind.CODE:
            return sheet.write_string  # type: ignore[no-any-return]
        case Kind.DATE:
            form = workbook.add_format({"num_format": "dd mmm yyyy"})
            return lambda row, place, value: sheet.write_datetime(row, place, value, form)
        case Kind.AMOUNT:
            form = workbook.add_format({"num_format": "#,##0.00"})
            return lambda row, place, value: sheet.write_number(row, place, value, form)
        case Kind.SHARE:
            return lambda row, place, value: sheet.write_number(row, place, _per_cent(value))
    return sheet.write_number  # type: ignore[no-any-return]


def _write_about(workbook: Any, facts: Sequence[tuple[str, Any]]) -> None:
    sheet = workbook.add_worksheet(ABOUT)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 100)
    for row, (name, value) in enumerate(facts):
        sheet.write_string(row, 0, name)
        if isinstance(value, int):
            sheet.write_number(row, 1, value, workbook.add_format({"align": "left"}))
        else:
            sheet.write_string(row, 1, value)


def file_name_of(count: int, made_on: dt.date, suffix: str) -> str:
    return f"renewals-{count}-{'row' if count == 1 else 'rows'}-{made_on:%Y-%m-%d}.{suffix}"
