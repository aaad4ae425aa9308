"""Pastes as a page sends them."""

import json
from collections.abc import Sequence
from typing import Any

from accounts.models import User, get_company
from renewals.models import Renewal
from renewals.paste.request import Paste, read_paste
from renewals.paste.services import Pasted, paste_cells
from renewals.services import cell_value
from renewals.table.columns import EDITABLE


def asked(
    rows: Sequence[Renewal], columns: Sequence[str], values: Sequence[Sequence[str]], **more: Any
) -> dict[str, Any]:
    """What a page would send that shows these rows as they are in memory."""
    was = [[cell_value(row, name) if name in EDITABLE else None for name in columns] for row in rows]
    cells = {"columns": list(columns), "rows": [row.pk for row in rows], "values": [list(line) for line in values]}
    return {"action": "paste", "was": was, **cells, **more}


def make_paste(rows: Sequence[Renewal], columns: Sequence[str], values: Sequence[Sequence[str]], **more: Any) -> Paste:
    return read_paste(json.dumps(asked(rows, columns, values, **more)))


def put(
    user: User, rows: Sequence[Renewal], columns: Sequence[str], values: Sequence[Sequence[str]], **more: Any
) -> Pasted:
    paste = make_paste(rows, columns, values, **more)
    return paste_cells(paste=paste, user=user, as_of=get_company().today())


def found(pasted: Pasted) -> list[tuple[int, int, str, str]]:
    """Line, place, kind and message of each finding."""
    return [(one.line, one.place, one.kind, one.message) for one in pasted.findings]
