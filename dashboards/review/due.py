"""What is due in the next 30 days, open, with what it is expected to bring."""

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
from forecasting.engine.arrays import Integers
from forecasting.frames import Arrays, copy_out
from forecasting.scopes.slices import within
from renewals.models import Renewal

DAYS: Final = 30
SHOWN: Final = 15
AMOUNTS: Final = ("baseline_cents", "expected_cents", "collected_cents", "grown_cents", "stake_cents")
COLUMNS: Final = [column for column in opened.STORED if column.name in ("renewal_id", "due", *AMOUNTS)]


@dataclass(frozen=True, eq=False)
class Due:
    """Cents of the reporting currency by renewal; `names` are the rows of those that a page shows."""

    first_on: dt.date
    last_on: dt.date
    ids: Integers
    week: Integers
    baseline: Integers
    expected: Integers  # probability x mean
    collected: Integers  # less what is expected not to be paid
    grown: Integers  # upsell and cross-sell, times probability
    lost: Integers  # baseline x (1 - probability)

    def largest(self, values: Integers) -> Integers:
        """Places of those with the most, nothing of 0."""
        least = max(1, int(np.partition(values, -SHOWN)[-SHOWN])) if values.size > SHOWN else 1
        places: Integers = np.flatnonzero(values >= least)
        return places[np.lexsort((self.ids[places], -values[places]))][:SHOWN]

    def rows(self, places: Integers) -> list[Renewal]:
        found = Renewal.objects.select_related("account", "offer", "score").in_bulk(self.ids[places].tolist())
        return [found[pk] for pk in self.ids[places].tolist()]


def read_due(frame: Frame) -> Due:
    """Of what the reader sees in the scope, less approved exceptions and what has no exchange rate."""
    first_on = frame.company.today()
    days = [first_on, first_on + dt.timedelta(days=DAYS)]
    with connection.cursor() as cursor:
        if frame.scope.slice:
            where, values = within(frame.scope)
            condition = f"r.due_on BETWEEN %s AND %s AND {where}"
            rows = opened.read_open_rows(cursor, frame.report, condition, [*days, *values])
        else:
            where, values = opened.stored_within(frame.scope)
            source = f"dashboards_openrenewal WHERE due_on BETWEEN %s AND %s AND {where}"
            rows = copy_out(cursor, COLUMNS, source, [*days, *values])
    return _due(first_on, days[1], rows)


def _due(first_on: dt.date, last_on: dt.date, rows: Arrays) -> Due:
    return Due(
        first_on,
        last_on,
        rows["renewal_id"],
        (rows["due"].astype(np.int64) - (first_on - EPOCH).days) // 7,
        *(rows[name] for name in AMOUNTS),
    )


def amount(cents: Integers) -> Decimal:
    """The sum of these."""
    return Decimal(int(cents.sum())) / 100
