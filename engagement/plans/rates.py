"""How likely it is, by account, that what is booked is not paid: set-based, by the engine's formula."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Final

import numpy as np

from forecasting.engine.payments import default_rates
from forecasting.frames.payments import read_payment_terms

MEASURES: Final = ("late_payment_days", "failed_payment_count", "chargeback_count")
NEWEST: Final = ", ".join(
    f"(SELECT s.{name}::float8 FROM accounts_accountsignal s WHERE s.account_id = a.id AND s.measured_on <= %(as_of)s"
    f" AND s.{name} IS NOT NULL ORDER BY s.measured_on DESC LIMIT 1)"
    for name in MEASURES
)


def default_rates_of(cursor: Any, account_ids: Collection[int], *, as_of: dt.date) -> dict[int, float]:
    """By account id, of the newest value of each payment signal, as a run reckons it. One query."""
    if not account_ids:
        return {}
    cursor.execute(
        f"SELECT a.id, {NEWEST} FROM unnest(%(ids)s::bigint[]) AS a (id)", {"as_of": as_of, "ids": list(account_ids)}
    )
    found = np.array(cursor.fetchall(), dtype=np.float64)
    late, failed, charged = found[:, 1], found[:, 2], found[:, 3]
    terms = read_payment_terms()
    rates = default_rates(late_days=late, failed_count=failed, chargeback_count=charged, terms=terms)
    return dict(zip(found[:, 0].astype(np.int64).tolist(), rates.round(6).tolist(), strict=True))
