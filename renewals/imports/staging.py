"""Rows of a file into a temporary table, column by column: each distinct text is read once, then COPY takes the
chunk."""

from __future__ import annotations

import gc
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat

from django.db.backends.utils import CursorWrapper

from renewals.imports.cells import NULL, ColumnReader, clean
from renewals.imports.fields import FIELDS, MANDATORY
from renewals.imports.findings import Problem, copy_problems, problem
from renewals.imports.lookups import Lookups
from renewals.imports.mapping import AttributeRule, Mapping, Rule
from renewals.imports.reader import FileRejected, Table, fold

CHUNK = 20_000


class Cancelled(Exception):
    """Somebody cancelled the import while it was read."""


@dataclass
class Tally:
    """Where every row of the file went. Read = staged + refused + left out; repeats are found later, among the
    staged."""

    read: int = 0
    staged: int = 0
    refused: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass
class Stage:
    """The readers of one mapping over one file. A column's place may be None: the mapping's value stands alone."""

    mapping: Mapping
    table: Table
    lookups: Lookups
    readers: dict[str, ColumnReader] = field(default_factory=dict)
    attribute_readers: dict[str, list[ColumnReader]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


def stage_rows(
    cursor: CursorWrapper,
    mapping: Mapping,
    table: Table,
    lookups: Lookups,
    *,
    on_progress: Callable[[int], None] = lambda read: None,
) -> Tally:
    """Fills import_cell and import_problem. Raises FileRejected where a mandatory column is missing."""
    _create_table(cursor, mapping)
    stage = _prepare(mapping, table, lookups)
    copy_problems(cursor, stage.problems)
    with _no_collector():
        for numbers, rows in table.chunks(CHUNK):
            stage.problems.clear()
            _stage_chunk(cursor, stage, numbers, rows)
            copy_problems(cursor, stage.problems)
            on_progress(stage.tally.read)
    if not stage.tally.read:
        raise FileRejected("The file has headings and no rows below them.")
    return stage.tally


@contextmanager
def _no_collector() -> Iterator[None]:
    """Rows are lists of texts: the collector would look through all of them, again and again, for cycles there are
    none of. That is a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _create_table(cursor: CursorWrapper, mapping: Mapping) -> None:
    """A column for every field. Those of this mapping first: whoever reads a row walks over all that stand before."""
    fields = sorted(FIELDS.values(), key=lambda one: one.path not in mapping.rules)
    cursor.execute(
        f"""
        DROP TABLE IF EXISTS pg_temp.import_cell;
        CREATE TEMP TABLE import_cell (
            row_number integer, account_key text COLLATE "C", signature bigint,
            account_attributes jsonb, renewal_attributes jsonb, signal_attributes jsonb,
            {", ".join(f"{one.staged} {one.sql_type}" for one in fields)}
        )
        """
    )


def _prepare(mapping: Mapping, table: Table, lookups: Lookups) -> Stage:
    stage = Stage(mapping, table, lookups)
    missing: list[str] = []
    for column in sorted(mapping.columns):
        place = table.position(column)
        if place is None:
            missing.append(column)
        else:
            stage.places[fold(column)] = place
    for path, rule in mapping.rules.items():
        if not set(rule.columns) & set(missing):
            stage.readers[path] = ColumnReader(rule, lookups)
    _refuse_missing(stage, missing)
    for attribute in (*mapping.attributes, *mapping.custom):
        if not set(attribute.rule.columns) & set(missing):
            reader = ColumnReader(attribute.rule, lookups, encode=_fragment(attribute))
            stage.attribute_readers.setdefault(attribute.holder, []).append(reader)
    return stage


def _refuse_missing(stage: Stage, missing: list[str]) -> None:
    """A missing column stops the file where rows cannot do without it; otherwise it is a warning on the header."""
    has = ", ".join(f"“{name}”" for name in stage.table.header[:30])
    for group in MANDATORY[stage.mapping.rows]:
        if not any(path in stage.readers for path in group):
            columns = [
                column for path in group if path in stage.mapping.rules for column in stage.mapping.rules[path].columns
            ]
            wanted = " or ".join(f"“{column}”" for column in columns)
            raise FileRejected(f"The file has no column {wanted}, which this mapping needs. It has {has}.")
    others = [name for name in stage.table.sheets if name != stage.table.sheet]
    if others:
        reason = f"this sheet is read; the workbook has {len(others)} more, which are not: {', '.join(others)}"
        number = stage.table.header_record
        stage.problems.append(problem(number, "", stage.table.sheet, "other_sheets", reason, is_refusal=False))
    for column in missing:
        if column in {rule.column for rule in stage.mapping.leave_out}:
            raise FileRejected(
                f"The file has no column “{column}”, by which this mapping leaves rows out. It has {has}."
            )
        stage.problems.append(
            problem(
                stage.table.header_record,
                column,
                "",
                "missing_column",
                "the file has no such column; nothing is imported for it",
                is_refusal=False,
            )
        )


def _fragment(attribute: AttributeRule) -> Callable[[str], str]:
    """One key and value of a JSON object. Numbers are bare, flags are true or false, the rest is text."""
    key = json.dumps(attribute.key)

    def encode(value: str) -> str:
        match attribute.kind:
            case "number":
                return f"{key}: {float(value):.15g}"
            case "flag":
                return f"{key}: {'true' if value == 't' else 'false'}"
        return f"{key}: {json.dumps(value, ensure_ascii=False)}"

    return encode


def _stage_chunk(cursor: CursorWrapper, stage: Stage, numbers: list[int], rows: list[list[str]]) -> None:
    stage.tally.read += len(rows)
    numbers, rows = _even(stage, numbers, rows)
    numbers, rows = _without_left_out(stage, numbers, rows)
    if not rows:
        return
    columns = list(zip(*rows, strict=True))
    bad: set[int] = set()
    names, values = ["row_number"], [list(map(str, numbers))]
    for path, reader in stage.readers.items():
        names.append(FIELDS[path].staged)
        values.append(_read_cells(stage, reader, columns, numbers, bad))
    by_name = dict(zip(names, values, strict=True))
    _refuse_blanks(stage, by_name, numbers, bad)
    for holder, readers in stage.attribute_readers.items():
        fragments = zip(*(_read_cells(stage, reader, columns, numbers, bad) for reader in readers), strict=True)
        names.append(f"{holder}_attributes")
        values.append(["{" + ", ".join(part for part in parts if part != NULL) + "}" for parts in fragments])
    signatures = [str(hash(cells)) for cells in zip(*values[1:], strict=True)]
    keys = _account_keys(by_name, len(numbers))
    lines = ["\t".join(cells) for cells in zip(*values, keys, signatures, strict=True)]
    if bad:
        lines = [line for place, line in enumerate(lines) if place not in bad]
    stage.tally.refused += len(bad)
    stage.tally.staged += len(lines)
    cursor.copy_expert(
        f"COPY import_cell ({', '.join([*names, 'account_key', 'signature'])}) FROM STDIN",
        io.StringIO("\n".join(lines) + "\n" if lines else ""),
    )


def _even(stage: Stage, numbers: list[int], rows: list[list[str]]) -> tuple[list[int], list[list[str]]]:
    """Rows with a cell for each heading. Blank cells past the last heading do no harm; anything else would shift
    values."""
    width = len(stage.table.header)
    if set(map(len, rows)) == {width}:
        return numbers, rows
    kept_numbers, kept_rows = [], []
    for number, cells in zip(numbers, rows, strict=True):
        if len(cells) < width or any(map(str.strip, cells[width:])):
            reason = f"has {len(cells)} cells, and there are {width} headings"
            stage.problems.append(problem(number, "", stage.table.delimiter.join(cells), "ragged_row", reason))
            stage.tally.refused += 1
        else:
            kept_numbers.append(number)
            kept_rows.append(cells[:width])
    return kept_numbers, kept_rows


def _without_left_out(stage: Stage, numbers: list[int], rows: list[list[str]]) -> tuple[list[int], list[list[str]]]:
    for rule in stage.mapping.leave_out:
        place = stage.places[fold(rule.column)]
        kept = [
            (number, cells)
            for number, cells in zip(numbers, rows, strict=True)
            if (clean(cells[place]).casefold() in rule.words) == rule.is_keep
        ]
        stage.tally.left_out[rule.reason] += len(rows) - len(kept)
        numbers, rows = [number for number, _ in kept], [cells for _, cells in kept]
    return numbers, rows


def _read_cells(
    stage: Stage, reader: ColumnReader, columns: list[tuple[str, ...]], numbers: list[int], bad: set[int]
) -> list[str]:
    cells = _cells_of(stage, reader.rule, columns, len(numbers))
    values = reader.read(cells)
    if reader.notes:
        for place, cell in enumerate(cells):
            note = reader.notes.get(cell)
            if note:
                name = reader.rule.source or reader.rule.field.label
                shown = " ".join(cell[:LONGEST_SHOWN].split())
                stage.problems.append(
                    problem(numbers[place], name, shown, note.code, note.reason, is_refusal=note.is_refusal)
                )
                if note.is_refusal:
                    bad.add(place)
    return values


LONGEST_SHOWN = 400


def _cells_of(stage: Stage, rule: Rule, columns: list[tuple[str, ...]], count: int) -> Sequence[str]:
    if not rule.columns:
        return list(repeat(rule.value, count))
    places = [stage.places[fold(column)] for column in rule.columns]
    if len(places) == 1:
        return columns[places[0]]
    parts = zip(*(columns[place] for place in places), strict=True)
    return [rule.separator.join(cell.strip() for cell in cells if cell.strip()) for cells in parts]


def _refuse_blanks(stage: Stage, values: dict[str, list[str]], numbers: list[int], bad: set[int]) -> None:
    for group in MANDATORY[stage.mapping.rows]:
        paths = [path for path in group if path in stage.readers]
        lists = [values[FIELDS[path].staged] for path in paths]
        if not all(NULL in cells for cells in lists):
            continue
        for place, cells in enumerate(zip(*lists, strict=True)):
            if place not in bad and set(cells) == {NULL}:
                rule = stage.readers[paths[0]].rule
                stage.problems.append(
                    problem(
                        numbers[place], rule.source, "", "blank", f"is blank, and a row needs it: {rule.field.label}"
                    )
                )
                bad.add(place)


def _account_keys(values: dict[str, list[str]], count: int) -> list[str]:
    """What makes two rows speak of one account: its id, or else its name whatever the case."""
    nulls = [NULL] * count
    ids = values.get("account_external_id", nulls)
    names = values.get("account_name", nulls)
    return [
        f"i{external_id}" if external_id != NULL else f"n{name.lower()}" if name != NULL else NULL
        for external_id, name in zip(ids, names, strict=True)
    ]


def apply_new_names(cursor: CursorWrapper, lookups: Lookups) -> None:
    """Adds the names that the file brought to their lists. Rows whose name somebody added meanwhile take that one."""
    for kind, theirs in lookups.save_new_names().items():
        cases = "WHEN %s THEN %s " * len(theirs)
        ids = [number for pair in theirs.items() for number in pair]
        for one in FIELDS.values():
            if one.kind is kind:
                cursor.execute(
                    f"UPDATE import_cell SET {one.staged} = CASE {one.staged} {cases} END WHERE {one.staged} = ANY(%s)",
                    [*ids, list(theirs)],
                )
