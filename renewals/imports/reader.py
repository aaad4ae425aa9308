"""Files as they come: which kind, which encoding, which delimiter; then rows of text with the numbers a spreadsheet
shows.

Nothing is lost on the way: a quote that is never closed would swallow the rest of a file, so such a file is rejected.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, compress, islice
from pathlib import Path

from renewals.imports.mapping import Mapping
from renewals.imports.sheets import unpack_sheet

LONGEST_FIELD = 1_000_000
MOST_COLUMNS = 1_000
LAST_HEADER_ROW = 100
BLOCK = 1 << 20
DELIMITERS = ",;\t|"
END = "\ue000"  # a private sign: a line of its own after the last, unless a quote is still open
WRONG_KINDS = {
    b"%PDF": "a PDF. Export the list as CSV or XLSX from where the PDF was made",
    b"\x89PNG": "a picture. Export the list as CSV or XLSX",
    b"\xff\xd8\xff": "a picture. Export the list as CSV or XLSX",
    b"GIF8": "a picture. Export the list as CSV or XLSX",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), whatever its name says. Open it and save it as XLSX or "
    "CSV UTF-8",
    b"\x1f\x8b": "compressed (gzip). Unpack it first",
    b"7z\xbc\xaf": "compressed (7-Zip). Unpack it first",
    b"Rar!": "compressed (RAR). Unpack it first",
    b"{\\rtf": "a text document (RTF). Save the list as CSV or XLSX",
    b"PAR1": "a Parquet file. Export it as CSV",
    b"SQLite": "a database file. Export the table as CSV",
}
WRONG_TEXTS = {
    b"<!doctype": "a web page. Some systems name a web page .xls: open it in a spreadsheet and save it as XLSX "
    "or CSV UTF-8",
    b"<html": "a web page. Some systems name a web page .xls: open it in a spreadsheet and save it as XLSX "
    "or CSV UTF-8",
    b"<?xml": "XML. Open it in a spreadsheet and save it as XLSX or CSV UTF-8",
    b"[{": "JSON. Export the list as CSV or XLSX",
    b"{": "JSON. Export the list as CSV or XLSX",
}


class FileRejected(ValueError):
    """The file as a whole cannot be read; the text says why and what to do."""


@dataclass(frozen=True)
class Reading:
    """Where in a file the rows are, as a person says it before a mapping is chosen."""

    sheet: str = ""  # of a workbook; the first that can be seen and has cells, unless named
    header_row: int = 0  # 0: the first row that is not blank


@dataclass(frozen=True)
class Table:
    """A file opened: its header, and where the rest is."""

    path: Path
    encoding: str
    delimiter: str
    header: list[str]
    header_record: int  # the header's row number
    header_row: int = 1  # the same, without the line that names the delimiter
    sheet: str = ""
    sheets: tuple[str, ...] = ()

    def chunks(self, size: int) -> Iterator[tuple[list[int], list[list[str]]]]:
        """Row numbers and cells of the rows after the header that are not blank, so many at a time."""
        first = 1
        for records in _records(self.path, self.encoding, self.delimiter, size):
            numbers = range(first, first + len(records))
            first += len(records)
            filled = [cells and (cells[0].strip() != "" or any(map(str.strip, cells))) for cells in records]
            if numbers[0] <= self.header_record:
                filled[: self.header_record + 1 - numbers[0]] = [False] * (self.header_record + 1 - numbers[0])
            if any(filled):
                yield list(compress(numbers, filled)), list(compress(records, filled))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        for numbers, rows in self.chunks(1000):
            yield from zip(numbers, rows, strict=True)

    def position(self, column: str) -> int | None:
        """Where a column stands. Its name counts whatever its case and spaces."""
        wanted = fold(column)
        places = [place for place, name in enumerate(self.header) if fold(name) == wanted]
        if len(places) > 1:
            raise FileRejected(
                f"The heading “{column}” stands over {len(places)} columns "
                f"({', '.join(str(place + 1) for place in places)}). Give each its own heading."
            )
        return places[0] if places else None


def fold(name: str) -> str:
    return " ".join(name.split()).casefold()


@contextmanager
def open_table(path: Path, mapping: Mapping | None = None, reading: Reading = Reading()) -> Iterator[Table]:
    """The table in a file. Raises FileRejected. A workbook is unpacked into a CSV file that lives as long as the
    context."""
    head = _read_head(path)
    wanted = mapping.header_row if mapping else reading.header_row
    if head.startswith(b"PK\x03\x04"):
        try:
            with unpack_sheet(path, mapping.sheet if mapping else reading.sheet) as unpacked:
                table = _open_text(unpacked.path, mapping, wanted, encoding="utf-8", delimiter=",")
                yield replace(table, sheet=unpacked.sheet, sheets=unpacked.sheets)
        except ValueError as error:
            raise FileRejected(str(error)) from None
    else:
        yield _open_text(path, mapping, wanted)


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise FileRejected("The file is empty.")
    for magic, what in WRONG_KINDS.items():
        if head.startswith(magic):
            raise FileRejected(f"This is {what}.")
    for beginning, what in WRONG_TEXTS.items():
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(beginning):
            raise FileRejected(f"This is {what}.")
    return head


def _open_text(path: Path, mapping: Mapping | None, wanted: int, *, encoding: str = "", delimiter: str = "") -> Table:
    encoding = encoding or _find_encoding(path, mapping.encoding if mapping else "")
    columns = {fold(column) for column in mapping.columns} if mapping else set()
    first_line = _first_line(path, encoding)
    if first_line[:4].lower() == "sep=" and len(first_line.strip()) == 5:
        delimiter = first_line[4]
    before = 1 if first_line[:4].lower() == "sep=" else 0
    wanted = wanted or _first_filled(path, encoding, delimiter or ",", before)
    header_record = wanted + before
    candidates = [delimiter or (mapping.delimiter if mapping else "")]
    if not candidates[0]:
        candidates = list(DELIMITERS)
    best: tuple[tuple[int, int], str, list[str]] | None = None
    for candidate in candidates:
        header = _header(path, encoding, candidate, header_record)
        score = (sum(fold(name) in columns for name in header), len(header))
        if best is None or score > best[0]:
            best = score, candidate, header
    assert best is not None
    header = best[2]
    if not any(name.strip() for name in header):
        raise FileRejected(f"Row {header_record} is blank, and it should hold the headings.")
    if len(header) > MOST_COLUMNS:
        raise FileRejected(f"The file has {len(header):,} columns; {MOST_COLUMNS:,} at most.")
    return Table(path, encoding, best[1], [" ".join(name.split()) for name in header], header_record, wanted)


def _first_filled(path: Path, encoding: str, delimiter: str, before: int) -> int:
    """The first row with a heading in it, past the line that names the delimiter; 1 where none of the first has."""
    records = next(_records(path, encoding, delimiter, LAST_HEADER_ROW + before), [])[before:]
    return next((row for row, cells in enumerate(records, 1) if "".join(cells).strip(DELIMITERS + " \t")), 1)


def _find_encoding(path: Path, named: str) -> str:
    """The named encoding, or the one that the bytes themselves prove: a byte order mark, UTF-8, Windows-1252."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return _proved(path, encoding, f"The file begins as {encoding.upper()} and then is not")
    if named:
        return _proved(path, named, f"The mapping says that the file is {named}, and it is not")
    if b"\0" in head:
        odd, even = head[1::2].count(0), head[::2].count(0)
        for count, encoding in ((odd, "utf-16-le"), (even, "utf-16-be")):
            if count > len(head) // 5:
                return _proved(path, encoding, "The file has zero bytes and is no UTF-16 text")
        raise FileRejected("The file is not text: it has zero bytes. Export the list as CSV or XLSX.")
    if not _decoding_error(path, "utf-8"):
        return "utf-8"
    return _proved(
        path,
        "cp1252",
        "The file is neither UTF-8 nor Windows-1252 text. Save it as CSV UTF-8, or name its encoding in the mapping",
    )


def _proved(path: Path, encoding: str, complaint: str) -> str:
    error = _decoding_error(path, encoding)
    if error:
        raise FileRejected(f"{complaint}: {error}.")
    return encoding


def _decoding_error(path: Path, encoding: str) -> str:
    """Blank where the whole file decodes to text without zero characters."""
    decoder = codecs.getincrementaldecoder(encoding)()
    place = 0
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK):
                if "\0" in decoder.decode(block):
                    return f"a zero character after byte {place:,}"
                place += len(block)
            decoder.decode(b"", final=True)
        except UnicodeError as error:
            offset = error.start if isinstance(error, UnicodeDecodeError) else 0
            return f"byte {place + offset + 1:,} does not fit"
    return ""


def _first_line(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, newline="") as file:
        return file.readline(LONGEST_FIELD)


def _header(path: Path, encoding: str, delimiter: str, wanted: int) -> list[str]:
    records = next(_records(path, encoding, delimiter, wanted), [])
    if wanted == 1 and not records:
        raise FileRejected("The sheet is empty.")
    if len(records) < wanted:
        raise FileRejected(f"The file has fewer than {wanted} rows, and row {wanted} should hold the headings.")
    return records[wanted - 1]


def _records(path: Path, encoding: str, delimiter: str, size: int) -> Iterator[list[list[str]]]:
    """Records as csv reads them, blank ones too, so many at a time."""
    csv.field_size_limit(LONGEST_FIELD)
    first = 1
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(_lines(file), delimiter=delimiter)
        while True:
            try:
                records = list(islice(reader, size))
            except csv.Error:
                raise FileRejected(
                    f"Line {reader.line_num:,} is part of a cell of more than {LONGEST_FIELD:,} characters. "
                    "Most likely a quote is opened there or above and never closed."
                ) from None
            if records and records[-1] and records[-1][-1].endswith(END):
                if records.pop() != [END]:
                    raise FileRejected(
                        f"Row {first + len(records)} opens a quote and never closes it, so the rest of the file "
                        f"would be "
                        "read as one cell. Close the quote, or take it out."
                    )
                if records:
                    yield records
                return
            first += len(records)
            yield records


def _lines(file: Iterator[str]) -> Iterator[str]:
    return chain(file, [END])
