"""What is due in the next 30 days, open, with what it is expected to bring."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from django.db import connection

from dashboards.frame import Frame
from forecasting.engine.arrays import Integers
from forecasting.engine.booking import weighted
from forecasting.frames import SCORED, Arrays, Column, copy_out, current_rules, read_reporting
from forecasting.frames.book import MISSING, currency_column
from forecasting.frames.converted import converted_cents
from forecasting.frames.line_rows import add_default_rates
from forecasting.scopes.slices import within
from renewals.models import Renewal

DAYS: Final = 30
SHOWN: Final = 15
AMOUNTS: Final = ("baseline", "mean", "upsell", "cross_sell")
COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("account_id", "int8", "r.account_id"),
    Column("week", "int4", "(r.due_on - %s) / 7"),
    Column("probability", "float8", "s.probability"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("mean", "int8", "s.mean_cents"),
    Column("upsell", "int8", "s.mean_upsell_cents"),
    Column("cross_sell", "int8", "s.mean_cross_sell_cents"),
)


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
        order: Integers = np.lexsort((self.ids, -values))[:SHOWN]
        return order[values[order] > 0]

    def rows(self, places: Integers) -> list[Renewal]:
        found = Renewal.objects.select_related("account", "offer", "score").in_bulk(self.ids[places].tolist())
        return [found[pk] for pk in self.ids[places].tolist()]


def read_due(frame: Frame) -> Due:
    """Of what the reader sees in the scope, less approved exceptions and what has no exchange rate."""
    first_on = frame.company.today()
    last_on = first_on + dt.timedelta(days=DAYS)
    report = read_reporting(as_of=first_on)
    columns = [Column(one.name, one.kind, one.sql, (first_on,)) if one.name == "week" else one for one in COLUMNS]
    where, values = within(frame.scope)
    condition = f"r.outcome = 'open' AND r.due_on BETWEEN %s AND %s AND NOT r.is_excluded AND {where}"
    parameters = [first_on, last_on, *values]
    with connection.cursor() as cursor:
        source = f"{SCORED} WHERE {condition}"
        found = copy_out(cursor, [*columns, currency_column(report.currencies)], source, parameters)
        add_default_rates(cursor, found, current_rules(), condition, parameters)
    is_rated = found["currency"] != MISSING
    return _due(first_on, last_on, {name: values[is_rated] for name, values in found.items()}, report.rates)


def _due(first_on: dt.date, last_on: dt.date, found: Arrays, rates: object) -> Due:
    assert isinstance(rates, dict)
    currency = found["currency"].astype(np.int64)
    cents = {name: converted_cents(found[name], currency, rates) for name in AMOUNTS}
    probability = found["probability"]
    expected = weighted(probability, cents["mean"])
    return Due(
        first_on,
        last_on,
        found["id"],
        found["week"].astype(np.int64),
        cents["baseline"],
        expected,
        weighted(1 - found["default_rate"].astype(np.float64), expected),
        weighted(probability, cents["upsell"] + cents["cross_sell"]),
        weighted(1 - probability, cents["baseline"]),
    )


def amount(cents: Integers) -> Decimal:
    """The sum of these."""
    return Decimal(int(cents.sum())) / 100
