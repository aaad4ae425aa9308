"""Workbooks. A small file can unpack to more memory than a machine has, so its directory is summed before anything is
unpacked, and a child process with limits of its own does the reading.

Run as a program (`python -m renewals.imports.sheets`), this module is that child; it must not import Django.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 300
CHECKOUT = Path(__file__).resolve().parents[2]
CANNOT_READ = (
    "The workbook cannot be read. Open it in a spreadsheet program and save it again as XLSX, or as CSV UTF-8."
)


@contextmanager
def unpack_sheet(path: Path, sheet: str) -> Iterator[Path]:
    """One sheet of an XLSX file (the first, unless named) as a CSV file in UTF-8. Raises ValueError in words."""
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
            raise ValueError(CANNOT_READ)
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise ValueError(answer["error"])
        yield unpacked


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


def write_sheet(source: str, target: str, sheet: str) -> dict[str, str]:
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(source)
    if sheet and sheet not in workbook.sheet_names:
        return {"error": f"The workbook has no sheet “{sheet}”. It has {', '.join(workbook.sheet_names)}."}
    if not workbook.sheet_names:
        return {"error": "The workbook has no sheet."}
    table = workbook.get_sheet_by_name(sheet or workbook.sheet_names[0])
    first_row, first_column = table.start or (0, 0)
    with Path(target).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([""] for _ in range(first_row))
        width = 0
        for row in table.iter_rows():
            cells = [""] * first_column + [text_of(value) for value in row]
            # Cells after the last heading come padded with blanks; a row must not look ragged because of them.
            while cells and not cells[-1]:
                cells.pop()
            width = width or len(cells)
            writer.writerow(cells + [""] * (width - len(cells)))
    return {}


def main() -> None:
    source, target, sheet, limit = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.stdout.write(json.dumps(write_sheet(source, target, sheet)))


if __name__ == "__main__":
    main()
