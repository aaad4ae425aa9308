"""What one step changed, row by row, and what of it may be put back: compared per field, as every other write."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

from accounts.models import User
from renewals.history.kinds import DECISION, RENEWAL, Kind
from renewals.history.reading import AFTER, after

# Why a cell is kept.
CHANGED, MIXED, GONE, NOT_YOURS, NOT_YOUR_COLUMN, COUPLED, REFUSED = (
    "changed",
    "mixed",
    "gone",
    "not_yours",
    "not_your_column",
    "coupled",
    "refused",
)
# Of a column: {0} its name, {1} its value after the step.
CHANGED_BY_STEP = "b.{0} IS DISTINCT FROM {1}"
IS_BACK = "now.{0} IS NOT DISTINCT FROM b.{0}"
IS_STALE = "now.{0} IS DISTINCT FROM {1} AND now.{0} IS DISTINCT FROM b.{0}"


@dataclass(frozen=True)
class Touched:
    """A row that a step changed, by columns.

    `changed` by the step; of these, `stale` where somebody has since written something else, `back` where they are as
    before already, `gone` where the old value names a row that is no longer there.
    """

    id: int
    first_event_id: int
    exists: bool
    is_mixed: bool  # somebody else changed the row between two changes of the step
    changed: list[str]
    stale: list[str]
    back: list[str]
    gone: list[str]
    owner_before: int | None


@dataclass
class Decision:
    """What is put back in one row, and what is kept and why."""

    row: Touched
    restored: tuple[str, ...] = ()
    kept: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rights:
    """What one user may put back in rows of one kind."""

    rows: frozenset[int]
    columns: frozenset[str]
    owners: frozenset[int] | None  # to whom they may hand a row; None: to anybody
    is_admin: bool

    @classmethod
    def of(cls, user: User, kind: Kind, ids: Sequence[int]) -> Rights:
        rows = frozenset(kind.editable_by(user).filter(pk__in=ids).values_list("pk", flat=True))
        owners = None
        if user.role == User.Role.REP:
            mates = (
                User.objects.filter(pk=user.pk) if user.team_id is None else User.objects.filter(team_id=user.team_id)
            )
            owners = frozenset(mates.values_list("pk", flat=True))
        return cls(rows, kind.writable_columns(user), owners, user.is_admin)

    def may_hand_to(self, owner_id: int | None) -> bool:
        if owner_id is None:
            return self.is_admin
        return self.owners is None or owner_id in self.owners


def touched_ids(kind: Kind, batch_id: uuid.UUID, *, made: str | None) -> list[int]:
    """Rows that the step changed; without the ones that it made, for these have no earlier state."""
    query = f"""
        SELECT DISTINCT pgh_obj_id FROM {kind.event_table} e
        WHERE e.pgh_context_id = %s AND e.pgh_label = 'before_update'
            AND (%s::int8multirange IS NULL OR NOT e.pgh_obj_id <@ %s::int8multirange) ORDER BY 1
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [batch_id, made, made])
        return [pk for (pk,) in cursor.fetchall()]


def lock_rows(kind: Kind, ids: Sequence[int]) -> None:
    """In the order of their ids, so that two that lock many never wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {kind.table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [list(ids)])


def read_touched(kind: Kind, batch_id: uuid.UUID, ids: Sequence[int]) -> list[Touched]:
    """The rows as the step found them and left them, beside what they are now. Lock them first."""
    owner = "b.owner_id" if "owner_id" in kind.columns else "NULL::bigint"
    query = f"""
        WITH step AS (
            SELECT pgh_obj_id, min(pgh_id) AS first_id, max(pgh_id) AS pgh_id, count(*) AS event_count
            FROM {kind.event_table}
            WHERE pgh_context_id = %s AND pgh_label = 'before_update' AND pgh_obj_id = ANY(%s) GROUP BY pgh_obj_id
        )
        SELECT e.pgh_obj_id, e.first_id, now.id IS NOT NULL,
            e.event_count > 1 AND e.event_count < (
                SELECT count(*) FROM {kind.event_table} x
                WHERE x.pgh_obj_id = e.pgh_obj_id AND x.pgh_id BETWEEN e.first_id AND e.pgh_id),
            {_columns_where(kind, CHANGED_BY_STEP)},
            {_columns_where(kind, f"{CHANGED_BY_STEP} AND {IS_STALE}")},
            {_columns_where(kind, f"{CHANGED_BY_STEP} AND {IS_BACK}")},
            {_gone_columns(kind)},
            {owner}
        FROM step e
        JOIN {kind.event_table} b ON b.pgh_id = e.first_id
        LEFT JOIN {kind.table} now ON now.id = e.pgh_obj_id
        {AFTER.format(events=kind.event_table, rows=kind.table)}
        ORDER BY e.pgh_obj_id
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [batch_id, list(ids)])
        return [Touched(*record) for record in cursor.fetchall()]


def _columns_where(kind: Kind, condition: str) -> str:
    """SQL of the columns for which the condition holds; in it {0} is the column, {1} its value after the step."""
    cases = (f"CASE WHEN {condition.format(column, after(column))} THEN '{column}' END" for column in kind.columns)
    return f"array_remove(ARRAY[{', '.join(cases)}], NULL)"


def _gone_columns(kind: Kind) -> str:
    cases = [
        f"CASE WHEN b.{column} IS DISTINCT FROM now.{column} AND b.{column} IS NOT NULL AND NOT EXISTS "
        f"(SELECT 1 FROM {model._meta.db_table} WHERE id = b.{column}) THEN '{column}' END"
        for column, model in kind.foreign_keys().items()
    ]
    return f"array_remove(ARRAY[{', '.join(cases)}]::text[], NULL)"


def decide(kind: Kind, row: Touched, rights: Rights) -> Decision:
    """Per field; but what the customer decided is put back together or not at all."""
    wanted = [column for column in row.changed if column not in row.back] if row.exists else row.changed
    whole_row = _reason_of_row(row, rights)
    if whole_row:
        return Decision(row, kept=dict.fromkeys(wanted, whole_row))
    kept = {column: reason for column in wanted if (reason := _reason_of(column, row, rights))}
    for group in _groups(kind, row):
        if any(column in kept for column in group):
            kept |= {column: COUPLED for column in group if column in wanted and column not in kept}
    return Decision(row, restored=tuple(column for column in wanted if column not in kept), kept=kept)


def _reason_of_row(row: Touched, rights: Rights) -> str:
    if not row.exists:
        return GONE
    if row.id not in rights.rows:
        return NOT_YOURS
    return MIXED if row.is_mixed else ""


def _reason_of(column: str, row: Touched, rights: Rights) -> str:
    if column in row.stale:
        return CHANGED
    if column in row.gone:
        return GONE
    if column not in rights.columns or (column == "owner_id" and not rights.may_hand_to(row.owner_before)):
        return NOT_YOUR_COLUMN
    return ""


def _groups(kind: Kind, row: Touched) -> list[list[str]]:
    """Columns that only make sense together. The cross-sold part belongs to the amount that it is a part of."""
    if kind != RENEWAL:
        return []
    decision = [column for column in DECISION if column in row.changed]
    if "cross_sell_amount" in row.changed:
        whole = decision if decision else [column for column in ("forecast_amount",) if column in row.changed]
        return [[*whole, "cross_sell_amount"]]
    return [decision]
