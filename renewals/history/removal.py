"""Rows that a step made, taken away again, and rows that it took away, brought back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import CompositePrimaryKey, ForeignKey, Model

from renewals.history.batches import ids_in_ranges
from renewals.history.families import FamilyLoop
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
    """Delete the rows that the step made, but for those that somebody has touched or used since.

    What a rule has made of a row meanwhile, and nobody has touched, goes with it.
    """
    ranges = batch.created_ids.get(kind.table)
    rows = Rows()
    while ranges:
        found = _remove_unused(kind, batch, ranges, editable)
        rows.ids, rows.kept = rows.ids + found.ids, found.kept
        # Of accounts below each other the lowest go first, and then those above them.
        if not found.ids or not found.kept or not any(model is kind.model for model, _ in _pointers(kind.model)):
            break
    return rows


def _remove_unused(
    kind: Kind, batch: ChangeBatch, ranges: str, editable: Callable[[Sequence[int]], frozenset[int]]
) -> Rows:
    _lock_made(kind, ranges)
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
    if rows.ids:
        with connection.cursor() as cursor:
            _delete(cursor, kind.model, rows.ids)
    return rows


def _lock_made(kind: Kind, ranges: str) -> None:
    """The rows, and what rules made of them, until the transaction ends: nobody finishes a task that goes just now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.id FROM {kind.table} r JOIN ({ids_in_ranges()}) made ON made.id = r.id ORDER BY r.id "
            f"FOR UPDATE OF r",
            [ranges],
        )
        _lock_products(cursor, kind.model, [pk for (pk,) in cursor.fetchall()])


def _lock_products(cursor: CursorWrapper, model: type[Model], ids: Sequence[int]) -> None:
    for product, column in _pointers(model):
        if ids and _product_condition(product):
            cursor.execute(
                f"SELECT id FROM {product._meta.db_table} WHERE {column} = ANY(%s) ORDER BY id FOR UPDATE", [list(ids)]
            )
            _lock_products(cursor, product, [pk for (pk,) in cursor.fetchall()])


def _delete(cursor: CursorWrapper, model: type[Model], ids: Sequence[int]) -> None:
    """Rows that nothing else uses, with what was derived of them and what rules made of them."""
    for other, column in _pointers(model):
        if _is_part(other):
            cursor.execute(f"DELETE FROM {other._meta.db_table} WHERE {column} = ANY(%s)", [list(ids)])
        elif _product_condition(other):
            cursor.execute(f"SELECT id FROM {other._meta.db_table} WHERE {column} = ANY(%s)", [list(ids)])
            products = [pk for (pk,) in cursor.fetchall()]
            if products:
                _delete(cursor, other, products)
    cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE id = ANY(%s)", [list(ids)])


def _made_rows(kind: Kind, batch: ChangeBatch, ranges: str) -> list[tuple[int, bool, list[str]]]:
    """Id, whether somebody else changed the row since, and what points to it. Lock them first."""
    uses = [_use(model, column) for model, column in _pointers(kind.model) if not _is_part(model)]
    used_where: dict[str, str] = getattr(kind.model, "used_where", {})
    uses += [f"CASE WHEN {condition.format(row='r')} THEN '{noun}' END" for noun, condition in used_where.items()]
    query = f"""
        SELECT r.id, EXISTS (
            SELECT 1 FROM {kind.event_table} x
            WHERE x.pgh_obj_id = r.id AND x.pgh_context_id IS DISTINCT FROM %s AND x.pgh_id > coalesce((
                SELECT max(d.pgh_id) FROM {kind.event_table} d WHERE d.pgh_obj_id = r.id AND d.pgh_label = '{DELETED}'
            ), 0)), array_remove(ARRAY[{", ".join(uses)}]::text[], NULL)
        FROM {kind.table} r JOIN ({ids_in_ranges()}) made ON made.id = r.id ORDER BY r.id
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [batch.id, ranges])
        return list(cursor.fetchall())


def _pointers(model: type[Model]) -> list[tuple[type[Model], str]]:
    """Every foreign key to a model that the database holds, but for the history's own."""
    found = []
    for relation in model._meta.get_fields(include_hidden=True):
        other, key = relation.related_model, getattr(relation, "field", None)
        if not relation.auto_created or not isinstance(key, ForeignKey) or not isinstance(other, type):
            continue
        # What only bears a row's number is derived, and made again by the next run.
        is_held = getattr(key, "db_constraint", True)
        if is_held and not hasattr(other, "pgh_tracked_model"):
            found.append((other, key.column))
    return found


def _is_part(model: type[Model]) -> bool:
    """A table with one row per row of another one, or per day of it, holds what was derived and goes with it; breaches
    too, and what says so of itself (`goes_with_its_rows`)."""
    is_of_one = isinstance(model._meta.pk, ForeignKey | CompositePrimaryKey)
    return is_of_one or model is AccountBreach or getattr(model, "goes_with_its_rows", False)


def _product_condition(model: type[Model]) -> str:
    """SQL that says which rows of a table a rule made or a job derived, if any (`made_by_rule_where`)."""
    return str(getattr(model, "made_by_rule_where", ""))


def _use(other: type[Model], column: str) -> str:
    """SQL that names what points to the row `r`. What came with the step is gone by then: children go first."""
    noun = str(other._meta.verbose_name_plural).replace("'", "''").replace("%", "%%")
    return f"CASE WHEN {_is_used(other, column, 'r', depth=0)} THEN '{noun}' END"


def _is_used(other: type[Model], column: str, of: str, *, depth: int) -> str:
    """SQL: a row of this table points to the row `of` and is no product, or somebody has touched or used it."""
    row = f"o{depth}"
    condition, stays = _product_condition(other), "true"
    if condition:
        events = other._meta.get_field("events").related_model._meta.db_table  # type: ignore[union-attr]
        touched = (
            f"EXISTS (SELECT 1 FROM {events} x WHERE x.pgh_obj_id = {row}.id "
            f"AND (x.pgh_context IS NULL OR x.pgh_context->>'user' IS NOT NULL))"
        )
        uses = [_is_used(model, key, row, depth=depth + 1) for model, key in _pointers(other) if not _is_part(model)]
        stays = " OR ".join([f"({condition.format(row=row)}) IS NOT TRUE", touched, *uses])
    return f"EXISTS (SELECT 1 FROM {other._meta.db_table} {row} WHERE {row}.{column} = {of}.id AND ({stays}))"


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
    columns = ", ".join([*kind.columns, *(["created_at"] if kind.has("created_at") else [])])
    stamp, now = (", updated_at", ", now()") if kind.has("updated_at") else ("", "")
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
    if isinstance(error, FamilyLoop):
        return str(error)
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for rule in kind.model._meta.constraints:
        if rule.name == name and rule.violation_error_message != rule.default_violation_error_message:
            return str(rule.violation_error_message)
    return f"It no longer fits the other rows ({name})." if name else "It no longer fits the other rows."
