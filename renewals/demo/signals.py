"""What was measured about the demo's accounts: noisy readings of the hidden state, some of them missing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from renewals.demo.arrays import NONE, Floats, Ints, chance
from renewals.demo.book import Terms, Window
from renewals.demo.customers import Customers

MISSING_SHARES = {
    "usage": 0.12, "seats": 0.25, "tickets": 0.10, "csat": 0.45, "nps": 0.60, "payments": 0.08, "champion": 0.30,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Signals:
    """One row per account and day; NaN where nothing was measured."""

    customer: Ints
    measured: Ints
    usage_change: Floats
    seat_change: Floats
    severe_tickets: Floats
    reopened_rate: Floats
    csat: Floats
    nps: Floats
    late_payment_days: Floats
    failed_payments: Floats
    chargebacks: Floats
    champion_left: Floats
    last_touch: Ints


def draw_signals(rng: np.random.Generator, customers: Customers, terms: Terms, window: Window) -> Signals:
    """A row 30 to 75 days before each decision (or the due date, when that came first), and a recent one for each
    account with an open renewal."""
    before = np.minimum(np.where(terms.is_open, terms.due, terms.decided), terms.due) - rng.integers(30, 76, len(terms))
    recent = window.as_of - rng.integers(0, 40, len(terms))
    measured = np.where(terms.is_open, recent, before)
    # One row per account and day: of two lines measured on the same day, the first counts.
    _, kept = np.unique(terms.customer * 100_000 + measured, return_index=True)
    rows = terms.take(kept)
    return _read(rng, customers, rows, measured[kept])


def _read(rng: np.random.Generator, customers: Customers, rows: Terms, measured: Ints) -> Signals:
    count, state = len(rows), rows.state

    def noisy(weight: float) -> Floats:
        noise: Floats = math.sqrt(1 - weight**2) * rng.standard_normal(count)
        return weight * state + noise

    def seen(values: Floats, name: str) -> Floats:
        return np.where(chance(rng, MISSING_SHARES[name], count), np.nan, values)

    pays_late = customers.late_payer[rows.customer]
    tickets = rng.poisson(np.exp(-1.1 - 0.50 * state)).astype(np.float64)
    reopened = 0.10 - 0.03 * state + 0.07 * rng.standard_normal(count)
    payments_missing = chance(rng, MISSING_SHARES["payments"], count)
    late_days = np.maximum(0, np.round(3 + 24 * pays_late + 5 * rng.standard_normal(count) - 1.5 * state, 1))
    failed = rng.poisson(np.exp(-2.4 + 0.8 * pays_late - 0.25 * state)).astype(np.float64)
    knows_of_leaving = np.where(chance(rng, 0.75, count), rows.champion_left, chance(rng, 0.03, count))
    return Signals(
        customer=rows.customer,
        measured=measured,
        usage_change=seen(np.clip(0.03 + 0.16 * noisy(0.62), -0.95, 1.5).round(3), "usage"),
        seat_change=seen(np.clip(0.02 + 0.09 * noisy(0.40), -0.8, 1.0).round(3), "seats"),
        severe_tickets=seen(tickets, "tickets"),
        reopened_rate=seen(np.clip(reopened, 0, 1).round(3), "tickets"),
        csat=seen(np.clip(4.0 + 0.55 * noisy(0.50), 1, 5).round(1), "csat"),
        nps=seen(np.clip(22 + 38 * noisy(0.45), -100, 100).round(), "nps"),
        late_payment_days=np.where(payments_missing, np.nan, late_days),
        failed_payments=np.where(payments_missing, np.nan, failed),
        chargebacks=np.where(payments_missing, np.nan, chance(rng, np.where(pays_late > 0, 0.03, 0.004), count) * 1.0),
        champion_left=seen(knows_of_leaving.astype(np.float64), "champion"),
        last_touch=np.where(
            chance(rng, 0.06, count), NONE, measured - np.minimum(rng.gamma(1.2, 24, count), 300).astype(np.int64)
        ),
    )
