"""Reading the history: each event with the row before it and after it, and as entries in words.

An event holds the row before a change. The row after it is the next event of the same row, or, after the last one, the
row itself. All are read by one statement, whatever their number.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import User
from accounts.templatetags.money import NOTHING
from config.history import NO_BATCH
from renewals.access import may_edit
from renewals.history import words
from renewals.history.batches import find_maker
from renewals.history.kinds import BEHIND, RENEWAL, Kind
from renewals.history.words import Names, State
from renewals.models import ChangeBatch, Renewal

ROW_LIMIT = 200
DELETED, MADE = "before_delete", "after_insert"
# The row after event `e`: the next event `n` of the row, or the row `r` itself.
AFTER = """
    LEFT JOIN LATERAL (
        SELECT x.* FROM {events} x WHERE x.pgh_obj_id = e.pgh_obj_id AND x.pgh_id > e.pgh_id
        ORDER BY x.pgh_id LIMIT 1
    ) n ON true
    LEFT JOIN {rows} r ON r.id = e.pgh_obj_id AND n.pgh_id IS NULL
"""


@dataclass(frozen=True)
class Event:
    """One change of one row. `new` is None where the row was deleted; where it was made, both are alike."""

    kind: Kind
    id: int
    object_id: int
    at: dt.datetime
    batch_id: uuid.UUID | None
    user_id: int | None
    how: str
    old: dict[str, Any]
    new: dict[str, Any] | None
    is_making: bool = False

    @property
    def changed(self) -> list[str]:
        if self.new is None:
            return []
        return [column for column in self.kind.columns if self.old.get(column) != self.new.get(column)]

    def stands(self, now: State) -> bool:
        """Whether one of the changed columns still is as this change left it."""
        return any(now.get(column) == (self.new or {}).get(column) for column in self.changed)

    @property
    def state(self) -> dict[str, Any]:
        return self.old if self.new is None else self.new


@dataclass(frozen=True)
class Change:
    """One column in words, from what to what."""

    column: str
    label: str
    old: str
    new: str


@dataclass
class Entry:
    """One change of one row in words. `row_count` of the step it was part of; 1 where it stands alone."""

    at: dt.datetime
    who: str
    how: str
    how_label: str
    kind: str
    object_id: int | None
    row: str
    changes: list[Change] = field(default_factory=list)
    batch_id: uuid.UUID | None = None
    batch_text: str = ""
    row_count: int = 1
    is_deleted: bool = False
    is_created: bool = False
    can_undo: bool = False


def load_events(kind: Kind, where: str, params: Sequence[Any], *, limit: int | None = None) -> list[Event]:
    """Events that fit, newest first. `where` is SQL over `e` (the event), `n` (the next one) and `r` (the row)."""
    joined = AFTER.format(events=kind.event_table, rows=kind.table)
    query = f"""
        SELECT e.pgh_id, e.pgh_obj_id, e.pgh_created_at, e.pgh_context_id, e.pgh_context::text, e.pgh_label,
            to_jsonb(e)::text, coalesce(to_jsonb(n), to_jsonb(r))::text
        FROM {kind.event_table} e {joined}
        WHERE {where} ORDER BY e.pgh_id DESC {"LIMIT %s" if limit else ""}
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [*params, limit] if limit else list(params))
        return [_event(kind, record) for record in cursor.fetchall()]


def _event(kind: Kind, record: tuple[Any, ...]) -> Event:
    event_id, object_id, at, batch_id, context, label, old, new = record
    told = json.loads(context) if context else {}
    return Event(
        kind=kind,
        id=event_id,
        object_id=object_id,
        at=at,
        batch_id=batch_id,
        user_id=told.get("user"),
        how=told.get("how", ""),
        old=_state(kind, old) or {},
        new=None if label == DELETED else _state(kind, new),
        is_making=label == MADE,
    )


def _state(kind: Kind, text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    row = json.loads(text, parse_float=Decimal)
    return {column: row.get(column) for column in kind.columns}


def differs(columns: Sequence[str]) -> str:
    """SQL over `e`, `n` and `r`: one of these columns was changed by the event."""
    return "(" + " OR ".join(f"e.{column} IS DISTINCT FROM {after(column)}" for column in columns) + ")"


def after(column: str) -> str:
    """SQL of a column after the event `e`."""
    return f"CASE WHEN n.pgh_id IS NULL THEN r.{column} ELSE n.{column} END"


def row_history(renewal: Renewal, user: User, *, limit: int = ROW_LIMIT) -> list[Entry]:
    """Every change of a renewal, newest first, and last how it came to be."""
    events = load_events(RENEWAL, "e.pgh_obj_id = %s", [renewal.pk], limit=limit)
    entries = describe(events, only=None)
    _offer_undo(entries, events, renewal, user)
    return entries if len(events) == limit else [*entries, _creation(renewal)]


def cell_history(renewal: Renewal, name: str, user: User, *, limit: int = ROW_LIMIT) -> list[Entry]:
    """The changes of one cell, newest first. `name` is a column of the table, which may stand for several here."""
    columns = columns_of(name)
    where = f"e.pgh_obj_id = %s AND e.pgh_label <> '{DELETED}' AND {differs(columns)}"
    events = load_events(RENEWAL, where, [renewal.pk], limit=limit)
    entries = describe(events, only=columns)
    _offer_undo(entries, events, renewal, user)
    return entries


def columns_of(name: str) -> tuple[str, ...]:
    """The columns behind a cell. KeyError where the renewal has no such column, or its history is not kept."""
    if name in BEHIND:
        return BEHIND[name]
    (column,) = [column for column, kept in RENEWAL.fields.items() if kept.name == name] or [""]
    if not column:
        raise KeyError(name)
    return (column,)


def describe(events: Sequence[Event], *, only: Sequence[str] | None) -> list[Entry]:
    """Events in words; of some columns only, where they are named. A fixed number of queries."""
    names = Names()
    for event in events:
        names.want(User, [event.user_id])
        names.want(event.kind.model, [event.object_id])
        names.want_state(event.kind, event.old)
        names.want_state(event.kind, event.new)
    names.read()
    batches = ChangeBatch.objects.in_bulk({event.batch_id for event in events if event.batch_id} - {NO_BATCH})
    entries = [_entry(event, names, batches.get(event.batch_id) if event.batch_id else None, only) for event in events]
    _name_attributes(entries)
    return entries


def _entry(event: Event, names: Names, batch: ChangeBatch | None, only: Sequence[str] | None) -> Entry:
    columns = [column for column in event.changed if only is None or column in only]
    return Entry(
        at=event.at,
        who=words.user_name(names, event.user_id, event.how),
        how=event.how or "database",
        how_label=words.how_label(event.how),
        kind=event.kind.code,
        object_id=event.object_id,
        row=words.row_label(event.kind, names, event.object_id, event.state),
        changes=[change for column in columns for change in _changes(event, column, names)],
        batch_id=event.batch_id,
        batch_text=batch.description if batch else "",
        row_count=batch.row_count if batch else 1,
        is_deleted=event.new is None,
        is_created=event.is_making,
    )


def _changes(event: Event, column: str, names: Names) -> list[Change]:
    new: State = event.new or {}
    if column == "attributes":
        parts = words.attribute_changes(event.old.get(column), new.get(column))
        return [Change(f"attributes.{key}", key, before, now) for key, before, now in parts]
    before = words.value_text(event.kind, names, column, event.old)
    now = words.value_text(event.kind, names, column, new)
    return [Change(column, event.kind.label(column), before, now)]


def _name_attributes(entries: Sequence[Entry]) -> None:
    prefix = "attributes."
    keys = {one.label for entry in entries for one in entry.changes if one.column.startswith(prefix)}
    labels = words.attribute_labels(keys)
    for entry in entries:
        entry.changes = [
            Change(one.column, labels.get(one.label, one.label), one.old, one.new)
            if one.column.startswith(prefix)
            else one
            for one in entry.changes
        ]


def _offer_undo(entries: Sequence[Entry], events: Sequence[Event], renewal: Renewal, user: User) -> None:
    """Where the row still is as the change left it, in a column that this user may write."""
    if not may_edit(user, renewal) or not events:
        return
    now = current_states(RENEWAL, [renewal.pk]).get(renewal.pk, {})
    writable = RENEWAL.writable_columns(user)
    for entry, event in zip(entries, events, strict=True):
        stands = [column for column in event.changed if event.new is not None and now.get(column) == event.new[column]]
        entry.can_undo = event.batch_id is not None and any(column in writable for column in stands)


def current_states(kind: Kind, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The rows as they are now, by id."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT r.id, to_jsonb(r)::text FROM {kind.table} r WHERE r.id = ANY(%s)", [list(ids)])
        return {pk: _state(kind, text) or {} for pk, text in cursor.fetchall()}


def _creation(renewal: Renewal) -> Entry:
    """How the row came to be: by the import that made it, where history still knows that."""
    batch = find_maker(RENEWAL, renewal.pk, renewal.created_at)
    if batch is None:
        return Entry(renewal.created_at, NOTHING, "", "", "renewal", renewal.pk, str(renewal), is_created=True)
    who = str(batch.user) if batch.user else words.JOB
    how_label = words.how_label(batch.how)
    entry = Entry(renewal.created_at, who, batch.how, how_label, "renewal", renewal.pk, str(renewal), is_created=True)
    entry.batch_text, entry.batch_id, entry.row_count = batch.description, batch.id, batch.row_count
    return entry
