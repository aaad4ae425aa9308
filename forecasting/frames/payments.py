"""Invoices for the engine to learn from, and the terms that were learned last."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

import numpy as np
from django.db import connection

from forecasting.engine.payments import DEFAULT_DAYS, STATED, PaymentTerms, fit_terms
from forecasting.models.payments import PaymentFit

READ_DAYS = 3 * 365
MOST_INVOICES = 50_000  # drawn by their ids where there are more; the terms do not move for another thousand

# The newest value of each sign on a day before the invoice was due, as a run reads it for a renewal.
KNOWN = """(SELECT s.{name}::float8 FROM accounts_accountsignal s
    WHERE s.account_id = i.account_id AND s.measured_on < i.due_on AND s.{name} IS NOT NULL
    ORDER BY s.measured_on DESC LIMIT 1)"""
SIGNS = ("late_payment_days", "failed_payment_count", "chargeback_count")
INVOICES = f"""
    SELECT {", ".join(KNOWN.format(name=name) for name in SIGNS)},
        (is_charged_back OR settled_on IS NULL OR settled_on > due_on + %(days)s)::int
    FROM (SELECT * FROM accounts_invoice WHERE due_on > %(first)s AND due_on <= %(last)s
          ORDER BY hashint8extended(id, 0) LIMIT {MOST_INVOICES}) i
"""


def read_payment_terms() -> PaymentTerms:
    """Those learned last; the stated ones where none were."""
    kept = PaymentFit.objects.values_list("terms", flat=True).first()
    return STATED if kept is None else PaymentTerms.from_dict(kept)


def learn_payment_terms(*, as_of: dt.date) -> PaymentTerms:
    """Once a day: the terms from the invoices of three years that can be told by then, kept for all that follows."""
    found = PaymentFit.objects.filter(as_of_on=as_of).first()
    if found is not None:
        return PaymentTerms.from_dict(found.terms)
    last = as_of - dt.timedelta(DEFAULT_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(INVOICES, {"first": last - dt.timedelta(READ_DAYS), "last": last, "days": DEFAULT_DAYS})
        rows = np.array(cursor.fetchall(), dtype=np.float64).reshape(-1, 4)
    late, failed, charged, is_default = rows.T
    terms = fit_terms(late_days=late, failed_count=failed, chargeback_count=charged, is_default=is_default)
    PaymentFit.objects.get_or_create(as_of_on=as_of, defaults={"terms": asdict(terms)})
    return terms
