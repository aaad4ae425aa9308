"""The open renewals that matter most this week."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from django.db import connection

from dashboards.frame import Frame
from dashboards.rollups import opened
from dashboards.rollups.reading import EPOCH
from forecasting.engine.arrays import Floats
from forecasting.frames import Arrays, copy_out
from forecasting.scopes.slices import within
from renewals.models import Renewal

SHOWN: Final = 5
AHEAD_DAYS: Final = 90
# So many of the largest stakes are looked at first, and so many times more if any of the others might matter more.
LOOKED_AT, TIMES = 100, 20
COLUMNS: Final = [column for column in opened.STORED if column.name in ("renewal_id", "decision", "stake_cents")]


@dataclass(frozen=True)
class Important:
    """`stake_amount` in the reporting currency; `days` from today to the decision, 0 where its day has come."""

    renewal: Renewal
    stake_amount: Decimal
    days: int


def read_most_important(frame: Frame, today: dt.date) -> list[Important]:
    """Value at stake times nearness, the largest first, of what is due within 90 days or open past its due day.

    stake = baseline x (1 - probability)        nearness = 1 / (1 + weeks until the decision)
    """
    rows = _read_rows(frame, today)
    weights = _weights(rows, today)
    shown = np.lexsort([rows["renewal_id"], -weights])[:SHOWN].tolist()
    ids = rows["renewal_id"][shown].tolist()
    found = Renewal.objects.visible_to(frame.user).select_related("account", "score").in_bulk(ids)
    return [
        Important(
            found[ids[at]],
            Decimal(int(rows["stake_cents"][place])) / 100,
            max(int(rows["decision"][place]) - (today - EPOCH).days, 0),
        )
        for at, place in enumerate(shown)
        if ids[at] in found
    ]


def _weights(rows: Arrays, today: dt.date) -> Floats:
    weeks = np.maximum(rows["decision"].astype(np.int64) - (today - EPOCH).days, 0) / 7
    found: Floats = rows["stake_cents"] / (1 + weeks)
    return found


def _read_rows(frame: Frame, today: dt.date) -> Arrays:
    """Those with the largest stakes, as many as it takes: none weighs more than its stake, and so none of the others
    more than the smallest of these."""
    last_on = today + dt.timedelta(days=AHEAD_DAYS)
    with connection.cursor() as cursor:
        if frame.scope.slice:
            where, values = within(frame.scope)
            rows = opened.read_open_rows(cursor, frame.report, f"r.due_on <= %s AND {where}", [last_on, *values])
            return {name: array[rows["stake_cents"] > 0] for name, array in rows.items()}
        where, values = opened.stored_within(frame.scope)
        source = f"dashboards_openrenewal WHERE stake_cents > 0 AND due_on <= %s AND {where}"
        source += " ORDER BY stake_cents DESC, renewal_id LIMIT %s"
        count = LOOKED_AT
        while True:
            rows = copy_out(cursor, COLUMNS, source, [last_on, *values, count])
            weights = np.sort(_weights(rows, today))[::-1]
            if weights.size < count or weights[SHOWN - 1] > rows["stake_cents"].min():
                return rows
            count *= TIMES
