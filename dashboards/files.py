"""The tiles of a dashboard as a workbook, one sheet for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO

import xlsxwriter

from dashboards.tiles import Kind, Tile

FORMATS = {
    Kind.MONEY: "#,##0.00",
    Kind.UNITS: "#,##0",
    Kind.RATE: "0.0%",
    Kind.COUNT: "#,##0",
    Kind.POINTS: "+0.0%;-0.0%",
}
SHEET_NAME_LENGTH = 31


def as_xlsx(tiles: Sequence[Tile], facts: Sequence[tuple[str, str]]) -> bytes:
    """A first sheet of what the numbers are of, then one sheet a tile; numbers are numbers."""
    content = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as workbook:
        bold, head = workbook.add_format({"bold": True}), workbook.add_format({"bold": True, "bottom": 1})
        formats = {kind: workbook.add_format({"num_format": form}) for kind, form in FORMATS.items()}
        sheet = workbook.add_worksheet("About")
        sheet.set_column(0, 0, 24)
        for at, (name, text) in enumerate(facts):
            sheet.write_string(at, 0, name, bold)
            sheet.write_string(at, 1, text)
        for name, one in zip(_names(tiles), tiles, strict=True):
            sheet = workbook.add_worksheet(name)
            sheet.set_column(0, 0, 24)
            sheet.set_column(1, max(len(one.heads), 1), 16)
            sheet.freeze_panes(1, 1)
            for place, text in enumerate([one.label_head, *one.heads]):
                sheet.write_string(0, place, text, head)
            for at, row in enumerate(one.rows, start=1):
                sheet.write_string(at, 0, row.label)
                for place, cell in enumerate(row.cells, start=1):
                    if cell.number is not None:
                        sheet.write_number(at, place, float(cell.number or 0), formats[cell.kind])
    return content.getvalue()


def _names(tiles: Sequence[Tile]) -> list[str]:
    """Excel takes no more than 31 characters, not these signs, and no name twice."""
    names: list[str] = []
    for number, one in enumerate(tiles, start=1):
        name = re.sub(r"[\[\]:*?/\\']", " ", one.title)[: SHEET_NAME_LENGTH - 3].strip()
        taken = {other.lower() for other in ("About", *names)}
        names.append(name if name.lower() not in taken else f"{name} {number}")
    return names
