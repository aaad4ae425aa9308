"""Tables as they stood at a moment, from history (see config.history).

A row at a moment is its first event after that moment, or the row itself where there is none. Whoever changes a row
holds its lock, so "first" is by the events' ids; the moment of an event is when its transaction began. What was made
after the moment is absent, what was deleted since is back, and what was deleted by then stays away.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import numpy as np
from django.apps import apps
from django.db.models import Model, QuerySet

from forecasting.engine.arrays import Booleans, Integers
from forecasting.frames.binary_copy import Arrays, Column, copy_out

M = TypeVar("M", bound=Model)
DELETED: Final = "before_delete"
# The first event after the moment of each row that has one, whatever the row: those that were not there are left out
# after, because the present row must not stand for them. As an array, so that they are fetched by their key in its
# order: joined, the whole of the events was read and hashed with all its columns, which took three times as long.
FIRST_EVENTS: Final = (
    "{events} {alias} WHERE {alias}.pgh_id = ANY(ARRAY("
    "SELECT min(pgh_id) FROM {events} WHERE pgh_created_at > %s GROUP BY pgh_obj_id))"
)
# Whose newest event up to the moment is their deletion; an undo may have brought them back since. Deletions are few and
# have an index of their own where rows are often deleted.
GONE: Final = (
    "(SELECT DISTINCT ON (e.pgh_obj_id) e.pgh_obj_id, e.pgh_label FROM {events} e"
    " WHERE e.pgh_created_at <= %s AND e.pgh_obj_id IN"
    " (SELECT d.pgh_obj_id FROM {events} d WHERE d.pgh_label = 'before_delete' AND d.pgh_created_at <= %s)"
    " ORDER BY e.pgh_obj_id, e.pgh_id DESC) g WHERE g.pgh_label = 'before_delete'"
)


def copy_out_at(
    cursor: Any,
    columns: Sequence[Column],
    source: str,
    condition: str,
    parameters: Sequence[object],
    moment: dt.datetime,
) -> Arrays:
    """As `copy_out` of `source WHERE condition`, at a moment; rows in the order of their ids.

    `source` is a tracked table with `created_at`, and its alias; one of the columns is its `id`. Each part is read by a
    statement of its own, the present rows first: what changes in between has an event by then, which replaces them.
    """
    table, alias = source.split()
    events = f"{table}event"
    there = f"{alias}.created_at <= %s AND {condition}"
    now = copy_out(cursor, columns, f"{source} WHERE {there}", [moment, *parameters])
    was_there = Column("was_there", "bool", f"({there})", (moment, *parameters))
    changed = copy_out(cursor, [*columns, was_there], FIRST_EVENTS.format(events=events, alias=alias), [moment])
    gone = copy_out(cursor, [Column("id", "int8", "g.pgh_obj_id")], GONE.format(events=events), [moment, moment])["id"]
    return _merged(now, changed, gone)


def _merged(now: Arrays, changed: Arrays, gone: Integers) -> Arrays:
    was_there: Booleans = changed.pop("was_there")
    kept = ~np.isin(now["id"], np.concatenate([changed["id"], gone]))
    back = was_there & ~np.isin(changed["id"], gone)
    order = np.argsort(np.concatenate([now["id"][kept], changed["id"][back]]), kind="stable")
    return {name: np.concatenate([values[kept], changed[name][back]])[order] for name, values in now.items()}


def rows_at(rows: QuerySet[M], moment: dt.datetime | None) -> list[M]:
    """The rows of a small tracked table as they stood at a moment, unsaved, by id; None: as they are.

    `rows` is a queryset of the whole table. A table without `created_at` does not know when a row was made: it is
    taken to have been there.
    """
    if moment is None:
        return list(rows.order_by("pk"))
    model = rows.model
    events = apps.get_model(model._meta.app_label, f"{model._meta.object_name}Event")._default_manager
    known: dict[Any, M] = {row.pk: row for row in rows}
    firsts: dict[int, Any] = {}
    lasts: dict[int, Any] = {}
    for event in events.order_by("pgh_id"):
        if event.pgh_created_at > moment:
            firsts.setdefault(event.pgh_obj_id, event)
        else:
            lasts[event.pgh_obj_id] = event
    names = [field.attname for field in model._meta.concrete_fields]
    for pk, event in firsts.items():
        kept = {name: getattr(event, name) for name in names if hasattr(event, name)}
        known[pk] = model(**kept)
    for pk, event in lasts.items():
        if event.pgh_label == DELETED:
            known.pop(pk, None)
    return [known[pk] for pk in sorted(known) if _was_made(known[pk], moment)]


def _was_made(row: Model, moment: dt.datetime) -> bool:
    created_at: dt.datetime | None = getattr(row, "created_at", None)
    return created_at is None or created_at <= moment
