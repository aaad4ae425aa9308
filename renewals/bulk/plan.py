"""The dry run: one statement says for every row what would change, or why it cannot."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from accounts.models import Company, User
from renewals.bulk.changes import Compiled
from renewals.bulk.rules import FIELDS, LISTED, columns_of, given_constant, given_stored, plan_sql
from renewals.bulk.selection import Selection, named
from renewals.models import BulkEdit, BulkEditRow, Renewal

ROWS = BulkEditRow._meta.db_table
NO_CELL = "None of its changed cells can be taken."
NOTHING_THERE = "It is blank: there is nothing to shift or to change."


def editable_sql(user: User) -> tuple[str, dict[str, Any]]:
    """A condition on `r`, the renewal: RenewalQuerySet.editable_by of it."""
    if user.is_admin:
        return "true", {}
    rows, params = named(Renewal.objects.editable_by(user), "editable_")
    return f"r.id IN ({rows})", params


def plan_selection(
    edit: BulkEdit, selection: Selection, compiled: Sequence[Compiled], *, company: Company, as_of: dt.date
) -> None:
    """Write the rows of the edit, and count them. Of all that match, those of others are only counted.

    Raises SelectionUnreadable.
    """
    user = edit.requested_by
    matching = selection.matching(user, company)
    if selection.is_all:
        edit.not_yours_count = 0 if user.is_admin else matching.count() - matching.editable_by(user).count()
        matching = matching.editable_by(user)
    edit.columns = columns_of(one.change.field for one in compiled)
    rows, row_params = named(matching, "row_")
    values = {name: value for one in compiled for name, value in one.values.items()}
    is_blank = " AND ".join(one.blank for one in compiled) if all(one.blank for one in compiled) else "false"
    given, given_params = given_constant(values, rows=rows, is_blank=is_blank)
    store_plan(edit, given, {**row_params, **given_params}, as_of=as_of)
    count_rows(edit)


def plan_given_values(edit: BulkEdit, *, as_of: dt.date) -> None:
    """Write and count the rows of an edit with values of its own for each renewal (`services.plan_values`)."""
    values = [{**row, "problems": []} for row in edit.request["values"]]
    asked = {column for row in values for column in row["given"]}
    edit.columns = columns_of(name for name, column in FIELDS.items() if column in asked)
    given, params = given_stored(LISTED)
    store_plan(edit, given, {**params, "given": json.dumps(values)}, as_of=as_of)
    count_rows(edit)


def store_plan(edit: BulkEdit, given: str, params: dict[str, Any], *, as_of: dt.date) -> None:
    """Write what the relation `given` would do to its renewals, with the verdict on each."""
    editable, editable_params = editable_sql(edit.requested_by)
    statement = f"""
        INSERT INTO {ROWS} (edit_id, renewal_id, row_number, seen, wanted, problems, verdict, reason, is_chosen)
        SELECT %(edit)s, p.renewal_id, p.row_number, p.seen || p.seen_before, p.wanted, p.problems,
            CASE WHEN p.reason <> '' THEN 'refused' WHEN p.wanted <> '{{}}' THEN 'ready'
                 WHEN p.problems <> '[]' THEN 'refused' ELSE 'same' END,
            CASE WHEN p.reason <> '' OR p.wanted <> '{{}}' THEN p.reason WHEN p.problems <> '[]' THEN '{NO_CELL}'
                 WHEN p.is_blank THEN '{NOTHING_THERE}' ELSE '' END,
            true
        FROM ({plan_sql(given, edit.columns, editable=editable)}) p ORDER BY p.renewal_id
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"edit": edit.pk, "as_of": as_of, **params, **editable_params})


def count_rows(edit: BulkEdit) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), count(*) FILTER (WHERE verdict = 'ready') FROM {ROWS} WHERE edit_id = %s", [edit.pk]
        )
        edit.row_count, edit.ready_count = cursor.fetchone()
