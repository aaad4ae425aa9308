"""From the generator's arrays into PostgreSQL: each table one COPY, its indexes and foreign keys built after it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from django.db import connection

from renewals.demo.arrays import NONE, Flags, Floats, Ints, as_date

NULL = r"\N"
CHUNK_ROWS = 50_000
Column = list[str]


@dataclass
class Table:
    """Columns of text, as COPY reads it, in the order in which they were put."""

    name: str
    row_count: int
    columns: dict[str, Column] = field(default_factory=dict)

    def put_numbers(self, name: str, values: Ints) -> None:
        self.columns[name] = _masked([str(value) for value in values.tolist()], values == NONE)

    def put_measures(self, name: str, values: Floats, *, whole: bool = False) -> None:
        missing = np.isnan(values)
        filled = np.where(missing, 0, values)
        texts = [str(value) for value in (filled.astype(np.int64) if whole else filled).tolist()]
        self.columns[name] = _masked(texts, missing)

    def put_days(self, name: str, days: Ints) -> None:
        known = days[days != NONE]
        first = int(known.min()) if len(known) else 0
        last = int(known.max()) if len(known) else 0
        spelled = np.array([as_date(day).isoformat() for day in range(first, last + 1)] + [NULL], dtype=object)
        self.columns[name] = spelled[np.where(days == NONE, len(spelled) - 1, days - first)].tolist()

    def put_flags(self, name: str, values: Flags) -> None:
        self.columns[name] = np.array(["f", "t"], dtype=object)[values.astype(np.int64)].tolist()

    def put_choices(self, name: str, choices: Sequence[str], codes: Ints) -> None:
        """`choices[code]`, blank (not null) where the code is NONE."""
        spelled = np.array([*choices, ""], dtype=object)
        self.columns[name] = spelled[np.where(codes == NONE, len(choices), codes)].tolist()

    def put_keys(self, name: str, keys: Sequence[int], codes: Ints) -> None:
        spelled = np.array([*map(str, keys), NULL], dtype=object)
        self.columns[name] = spelled[np.where(codes == NONE, len(keys), codes)].tolist()

    def put_texts(self, name: str, texts: Column) -> None:
        self.columns[name] = texts

    def put_same(self, name: str, text: str) -> None:
        self.columns[name] = [text] * self.row_count


def _masked(texts: Column, missing: Flags) -> Column:
    for row in np.flatnonzero(missing).tolist():
        texts[row] = NULL
    return texts


def write_table(table: Table) -> None:
    names = ", ".join(connection.ops.quote_name(name) for name in table.columns)
    statement = f"COPY {connection.ops.quote_name(table.name)} ({names}) FROM STDIN"
    columns = list(table.columns.values())
    with connection.cursor() as cursor:
        for first in range(0, table.row_count, CHUNK_ROWS):
            part = [column[first : first + CHUNK_ROWS] for column in columns]
            text = "\n".join(map("\t".join, zip(*part, strict=True))) + "\n"
            cursor.copy_expert(statement, io.StringIO(text))


def take_keys(table: str, count: int) -> int:
    """Reserve `count` primary keys in a row; the first of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        (sequence,) = cursor.fetchone()
        cursor.execute("SELECT nextval(%s)", [sequence])
        (first,) = cursor.fetchone()
        cursor.execute("SELECT setval(%s, %s)", [sequence, first + max(count, 1) - 1])
    return int(first)


@contextmanager
def built_after_loading(*tables: str) -> Iterator[None]:
    """Without the tables' foreign keys and plain indexes inside, and with them again after: a third of the time.

    The caller's transaction holds the tables, which nobody else can use meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL maintenance_work_mem = '192MB'")
        cursor.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s) ORDER BY conname",
            [list(tables)],
        )
        foreign_keys = cursor.fetchall()
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid::regclass::text = ANY(%s) AND NOT indisunique ORDER BY 1",
            [list(tables)],
        )
        indexes = cursor.fetchall()
        for table, name, _ in foreign_keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        for _, definition in indexes:
            cursor.execute(definition.replace("%", "%%") if "%" in definition else definition)
        for table, name, definition in foreign_keys:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def analyse(*tables: str) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")
