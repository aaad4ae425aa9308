"""Bulk edits, edited files and exports. An edit and an export are their requester's own; a viewer takes rows away and
changes none."""

from collections.abc import Callable

from accounts.models import get_company
from renewals.bulk.changes import read_changes
from renewals.bulk.selection import Selection
from renewals.bulk.services import plan_edit
from renewals.exports.services import process_export, request_export
from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody, only

EDITORS = ("admin", "manager", "rep", "team_mate", "outsider", "other_manager")
ASKED = {"confidence_action": "set", "confidence_value": "70"}


def editors(status: int, **others: int) -> dict[str, int]:
    return only(*EDITORS, status=status, **others)


def own(status: int, owner: str = "rep") -> dict[str, int]:
    """Its requester alone; for the others who edit it is not there, and who only looks may not come here at all."""
    return only(*EDITORS, status=404) | {owner: status}


def renewal_ids(cast: Cast) -> str:
    return str(make_renewal(owner=cast.rep).pk)


def planned_edit(cast: Cast) -> int:
    row = Renewal.objects.filter(owner=cast.rep).first() or make_renewal(owner=cast.rep)
    return plan_edit(selection=Selection(ids=(row.pk,)), changes=read_changes(ASKED), user=cast.rep).pk


def kept_export(cast: Cast) -> int:
    make_renewal(owner=cast.rep, due_on=get_company().today())
    export = request_export(query_string="", format="csv", user=cast.rep)
    process_export(export.pk)
    return export.pk


def mine(status: int) -> dict[str, int]:
    return everybody(404, rep=status)


pk: dict[str, Callable[[Cast], int]] = {"pk": planned_edit}
ROWS = [
    Row("bulk:new", editors(200), data={"all": "yes"}),
    Row("bulk:new", editors(422)),  # nothing is chosen
    Row("bulk:new", editors(422), method="post", data=ASKED),
    Row("bulk:file", editors(200)),
    Row("bulk:file", editors(422), method="post"),  # no file
    Row("bulk:edit", own(200), pk),
    Row("bulk:results", own(200), pk),
    Row("bulk:confirm", own(302), pk, "post"),
    Row("bulk:confirm", everybody(405, viewer=405, auditor=405), pk),
    Row("bulk:discard", own(302), pk, "post"),
    Row("exports:list", everybody(200)),
    Row("exports:new", everybody(200), method="post", data={"format": "csv"}),
    Row("exports:new", everybody(404), method="post", data={"format": "exe"}),
    Row("exports:new", everybody(405)),
    Row("exports:export", mine(200), {"pk": kept_export}),
    Row("exports:file", mine(200), {"pk": kept_export}),
]
