"""Blocks of cells: whoever edits the row pastes; who only looks at it is told so, who does not see it finds nothing."""

import json
from typing import Any

from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody

EDITORS = everybody(403, rep=200, manager=200, admin=200, outsider=404, other_manager=404)
INVALID = EDITORS | {"rep": 422, "manager": 422, "admin": 422}
STALE = EDITORS | {"rep": 409, "manager": 409, "admin": 409}


def paste(column: str, value: str, was: str | None) -> dict[str, Any]:
    """The rep's row, with a confidence of 40."""

    def asked(cast: Cast) -> str:
        row = Renewal.objects.filter(owner=cast.rep).first() or make_renewal(owner=cast.rep, confidence=40)
        cells = {"columns": [column], "rows": [row.pk], "values": [[value]], "was": [[was]]}
        return json.dumps({"action": "paste", **cells})

    return {"paste": asked}


ROWS = [
    Row("paste:cells", EDITORS, method="post", data=paste("confidence", "70", "40")),
    Row("paste:cells", INVALID, method="post", data=paste("confidence", "abc", "40")),
    Row("paste:cells", STALE, method="post", data=paste("confidence", "70", "39")),
    Row("paste:cells", INVALID | {"rep": 422}, method="post", data=paste("due_on", "2027-01-01", None)),
    Row("paste:cells", everybody(400), method="post", data={"paste": "{}"}),
    Row("paste:cells", everybody(405)),
]
