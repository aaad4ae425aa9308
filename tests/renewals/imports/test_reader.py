import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from pytest_django.fixtures import Settings

from renewals.imports.mapping import parse_mapping
from renewals.imports.reader import FileRejected, open_table
from tests.renewals.imports.conftest import CONTRACTS, write

ROWS = [(2, ["Müller", "1"]), (3, ["Two\nlines", "2"])]


def read(path: Path) -> list[tuple[int, list[str]]]:
    with open_table(path) as table:
        return list(table.rows())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_line_ends_and_encodings_are_found(tmp_path: Path, end: str, encoding: str) -> None:
    text = f'Name,Count{end}Müller,1{end}"Two\nlines",2{end}'
    assert read(write(tmp_path, text.encode(encoding))) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    text = f"Name{delimiter}Count\nMüller{delimiter}1\n"
    assert read(write(tmp_path, text.encode())) == [(2, ["Müller", "1"])]


def test_a_first_line_that_names_the_delimiter_counts_as_a_row(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"sep=;\r\na;b\r\n1;2\r\n")) == [(3, ["1", "2"])]


def test_blank_rows_are_passed_over_and_still_counted(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"a,b\n\n , \n1,2\n,\n\n")) == [(4, ["1", "2"])]


def test_the_last_row_needs_no_line_end(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"a,b\n1,2")) == [(2, ["1", "2"])]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"\n\n", "Row 1 is blank, and it should hold the headings"),
        (b"%PDF-1.7 ...", "This is a PDF. Export the list as CSV or XLSX"),
        (b"\x89PNG\r\n\x1a\n", "This is a picture"),
        (b"\xff\xd8\xff\xe0", "This is a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"old Excel workbook \(.xls\), whatever its name says"),
        (b"\x1f\x8b\x08", r"compressed \(gzip\)"),
        (b"<html><table>", "a web page. Some systems name a web page .xls"),
        (b'{"a": 1}', "This is JSON"),
        (b"a,b\n1,\x00\n", "zero bytes"),
        (b"a,b\n1,\x81\n", "neither UTF-8 nor Windows-1252 text.*byte 7 does not fit"),
        (b"\xff\xfea\x00,\x00\xd8\x00\xdc", "begins as UTF-16 and then is not"),
        (b'a,b\n1,"2\n3,4\n5,6\n', "Row 2 opens a quote and never closes it"),
        (b"a,b\n1," + b"x" * 1_000_002 + b"\n", "Line 2 is part of a cell of more than 1,000,000 characters"),
        (b",".join(b"c%d" % n for n in range(10_000)) + b"\n1\n", "The file has 10,000 columns; 1,000 at most"),
        (b"PK\x03\x04 no zip", "begins like a workbook and is broken"),
    ],
)
def test_files_that_cannot_be_read_say_what_to_do(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(FileRejected, match=message):
        read(write(tmp_path, content))


def test_a_named_encoding_must_hold(tmp_path: Path) -> None:
    path = write(tmp_path, "Account,Name\n1,Müller\n".encode("cp1252"))
    mapping = parse_mapping({**CONTRACTS, "file": {"encoding": "utf-8"}})
    with (
        pytest.raises(FileRejected, match="The mapping says that the file is utf-8, and it is not: byte 17"),
        open_table(path, mapping),
    ):
        pass


def test_a_heading_twice_is_refused_only_where_it_is_asked_for(tmp_path: Path) -> None:
    with open_table(write(tmp_path, b"a,b,A\n1,2,3\n")) as table:
        assert table.position("B") == 1
        assert table.position("c") is None
        with pytest.raises(FileRejected, match=r"stands over 2 columns \(1, 3\)"):
            table.position("a")


def workbook(*rows: list[object], sheet: str = "Contracts") -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "dd/mm/yyyy"}) as book:
        page = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return file.getvalue()


def test_workbook_cells_read_as_a_csv_would_have_them(tmp_path: Path) -> None:
    import datetime as dt

    rows = [["Id", "Ends", "Amount", "Flag"], [101698014528, dt.date(2026, 3, 4), 12.5, True], [1e16, "x", "", "y"]]
    assert read(write(tmp_path, workbook(*rows), "book.xlsx")) == [
        (2, ["101698014528", "2026-03-04", "12.5", "TRUE"]),
        (3, ["1e+16", "x", "", "y"]),
    ]


def test_a_sheet_is_taken_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, workbook(["a"], ["1"]), "book.xlsx")
    mapping = parse_mapping({**CONTRACTS, "file": {"sheet": "2026"}})
    with pytest.raises(FileRejected, match=r"has no sheet “2026”\. It has Contracts"), open_table(path, mapping):
        pass


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_unpacking(tmp_path: Path, settings: Settings) -> None:
    settings.IMPORT_MAX_UNPACKED_BYTES = 1024 * 1024
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 50_000_000)
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(FileRejected, match="unpacks to 48 MB; 1 MB at most"):
        read(write(tmp_path, bomb.getvalue()))


def test_a_formula_that_failed_shows_as_the_spreadsheet_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Cover")
        sheet = book.add_worksheet("Data")
        sheet.write_row(2, 1, ["Name", "Count", "Share"])
        sheet.write_row(3, 1, ["Acme", 1])
        sheet.write_formula(3, 3, "=B4/0", None, "#DIV/0!")
        sheet.write_formula(4, 1, '=VLOOKUP("x",A1:B2,2)', None, "#N/A")
        book.add_worksheet("Hidden").hide()
    with open_table(path) as table:
        assert (table.header, table.header_row, table.sheet) == (["", "Name", "Count", "Share"], 3, "Data")
        assert list(table.rows()) == [(4, ["", "Acme", "1", "#DIV/0!"]), (5, ["", "#N/A", "", ""])]


def test_another_kind_of_archive_is_no_workbook(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(FileRejected, match="not an XLSX workbook"):
        read(write(tmp_path, file.getvalue()))


def test_the_child_that_reads_workbooks_knows_no_django() -> None:
    code = "import renewals.imports.sheets, sys; print('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
