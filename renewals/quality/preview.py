"""What a rule would find in the book as it is now, before it is saved."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import connection

from accounts.exchange import read_rates
from renewals.models.quality import DataRule
from renewals.quality.conditions import SOURCE, Binds, is_of_renewals, predicate_of
from renewals.quality.duplicates import fold_new_names
from renewals.quality.without_renewal import found_sql


@dataclass
class Found:
    """Rows that break the rule, and their amount in the reporting currency; `without_rate` are in no amount."""

    row_count: int = 0
    amount: Decimal = Decimal(0)
    without_rate: dict[str, int] = field(default_factory=dict)


def preview_rule(rule: DataRule, *, as_of: dt.date, reporting_currency: str) -> Found:
    """Count what breaks this rule, saved or not; nothing of the book is written.

    Raises:
        InvalidParameter: a parameter is not what the condition takes.
    """
    binds = Binds(as_of)
    if is_of_renewals(rule):
        source = f"SELECT r.currency, r.baseline_amount AS amount FROM {SOURCE} WHERE {predicate_of(rule, binds)}"
    else:
        source = found_sql(rule, binds)
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    found = Found()
    with connection.cursor() as cursor:
        if rule.condition == DataRule.Condition.DUPLICATE_ACCOUNT:
            fold_new_names(cursor)
        cursor.execute(
            f"SELECT currency, count(*), coalesce(sum(amount), 0) FROM ({source}) s GROUP BY 1 ORDER BY 1",
            binds.values,
        )
        for currency, row_count, amount in cursor.fetchall():
            found.row_count += row_count
            if currency in rates:
                found.amount += amount * rates[currency]
            elif amount:
                found.without_rate[currency] = row_count
    found.amount = found.amount.quantize(Decimal("0.01"))
    return found
