"""An exported file that was edited, back again: row by row known by its id, cell by cell compared with its export."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg2.extras import execute_values

from renewals.bulk.edited_cells import CHANGED, Cells, RowEdit
from renewals.bulk.plan import NO_CELL, count_rows, store_plan
from renewals.bulk.rules import FIELDS, columns_of, given_stored
from renewals.bulk.values import COLUMNS
from renewals.exports.columns import EDITABLE_HEADINGS, ID, READ_ONLY_HEADINGS, STATE
from renewals.exports.parts import read_parts
from renewals.exports.state import COLUMNS as STATE_COLUMNS
from renewals.exports.state import SEPARATOR, StateUnreadable, read_state, state_values
from renewals.forms import shown
from renewals.history.authors import newest_authors
from renewals.imports.files import spooled
from renewals.imports.reader import FileRejected, Table, fold, open_table
from renewals.models import BulkEdit, BulkEditRow, Renewal

AT_ONCE = 2000
LISTED_HEADINGS = 8
FileUnreadable = FileRejected
STRANGER = "There is no renewal with this id that you may see."
NOT_ITS_STATE = "Its _state is missing, damaged or that of another row. Export the table again and edit that file."
NOT_AN_ID = "The id is not the number of a renewal."


@dataclass(frozen=True)
class Line:
    """A row of the file: its number as a spreadsheet counts, its id, and its state as it stands there."""

    number: int
    id_text: str
    state_text: str
    cells: dict[str, str]


@dataclass
class Findings:
    """What a file asks for, collected row by row; what concerns no renewal at all is refused at once."""

    edits: list[tuple[Line, RowEdit]] = field(default_factory=list)
    refused: list[tuple[Line, str]] = field(default_factory=list)
    same_count: int = 0
    first_line_of: dict[int, int] = field(default_factory=dict)


def plan_file(edit: BulkEdit, *, as_of: dt.date) -> None:
    """Write the rows of the edit, and count them. Raises FileUnreadable."""
    found, fields = Findings(), set[str]()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE edited_row (renewal_id bigint, row_number int, given jsonb, seen_before jsonb,"
            " problems jsonb)"
        )
    with spooled(read_parts(edit=edit)) as (path, _), open_table(path) as table:
        lines, edit.notes = _lines(table), _notes(table)
        cells = Cells(edit.requested_by, as_of)
        while block := list(islice(lines, AT_ONCE)):
            _compare(block, cells, edit, found)
            fields |= _store(edit, found)
    edit.columns = columns_of(fields)
    if edit.columns:
        given, params = given_stored("edited_row")
        store_plan(edit, given, params, as_of=as_of)
    else:
        _store_problems(edit)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE edited_row")
    count_rows(edit)
    if found.same_count:
        rows = "1 row of the file is" if found.same_count == 1 else f"{found.same_count:,} rows of the file are"
        edit.notes = [*edit.notes, f"{rows} as exported, and left alone."]


def _lines(table: Table) -> Iterator[Line]:
    places = {name: table.position(heading) for heading, name in EDITABLE_HEADINGS.items()}
    id_place, state_place = table.position(ID), table.position(STATE)
    if id_place is None or state_place is None:
        missing = " and ".join(name for name, place in ((ID, id_place), (STATE, state_place)) if place is None)
        raise FileRejected(
            f"The file has no column {missing}. Export the table, edit that file, and leave these two columns in it."
        )
    fields = {name: place for name, place in places.items() if place is not None}
    if not fields:
        raise FileRejected(f"The file has none of the columns that can be edited: {', '.join(EDITABLE_HEADINGS)}.")

    def cell(cells: list[str], place: int) -> str:
        return cells[place] if place < len(cells) else ""

    for number, cells in table.rows():
        yield Line(
            number,
            cell(cells, id_place).strip(),
            cell(cells, state_place).strip(),
            {name: cell(cells, place) for name, place in fields.items()},
        )


def _notes(table: Table) -> list[str]:
    known = {fold(heading) for heading in (*EDITABLE_HEADINGS, *READ_ONLY_HEADINGS, ID, STATE)}
    read_only = [name for name in table.header if fold(name) in {fold(heading) for heading in READ_ONLY_HEADINGS}]
    strange = [name for name in table.header if name.strip() and fold(name) not in known]
    notes = []
    if read_only:
        notes.append(f"These columns cannot be changed here, and are not looked at: {_listed(read_only)}.")
    if strange:
        notes.append(f"These columns are not of an export, and are not looked at: {_listed(strange)}.")
    return notes


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED_HEADINGS} more" if len(names) > LISTED_HEADINGS else ""
    return ", ".join(shown(name) for name in names[:LISTED_HEADINGS]) + more


def _compare(block: list[Line], cells: Cells, edit: BulkEdit, found: Findings) -> None:
    ids = [int(line.id_text) for line in block if _is_id(line.id_text)]
    visible = Renewal.objects.visible_to(edit.requested_by).filter(pk__in=ids).order_by()
    states = dict(visible.annotate(state_values=state_values()).values_list("pk", "state_values"))
    for line in block:
        reason = _refusal(line, states, found)
        if reason:
            found.refused.append((line, reason))
            continue
        pk = int(line.id_text)
        found.first_line_of[pk] = line.number
        now = dict(zip(STATE_COLUMNS, states[pk].split(SEPARATOR, len(STATE_COLUMNS) - 1), strict=True))
        try:
            row_edit = cells.compare(line.cells, read_state(line.state_text, pk), now)
        except StateUnreadable:
            found.refused.append((line, NOT_ITS_STATE))
            continue
        if row_edit.given or row_edit.problems:
            found.edits.append((line, row_edit))
        else:
            found.same_count += 1
    _name_authors(found)


def _name_authors(found: Findings) -> None:
    """Say of each cell that somebody else changed who that was, and when."""
    changed: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for line, one in found.edits:
        for problem in one.problems:
            if problem["reason"] == CHANGED:
                changed.setdefault(problem["column"], []).append((int(line.id_text), problem))
    for column, problems in changed.items():
        authors = newest_authors([column], [pk for pk, _ in problems])
        for pk, problem in problems:
            if pk in authors:
                name, at = authors[pk]
                problem["reason"] = f"{name} changed it since the export, {timezone.localtime(at):%d %b at %H:%M}."


def _refusal(line: Line, states: dict[int, str], found: Findings) -> str:
    if not _is_id(line.id_text):
        return NOT_AN_ID
    if int(line.id_text) not in states:
        return STRANGER
    first = found.first_line_of.get(int(line.id_text))
    return f"This renewal stands in row {first} already." if first else ""


def _is_id(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,18}", text))


def _store(edit: BulkEdit, found: Findings) -> set[str]:
    """Move what was found to the database; the fields that are asked for."""
    rows: list[tuple[Any, ...]] = [
        (int(line.id_text), line.number, json.dumps(one.given), json.dumps(one.before), json.dumps(one.problems))
        for line, one in found.edits
    ]
    with connection.cursor() as cursor:
        execute_values(cursor, "INSERT INTO edited_row VALUES %s", rows, page_size=1000)
    BulkEditRow.objects.bulk_create(
        [
            BulkEditRow(
                edit=edit,
                renewal_id=int(line.id_text) if _is_id(line.id_text) else None,
                row_number=line.number,
                verdict=BulkEditRow.Verdict.REFUSED,
                reason=reason,
            )
            for line, reason in found.refused
        ],
        batch_size=1000,
    )
    given = {column for _, one in found.edits for column in one.given}
    found.edits, found.refused = [], []
    return {name for name, column in FIELDS.items() if column in given and name in COLUMNS}


def _store_problems(edit: BulkEdit) -> None:
    """Nothing can be taken: there is nothing to plan, and the problems are still told."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {BulkEditRow._meta.db_table}"
            " (edit_id, renewal_id, row_number, seen, wanted, problems, verdict, reason, is_chosen)"
            " SELECT %s, renewal_id, row_number, '{}', '{}', problems, 'refused', %s, true FROM edited_row",
            [edit.pk, NO_CELL],
        )
