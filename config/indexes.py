"""Indexes of a table that is filled for the first time are built once it is full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def suspended_indexes(cursor: Any, table: str, *, keeps_unique: bool = False) -> Iterator[None]:
    """Drop the table's indexes, and build them again, by the same names, in one go: for an empty table.

    With `keeps_unique` those stay that hold rows apart, which keys of other tables may point to. Readers wait until the
    transaction ends; there is nothing for them to read before. Whoever does not own the table drops nothing. No check
    of a foreign key of the table may be pending (config.foreign_keys).
    """
    cursor.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), c.conname, pg_get_constraintdef(c.oid)"
        " FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid"
        " LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid"
        " WHERE i.indrelid = %s::regclass AND pg_has_role(t.relowner, 'USAGE') AND NOT (i.indisunique AND %s)"
        " ORDER BY i.indexrelid",
        [table, keeps_unique],
    )
    indexes = cursor.fetchall()
    for name, _, constraint, _ in indexes:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if constraint else f"DROP INDEX {name}")
    yield
    for _, definition, constraint, key in indexes:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {key}" if constraint else definition)
