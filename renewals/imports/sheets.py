"""Workbooks. A small file can unpack to more memory than a machine has, so its directory is summed before anything is
unpacked, and a child process with limits of its own does the reading.

Run as a program (`python -m renewals.imports.sheets`), this module is that child; it must not import Django.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

SECONDS = 300
BLOCK = 1 << 20
LONGEST_ERROR_CELL = 20_000  # with its formula; a formula has 8,192 characters at most
ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c (?=[^>]*\bt="e")[^>]*\br="(?P<column>[A-Z]+)(?P<row>\d+)"[^>]*>'
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>(?P<text>#[^<]{1,30})</",
    re.DOTALL,
)
CHECKOUT = Path(__file__).resolve().parents[2]
CANNOT_READ = (
    "The workbook cannot be read. Open it in a spreadsheet program and save it again as XLSX, or as CSV UTF-8."
)


TOO_LARGE = (
    "The workbook unpacks to more than there is room for. Save the one sheet that you need, as CSV UTF-8, or split it."
)


@dataclass(frozen=True)
class Unpacked:
    """A sheet as a CSV file, which it is, and all that the workbook has."""

    path: Path
    sheet: str
    sheets: tuple[str, ...]


@contextmanager
def unpack_sheet(path: Path, sheet: str) -> Iterator[Unpacked]:
    """One sheet of an XLSX file as a CSV file in UTF-8: the first that can be seen and has cells, unless named. Raises
    ValueError in words."""
    from django.conf import settings

    check_archive(path, settings.IMPORT_MAX_UNPACKED_BYTES)
    with tempfile.TemporaryDirectory(prefix="perennial-") as folder:
        unpacked = Path(folder) / "sheet.csv"
        # Room for the cells as objects beside the unpacked text; far below what an unbounded bomb would take.
        limit = 512 * 1024 * 1024 + 4 * settings.IMPORT_MAX_UNPACKED_BYTES
        command = [sys.executable, "-m", "renewals.imports.sheets", str(path), str(unpacked), sheet, str(limit)]
        try:
            done = subprocess.run(  # noqa: S603  (our own module, arguments are not a shell's)
                command, cwd=CHECKOUT, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ValueError(
                f"The workbook was not read within {SECONDS} seconds. Save the sheet as CSV UTF-8."
            ) from None
        if done.returncode != 0:
            # Out of memory, the reader of workbooks ends its process.
            is_too_large = done.returncode < 0 or "MemoryError" in done.stderr
            raise ValueError(TOO_LARGE if is_too_large else CANNOT_READ)
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise ValueError(answer["error"])
        yield Unpacked(unpacked, answer["sheet"], tuple(answer["sheets"]))


def check_archive(path: Path, most_bytes: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise ValueError("The file begins like a workbook and is broken. Save it again as XLSX or CSV UTF-8.") from None
    names = {entry.filename for entry in entries}
    if not any(name.startswith("xl/") for name in names):
        raise ValueError(
            "This is an archive or another kind of document, not an XLSX workbook. Save the list as XLSX or CSV UTF-8."
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise ValueError("The workbook is locked with a password. Save it without one.")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > most_bytes:
        raise ValueError(
            f"The workbook unpacks to {unpacked / 2**20:,.0f} MB; {most_bytes / 2**20:,.0f} MB at most. "
            "Save the one sheet that you need, as CSV UTF-8."
        )


def text_of(value: object) -> str:
    """A cell as a CSV of the same sheet would have it; dates in ISO, which nobody can misread."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # Past 15 digits a spreadsheet has lost digits already; such an id has to look as damaged as it is.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


def write_sheet(source: str, target: str, sheet: str) -> dict[str, Any]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    workbook = CalamineWorkbook.from_path(source)
    pages = [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    names = [one.name for one in pages]
    if sheet and sheet not in names:
        return {"error": f"The workbook has no sheet “{sheet}”. It has {', '.join(names)}."}
    seen = [one.name for one in pages if one.visible == SheetVisibleEnum.Visible]
    tables = ((name, workbook.get_sheet_by_name(name)) for name in ([sheet] if sheet else seen or names))
    name, table = next(((name, table) for name, table in tables if table.height > 1 or sheet), ("", None))
    if table is None:
        return {"error": "The workbook has no sheet with rows below its headings."}
    errors = read_errors(source, workbook.sheet_names.index(name))
    # Blank rows above the first cell are among the rows, blank columns before it are not.
    first_column = table.start[1] if table.start else 0
    with Path(target).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        width = 0
        for number, row in enumerate(table.iter_rows(), 1):
            cells = [""] * first_column + [text_of(value) for value in row]
            for column, error in errors.get(number, ()):
                cells += [""] * (column + 1 - len(cells))
                cells[column] = error
            # Cells after the last heading come padded with blanks; a row must not look ragged because of them.
            while cells and not cells[-1]:
                cells.pop()
            width = width or len(cells)
            writer.writerow(cells + [""] * (width - len(cells)))
    return {"sheet": name, "sheets": names}


def read_errors(source: str, place: int) -> dict[int, list[tuple[int, str]]]:
    """By row number, the cells of a sheet whose formula failed: column from 0, and what the sheet shows.

    The reader of workbooks takes them for blank, and a blank cell says nothing: #N/A would pass silently.
    """
    errors: dict[int, list[tuple[int, str]]] = {}
    with zipfile.ZipFile(source) as archive, archive.open(_part_of(archive, place)) as part:
        rest = b""
        while block := part.read(BLOCK):
            text = rest + block
            if b't="e"' in text:
                for cell in ERROR_CELL.finditer(text):
                    column = 0
                    for letter in cell["column"].decode():
                        column = column * 26 + ord(letter) - ord("A") + 1
                    found = (column - 1, cell["text"].decode())
                    if found not in errors.setdefault(int(cell["row"]), []):
                        errors[int(cell["row"])].append(found)
            rest = text[-LONGEST_ERROR_CELL:]
    return errors


def _part_of(archive: zipfile.ZipFile, place: int) -> str:
    """The name of the part of a workbook that holds the sheet at this place."""
    book, links = (
        ElementTree.fromstring(archive.read(name))  # noqa: S314  (in a child of its own, with limits)
        for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
    )
    sheet = list(book.iterfind(".//{*}sheets/{*}sheet"))[place]
    [key] = [value for name, value in sheet.attrib.items() if name.endswith("}id")]
    [target] = [link.attrib["Target"] for link in links if link.attrib["Id"] == key]
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def main() -> None:
    source, target, sheet, limit = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.stdout.write(json.dumps(write_sheet(source, target, sheet)))


if __name__ == "__main__":
    main()
