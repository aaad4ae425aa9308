"""Each owner's data quality, day by day: what the trend shows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from psycopg2.extras import execute_values

from accounts.exchange import read_rates
from renewals.models.quality import DataRule

CENT: Final = Decimal("0.01")
SUMS: Final = """
SELECT r.owner_id, r.currency, count(*), coalesce(sum(cardinality(q.rule_ids)), 0)::int,
    count(*) FILTER (WHERE q.worst_severity >= %(warning)s), sum(r.baseline_amount),
    coalesce(sum(r.baseline_amount) FILTER (WHERE q.worst_severity >= %(warning)s), 0)
FROM renewals_renewal r LEFT JOIN renewals_renewalquality q ON q.renewal_id = r.id
WHERE NOT r.is_excluded GROUP BY r.owner_id, r.currency
"""
STORE: Final = """
INSERT INTO renewals_qualitysnapshot
    (taken_on, owner_id, renewal_count, breach_count, broken_count, baseline_amount, broken_amount) VALUES %s
"""


def take_snapshot(cursor: Any, *, as_of: dt.date) -> None:
    """Keep how each owner's rows stand at the end of this recompute; a later one of the same day replaces it."""
    rates = read_rates(as_of=as_of)
    cursor.execute(SUMS, {"warning": DataRule.Severity.WARNING.value})
    counts: dict[int | None, list[int]] = defaultdict(lambda: [0, 0, 0])
    amounts: dict[int | None, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for owner_id, currency, *row in cursor.fetchall():
        counts[owner_id] = [before + more for before, more in zip(counts[owner_id], row[:3], strict=True)]
        rate = rates.get(currency, Decimal(0))  # in the counts, in no amount; a rule of its own names such rows
        amounts[owner_id] = [before + more * rate for before, more in zip(amounts[owner_id], row[3:], strict=True)]
    rows = [
        (as_of, owner_id, *counts[owner_id], *(amount.quantize(CENT) for amount in amounts[owner_id]))
        for owner_id in counts
    ]
    cursor.execute("DELETE FROM renewals_qualitysnapshot WHERE taken_on = %s", [as_of])
    if rows:
        execute_values(cursor, STORE, rows)
