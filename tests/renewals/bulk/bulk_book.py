"""What the tests of bulk edits share: asking for one, confirming it, reading what became of its rows."""

from typing import Any

from accounts.models import User
from renewals.bulk.changes import read_changes
from renewals.bulk.selection import Selection
from renewals.bulk.services import confirm_edit, plan_edit
from renewals.models import BulkEdit, Renewal


def planned(user: User, rows: list[Renewal], **data: Any) -> BulkEdit:
    selection = Selection(ids=tuple(row.pk for row in rows))
    return plan_edit(selection=selection, changes=read_changes(data), user=user)


def planned_all(user: User, query: str, **data: Any) -> BulkEdit:
    return plan_edit(selection=Selection(query=query, is_all=True), changes=read_changes(data), user=user)


def confirmed(edit: BulkEdit) -> BulkEdit:
    confirm_edit(edit=edit)
    return edit


def verdicts(edit: BulkEdit) -> dict[int | None, tuple[str, str]]:
    return {pk: (verdict, reason) for pk, verdict, reason in edit.rows.values_list("renewal_id", "verdict", "reason")}


def wanted(edit: BulkEdit, renewal: Renewal) -> dict[str, str | None]:
    return dict(edit.rows.get(renewal_id=renewal.pk).wanted)
