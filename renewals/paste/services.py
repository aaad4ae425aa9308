"""Writing a paste: one transaction, one step of the history, a few statements whatever the number of rows."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from accounts.models import User, get_company
from renewals.bulk.apply import assignments
from renewals.bulk.plan import count_rows, editable_sql, store_plan
from renewals.bulk.rules import FIELDS, LISTED, TABLE, columns_of, given_stored, plan_sql
from renewals.bulk.services import AT_ONCE, confirm_edit
from renewals.history.batches import recorded_batch
from renewals.history.kinds import RENEWAL
from renewals.history.plan import lock_rows
from renewals.models import BulkEdit, ChangeBatch
from renewals.paste.judge import CONFLICT, Finding, Judged, RowPaste, judge, read_states, refuse_row
from renewals.paste.request import Paste
from renewals.paste.words import describe, tell_conflicts
from renewals.scoring import scoring
from renewals.table.columns import Sight


@dataclass(frozen=True)
class Pasted:
    """What became of a paste: `rows` could be written, and were where there is a `batch_id`, or are by `edit` in the
    background. Where there are `findings` and nobody asked for the rest, nothing was written."""

    findings: list[Finding]
    rows: list[RowPaste]
    is_anything_visible: bool
    batch_id: uuid.UUID | None = None
    edit: BulkEdit | None = None

    @property
    def cell_count(self) -> int:
        return sum(len(row.fields) for row in self.rows)

    @property
    def conflict_count(self) -> int:
        return sum(finding.kind == CONFLICT for finding in self.findings)


def paste_cells(*, paste: Paste, user: User, as_of: dt.date) -> Pasted:
    """Write a block of cells, each compared with what the page showed in it.

    All of it or nothing, unless `paste.is_partial` asks for what can be written. More than AT_ONCE rows become a bulk
    edit in the background; what is valid is known before, and each row is compared once more when it is written.
    """
    sight = Sight.of(user, get_company())
    with transaction.atomic():
        lock_rows(RENEWAL, paste.rows)
        judged = judge(paste, read_states(paste, user), replace(sight, as_of=as_of))
        rows = _plan(judged, user, as_of) if judged.rows else []
        findings = tell_conflicts(sorted(judged.findings, key=lambda finding: (finding.line, finding.place)))
        answer = Pasted(findings, rows, is_anything_visible=bool(judged.states))
        if not rows or (findings and not paste.is_partial):
            return answer
        if len(rows) > AT_ONCE:
            return replace(answer, edit=_hand_over(paste, rows, user, as_of))
        return replace(answer, batch_id=_write(paste, rows, user, as_of))


def _plan(judged: Judged, user: User, as_of: dt.date) -> list[RowPaste]:
    """The rows that would change; what a rule of the row refuses becomes a finding. The rules are the bulk edit's."""
    given, params = given_stored(LISTED)
    editable, editable_params = editable_sql(user)
    plan = plan_sql(given, _columns(judged.rows), editable=editable)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.renewal_id, p.wanted::text, p.reason FROM ({plan}) p",
            {"given": _given(judged.rows), "as_of": as_of, **params, **editable_params},
        )
        plans = {pk: (json.loads(wanted), reason) for pk, wanted, reason in cursor.fetchall()}
    for row in judged.rows:
        row.wanted, reason = plans[row.renewal_id]
        if reason:
            row.wanted = {}
            judged.findings.append(refuse_row(row, reason))
    return [row for row in judged.rows if row.wanted]


def _columns(rows: Sequence[RowPaste]) -> list[str]:
    """The columns that these rows' cells may write."""
    asked = {column for row in rows for column in row.given}
    return columns_of(name for name, column in FIELDS.items() if column in asked)


def _given(rows: Sequence[RowPaste]) -> str:
    blank: dict[str, Any] = {"seen_before": {}, "problems": []}
    return json.dumps(
        [{"renewal_id": row.renewal_id, "row_number": row.line + 1, "given": row.given, **blank} for row in rows]
    )


def _write(paste: Paste, rows: Sequence[RowPaste], user: User, as_of: dt.date) -> uuid.UUID:
    ids = [row.renewal_id for row in rows]
    wanted = json.dumps([{"renewal_id": row.renewal_id, "wanted": row.wanted} for row in rows])
    with recorded_batch(user=user, how=ChangeBatch.How.PASTE, description=describe(paste, rows)) as batch:
        batch.row_count = len(ids)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {TABLE} r SET {assignments(_columns(rows), 'w')}, updated_at = now()"
                " FROM jsonb_to_recordset(%s::jsonb) AS w (renewal_id bigint, wanted jsonb) WHERE r.id = w.renewal_id",
                [wanted],
            )
        scoring().score_renewals(ids, as_of=as_of)
    return batch.pk


def _hand_over(paste: Paste, rows: Sequence[RowPaste], user: User, as_of: dt.date) -> BulkEdit:
    """The same as a bulk edit that is confirmed already; a worker writes it."""
    edit = BulkEdit.objects.create(
        kind=BulkEdit.Kind.PASTE,
        state=BulkEdit.State.PLANNED,
        requested_by=user,
        description=describe(paste, rows),
        columns=_columns(rows),
    )
    given, params = given_stored(LISTED)
    store_plan(edit, given, {**params, "given": _given(rows)}, as_of=as_of)
    count_rows(edit)
    edit.save(update_fields=["row_count", "ready_count"])
    confirm_edit(edit=edit)
    return edit
