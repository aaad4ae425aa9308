"""The refused rows as a CSV to fix and bring again: the file's own columns, and why each row was refused."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from renewals.imports.files import kept_file
from renewals.imports.mapping import parse_mapping
from renewals.imports.reader import open_table
from renewals.models import ImportBatch, ImportFinding

EXTRA = ("Row in the file", "Why it was refused")
RUN_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Echo:
    """What csv.writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def guarded(cell: str) -> str:
    """Text that no spreadsheet runs. The quote in front is taken off again when the file comes back."""
    return f"'{cell}" if cell.startswith(RUN_AS_FORMULA) else cell


def rows_to_fix(batch: ImportBatch) -> Iterator[str]:
    """Lines of the CSV, one at a time; UTF-8 with a mark, so that spreadsheets read it as such. Raises FileRejected."""
    mapping = parse_mapping(batch.mapping, batch.mapping_name)
    reasons = _reasons(batch)
    with kept_file(batch) as path, open_table(path, mapping) as table:
        # As its mapping reads it: the delimiter that it names, the headings in the row that it says.
        writer = csv.writer(Echo(), delimiter=mapping.delimiter or table.delimiter)
        yield "\ufeff" + "\r\n" * (mapping.header_row - 1) + writer.writerow([*map(guarded, table.header), *EXTRA])
        wanted, reason = next(reasons, (0, ""))
        for number, cells in table.rows():
            if number == wanted:
                padded = cells + [""] * (len(table.header) - len(cells))
                yield writer.writerow([*map(guarded, padded), str(number), guarded(reason)])
                wanted, reason = next(reasons, (0, ""))


def _reasons(batch: ImportBatch) -> Iterator[tuple[int, str]]:
    refused = (
        batch.findings.filter(severity=ImportFinding.Severity.REFUSED)
        .order_by("row_number", "pk")
        .values_list("row_number", "column", "value", "reason")
    )
    for number, group in groupby(refused.iterator(), key=itemgetter(0)):
        yield number, "; ".join(f"{column} “{value}” {reason}".strip() for _, column, value, reason in group)
