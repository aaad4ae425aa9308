"""The rows of an edit as people read them: account and contract, each cell from what to what, and why not."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from renewals.bulk.edited_cells import label
from renewals.exports.guard import guarded
from renewals.history import words
from renewals.history.kinds import RENEWAL
from renewals.history.words import Names
from renewals.models import BulkEdit, BulkEditRow, Renewal

AT_ONCE = 2000
# What follows from an outcome by itself is told by the outcome.
COLUMNS = RENEWAL.columns


@dataclass(frozen=True)
class Cell:
    """One cell: from what to what. `typed` and `reason` where it was left out."""

    label: str
    old: str
    new: str
    typed: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Row:
    pk: int
    renewal_id: int | None
    row_number: int | None
    account: str
    contract: str
    due: str
    verdict: str
    verdict_label: str
    reason: str
    cells: list[Cell]
    left_out: list[Cell]


def read_rows(rows: Sequence[BulkEditRow], edit: BulkEdit) -> list[Row]:
    """In words, with the names of everything that they speak of in one query per kind."""
    visible = Renewal.objects.visible_to(edit.requested_by).select_related("account", "contract")
    renewals = visible.in_bulk([row.renewal_id for row in rows if row.renewal_id is not None])
    names = Names()
    for row in rows:
        for state in _states(row):
            names.want_state(RENEWAL, state)
    names.read()
    return [_read(row, renewals.get(row.renewal_id or 0), names) for row in rows]


def _states(row: BulkEditRow) -> Iterator[dict[str, Any]]:
    yield row.seen
    yield row.wanted
    for problem in row.problems:
        yield {problem["column"]: problem["was"] or None}
        yield {problem["column"]: problem["now"] or None}


def _read(row: BulkEditRow, renewal: Renewal | None, names: Names) -> Row:
    currency = renewal.currency if renewal else ""

    def text(column: str, value: Any) -> str:
        return words.value_text(RENEWAL, names, column, {column: value or None, "currency": currency})

    cells = [
        Cell(RENEWAL.label(column), text(column, row.seen.get(column)), text(column, row.wanted[column]))
        for column in COLUMNS
        if column in row.wanted
    ]
    left_out = [
        Cell(
            label(problem["field"]),
            text(problem["column"], problem["was"]),
            text(problem["column"], problem["now"]),
            typed=problem["text"],
            reason=problem["reason"],
        )
        for problem in row.problems
    ]
    return Row(
        pk=row.pk,
        renewal_id=row.renewal_id if renewal else None,
        row_number=row.row_number,
        account=renewal.account.name if renewal else "",
        contract=renewal.contract.number if renewal else "",
        due=renewal.due_on.isoformat() if renewal else "",
        verdict=row.verdict,
        verdict_label=str(BulkEditRow.Verdict(row.verdict).label),
        reason=row.reason,
        cells=cells,
        left_out=left_out,
    )


class Echo:
    """What csv.writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


HEADINGS = ("id", "Row in the file", "Account", "Contract", "Due", "Result", "Reason", "Changed", "Left out")


def result_lines(edit: BulkEdit) -> Iterator[str]:
    """A CSV with what became of every row."""
    writer = csv.writer(Echo())
    yield "\ufeff" + writer.writerow(HEADINGS)
    last = 0
    while rows := list(edit.rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        last = rows[-1].pk
        for row in read_rows(rows, edit):
            yield writer.writerow(_line(row))


def _line(row: Row) -> Iterable[Any]:
    changed = "; ".join(f"{cell.label}: {cell.old} → {cell.new}" for cell in row.cells)
    left_out = "; ".join(f"{cell.label} “{cell.typed}”: {cell.reason}" for cell in row.left_out)
    texts = (row.account, row.contract, row.due, row.verdict_label, row.reason, changed, left_out)
    return (row.renewal_id or "", row.row_number or "", *map(guarded, texts))
