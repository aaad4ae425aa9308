"""What the tests of exports share: taking a file and reading it back as a program, and as a spreadsheet, would."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from accounts.models import User
from renewals.exports.services import request_export, write_now

Line = dict[str, str]


def exported(user: User, query: str = "", format: str = "csv") -> bytes:
    export = request_export(query_string=query, format=format, user=user)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        write_now(export=export, path=path)
        return path.read_bytes()


def csv_lines(content: bytes) -> list[Line]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def exported_lines(user: User, query: str = "") -> list[Line]:
    return csv_lines(exported(user, query))


def sheet(content: bytes, name: str = "Renewals") -> list[list[Any]]:
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(content)
        file.flush()
        return CalamineWorkbook.from_path(file.name).get_sheet_by_name(name).to_python()


def as_csv(lines: list[Line]) -> bytes:
    """Lines written anew by a program that knows nothing of guards."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()
