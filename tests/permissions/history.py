"""History: of everything, of a row, of a cell; and taking a step back."""

import uuid

from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody
from tests.renewals.history.steps import change

READERS = everybody(200, outsider=404, other_manager=404)


def renewal(cast: Cast) -> int:
    return make_renewal(owner=cast.rep, confidence=40).pk


def edit(cast: Cast) -> str:
    """The rep's edit of a cell."""
    row = make_renewal(owner=cast.rep, confidence=40)
    return str(change(Renewal.objects.get(pk=row.pk), cast.rep, confidence=70))


ROWS = [
    Row("history:log", everybody(200)),
    Row("history:row", READERS, kwargs={"pk": renewal}),
    Row("history:row", everybody(404), kwargs={"pk": 999_999_999}),
    Row("history:cell", READERS, kwargs={"pk": renewal, "field": "stage"}),
    Row("history:cell", everybody(404), kwargs={"pk": renewal, "field": "probability"}),
    Row(
        "history:undo",
        everybody(403, admin=302, manager=302, rep=302, outsider=404, other_manager=404),
        kwargs={"batch_id": edit},
        method="post",
    ),
    Row("history:undo", everybody(404), kwargs={"batch_id": str(uuid.UUID(int=7))}, method="post"),
    Row("history:undo", everybody(405), kwargs={"batch_id": str(uuid.UUID(int=7))}),
]
