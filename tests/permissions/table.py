"""The central table: the page and its parts, a row, and the edit of a cell."""

from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody, only

READERS = everybody(200, outsider=404, other_manager=404)
EDITORS = only("rep", "manager", "admin", outsider=404, other_manager=404)
INVALID = EDITORS | {"rep": 422, "manager": 422, "admin": 422}
STALE = EDITORS | {"rep": 409, "manager": 409, "admin": 409}


def renewal(cast: Cast) -> int:
    """The rep's, with a confidence of 40."""
    row = Renewal.objects.filter(owner=cast.rep).first() or make_renewal(owner=cast.rep, confidence=40)
    return row.pk


def edit(field: str, value: str, was: str, expect: dict[str, int]) -> Row:
    return Row(
        "renewals:cell",
        expect,
        kwargs={"pk": renewal, "field": field},
        method="post",
        data={"value": value, "was": was},
        headers={"HX-Request": "true"},
    )


ROWS = [
    Row("renewals:table", everybody(200)),
    Row("renewals:totals", everybody(200)),
    Row("renewals:parts", everybody(200)),
    Row("renewals:parts", everybody(405), method="post"),
    Row("renewals:patterns", everybody(200)),
    Row("renewals:filter", everybody(200), kwargs={"name": "timing"}),
    Row("renewals:filter", everybody(404), kwargs={"name": "password"}),
    Row("renewals:choices", everybody(200), kwargs={"field": "owner"}),
    Row("renewals:choices", everybody(200), kwargs={"field": "offer"}),
    Row("renewals:choices", everybody(404), kwargs={"field": "stage"}),
    Row("renewals:row", READERS, kwargs={"pk": renewal}),
    Row("renewals:row", everybody(404), kwargs={"pk": 999_999_999}),
    Row("renewals:row", everybody(405), kwargs={"pk": renewal}, method="post"),
    Row("renewals:cell", everybody(405), kwargs={"pk": renewal, "field": "stage"}),
    edit("confidence", "70", "40", EDITORS),
    edit("confidence", "abc", "40", INVALID),
    edit("confidence", "70", "39", STALE),
    edit("next_step", "Call Ana", "", EDITORS),
    edit("outcome", "renewed", "open//", EDITORS),
    edit("outcome", "lost", "open//", INVALID),
    edit("baseline_amount", "1", "12000.00", everybody(404)),
]
