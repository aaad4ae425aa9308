"""Rows that a step made, taken away again, and rows that it took away, brought back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.models import CompositePrimaryKey, ForeignKey, Model

from renewals.history.batches import ids_in_ranges
from renewals.history.kinds import Kind
from renewals.history.reading import DELETED
from renewals.models import AccountBreach, ChangeBatch

T = TypeVar("T")


@dataclass
class Rows:
    """Rows that went or came, and the ones that stayed as they are, with the reason in words."""

    ids: list[int] = field(default_factory=list)
    kept: dict[int, str] = field(default_factory=dict)


def remove_made(kind: Kind, batch: ChangeBatch, editable: Callable[[Sequence[int]], frozenset[int]]) -> Rows:
    """Delete the rows that the step made, but for those that somebody has touched or used since."""
    ranges = batch.created_ids.get(kind.table)
    if not ranges:
        return Rows()
    found = _made_rows(kind, batch, ranges)
    mine = editable([pk for pk, _, _ in found])
    rows = Rows()
    for pk, is_touched, used_by in found:
        if pk not in mine:
            rows.kept[pk] = "You may not remove it."
        elif is_touched:
            rows.kept[pk] = "It was changed since."
        elif used_by:
            rows.kept[pk] = f"It has {' and '.join(used_by)}."
        else:
            rows.ids.append(pk)
    with connection.cursor() as cursor:
        for part, column in _pointers(kind.model):
            if _is_part(part):
                cursor.execute(f"DELETE FROM {part._meta.db_table} WHERE {column} = ANY(%s)", [rows.ids])
        cursor.execute(f"DELETE FROM {kind.table} WHERE id = ANY(%s)", [rows.ids])
    return rows


def _made_rows(kind: Kind, batch: ChangeBatch, ranges: str) -> list[tuple[int, bool, list[str]]]:
    """Id, whether somebody else changed the row since, and what points to it; locked until the transaction ends."""
    uses = [_use(model, column) for model, column in _pointers(kind.model) if not _is_part(model)]
    query = f"""
        SELECT r.id, EXISTS (
            SELECT 1 FROM {kind.event_table} x
            WHERE x.pgh_obj_id = r.id AND x.pgh_context_id IS DISTINCT FROM %s AND x.pgh_id > coalesce((
                SELECT max(d.pgh_id) FROM {kind.event_table} d WHERE d.pgh_obj_id = r.id AND d.pgh_label = '{DELETED}'
            ), 0)), array_remove(ARRAY[{", ".join(uses)}]::text[], NULL)
        FROM {kind.table} r JOIN ({ids_in_ranges()}) made ON made.id = r.id ORDER BY r.id FOR UPDATE OF r
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [batch.id, ranges])
        return list(cursor.fetchall())


def _pointers(model: type[Model]) -> list[tuple[type[Model], str]]:
    """Every foreign key to a model, but for the history's own."""
    found = []
    for relation in model._meta.get_fields(include_hidden=True):
        other, key = relation.related_model, getattr(relation, "field", None)
        if not relation.auto_created or not isinstance(key, ForeignKey) or not isinstance(other, type):
            continue
        if not hasattr(other, "pgh_tracked_model"):
            found.append((other, key.column))
    return found


def _is_part(model: type[Model]) -> bool:
    """A table with one row per row of another one, or per day of it, holds what was derived and goes with it; breaches
    too, and what says so of itself (`goes_with_its_rows`)."""
    is_of_one = isinstance(model._meta.pk, ForeignKey | CompositePrimaryKey)
    return is_of_one or model is AccountBreach or getattr(model, "goes_with_its_rows", False)


def _use(other: type[Model], column: str) -> str:
    """SQL that names what points to the row `r`. What came with the step is gone by then: children go first."""
    noun = str(other._meta.verbose_name_plural).replace("'", "''").replace("%", "%%")
    return f"CASE WHEN EXISTS (SELECT 1 FROM {other._meta.db_table} o WHERE o.{column} = r.id) THEN '{noun}' END"


def bring_back(kind: Kind, batch_id: uuid.UUID, *, is_allowed: bool) -> Rows:
    """Insert the rows that the step deleted, as they were then."""
    query = f"""
        SELECT max(e.pgh_id), e.pgh_obj_id FROM {kind.event_table} e
        WHERE e.pgh_context_id = %s AND e.pgh_label = '{DELETED}'
            AND NOT EXISTS (SELECT 1 FROM {kind.table} r WHERE r.id = e.pgh_obj_id)
        GROUP BY e.pgh_obj_id ORDER BY e.pgh_obj_id
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [batch_id])
        found = cursor.fetchall()
    if not is_allowed:
        return Rows(kept={pk: "Only an admin, or whoever removed it, brings it back." for _, pk in found})
    refused = write_in_halves(lambda part: _insert(kind, [event for event, _ in part]), found)
    kept = {pk: refusal_text(kind, error) for (_, pk), error in refused}
    return Rows(ids=[pk for _, pk in found if pk not in kept], kept=kept)


def _insert(kind: Kind, event_ids: Sequence[int]) -> None:
    columns = ", ".join([*kind.columns, "created_at"])
    stamp, now = (", updated_at", ", now()") if kind.has_updated_at else ("", "")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {kind.table} (id, {columns}{stamp}) SELECT e.id, {columns}{now} "
            f"FROM {kind.event_table} e WHERE e.pgh_id = ANY(%s)",
            [list(event_ids)],
        )


def write_in_halves(write: Callable[[Sequence[T]], None], rows: Sequence[T]) -> list[tuple[T, IntegrityError]]:
    """Write all by one statement. Where the database refuses, the halves apart, until the refused rows are known."""
    if not rows:
        return []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            write(rows)
            # Foreign keys are checked here rather than at the commit, where nobody could say which row it was.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except IntegrityError as error:
        if len(rows) == 1:
            return [(rows[0], error)]
        half = len(rows) // 2
        return write_in_halves(write, rows[:half]) + write_in_halves(write, rows[half:])
    return []


def refusal_text(kind: Kind, error: IntegrityError) -> str:
    """The rule that the database holds, in its own words."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for rule in kind.model._meta.constraints:
        if rule.name == name and rule.violation_error_message != rule.default_violation_error_message:
            return str(rule.violation_error_message)
    return f"It no longer fits the other rows ({name})." if name else "It no longer fits the other rows."
