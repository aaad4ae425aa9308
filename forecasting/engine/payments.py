"""What of a booked renewal will be collected. Source: docs/domain.md section 4.3.

    collected = booked x (1 - default probability)

The probability has log-odds of `good` for an account of which nothing bad is known, more for each sign of trouble, as
far as the signs go: days late, failed payments, chargebacks. An account of which nothing at all is known has a rate of
its own. The stated terms hold until there are enough invoices to learn from.

Learned are the terms from invoices that were due long enough ago to be told: one that was not settled within 90 days,
or was charged back, is a default; the signs are those that were known before its due day. The fit is the mode of a
logistic regression whose terms are normal around the stated ones, so that few invoices move them little, and a sign
that was never seen stays as stated. No sign of trouble counts for less than nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Floats
from forecasting.engine.log_odds import expit, logit

HIGHEST_RATE: Final = 0.5
LATE_DAYS_BOUND: Final = 60.0
COUNT_BOUND: Final = 5.0
BOUNDS: Final = np.array([LATE_DAYS_BOUND, COUNT_BOUND, COUNT_BOUND])
# An invoice is told so many days after it was due.
DEFAULT_DAYS: Final = 90
FEWEST_INVOICES: Final = 300
FEWEST_DEFAULTS: Final = 10
# As many invoices as the stated rate of the unknown weighs.
UNKNOWN_WEIGHT: Final = 100.0
# Standard deviations of the terms around the stated ones, in log-odds.
SPREADS: Final = np.array([2.0, 0.03, 0.5, 1.0])
MOST_STEPS: Final = 50


@dataclass(frozen=True)
class PaymentTerms:
    """Log-odds: of an account without a bad sign, and for each day late, failed payment and chargeback."""

    good: float
    late_day: float
    failed: float
    chargeback: float
    unknown_rate: float
    invoice_count: int = 0
    default_count: int = 0

    @property
    def is_fitted(self) -> bool:
        return is_enough(self.invoice_count, self.default_count)

    @property
    def steps(self) -> Floats:
        return np.array([self.late_day, self.failed, self.chargeback])

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> PaymentTerms:
        return cls(**kept)


# 1 in 100 where nothing bad is known; ten days late are 0.3, twice doubling in a month.
STATED: Final = PaymentTerms(
    good=float(logit(np.array(0.01))), late_day=0.03, failed=0.5, chargeback=1.0, unknown_rate=0.02
)


def is_enough(invoice_count: int, default_count: int) -> bool:
    return invoice_count >= FEWEST_INVOICES and default_count >= FEWEST_DEFAULTS


def default_rates(
    *, late_days: Floats, failed_count: Floats, chargeback_count: Floats, terms: PaymentTerms = STATED
) -> Floats:
    """Probability float64[n], at most 0.5, that what is booked is not paid; NaN in is unknown."""
    signs = np.column_stack([late_days, failed_count, chargeback_count]).astype(np.float64)
    total = terms.good + _bounded(signs) @ terms.steps
    rates: Floats = np.where(np.isnan(signs).all(axis=1), terms.unknown_rate, np.minimum(expit(total), HIGHEST_RATE))
    return rates


def _bounded(signs: Floats) -> Floats:
    found: Floats = np.clip(np.nan_to_num(signs), 0.0, BOUNDS)
    return found


def fit_terms(*, late_days: Floats, failed_count: Floats, chargeback_count: Floats, is_default: Floats) -> PaymentTerms:
    """Terms learned from invoices, all float64[n]; the stated ones, with the counts, where there are too few.

    Invoices before which nothing was known of the account teach the rate of the unknown alone.
    """
    signs = np.column_stack([late_days, failed_count, chargeback_count]).astype(np.float64)
    invoice_count, default_count = int(is_default.size), int(is_default.sum())
    if not is_enough(invoice_count, default_count):
        return _stated(invoice_count, default_count)
    is_unknown = np.isnan(signs).all(axis=1)
    design = np.column_stack([np.ones(invoice_count), _bounded(signs)])[~is_unknown]
    good, late_day, failed, chargeback = _mode(design, is_default[~is_unknown])
    unknown = is_default if not is_unknown.any() else is_default[is_unknown]
    unknown_rate = (unknown.sum() + UNKNOWN_WEIGHT * STATED.unknown_rate) / (unknown.size + UNKNOWN_WEIGHT)
    return PaymentTerms(
        good=float(good),
        late_day=float(late_day),
        failed=float(failed),
        chargeback=float(chargeback),
        unknown_rate=float(min(unknown_rate, HIGHEST_RATE)),
        invoice_count=invoice_count,
        default_count=default_count,
    )


def _stated(invoice_count: int, default_count: int) -> PaymentTerms:
    return PaymentTerms(
        STATED.good,
        STATED.late_day,
        STATED.failed,
        STATED.chargeback,
        STATED.unknown_rate,
        invoice_count,
        default_count,
    )


def _mode(design: Floats, is_default: Floats) -> Floats:
    """Newton's steps to the mode; its curvature is that of the prior at least, so that it is there and alone.

    A term below zero is set to zero and the others are fitted again.
    """
    prior = np.array([STATED.good, *STATED.steps])
    terms, is_free = prior.copy(), np.ones(4, dtype=np.bool_)
    while True:
        terms = _newton(design, is_default, prior, terms, is_free)
        is_negative = is_free & (terms < 0) & (np.arange(4) > 0)
        if not is_negative.any():
            return terms
        terms, is_free = np.where(is_negative, 0.0, terms), is_free & ~is_negative


def _newton(design: Floats, is_default: Floats, prior: Floats, start: Floats, is_free: Any) -> Floats:
    terms, free = start.copy(), np.flatnonzero(is_free)
    columns, weight = design[:, free], 1 / SPREADS[free] ** 2
    for _ in range(MOST_STEPS):
        rate = expit(design @ terms)
        slope = columns.T @ (is_default - rate) - (terms[free] - prior[free]) * weight
        curvature = (columns * (rate * (1 - rate))[:, None]).T @ columns + np.diag(weight)
        # A long step may overshoot where the curve is flat: no further than one in log-odds of the intercept.
        step = np.linalg.solve(curvature, slope)
        step /= max(1.0, float(np.abs(step).max()))
        terms[free] += step
        if float(np.abs(step).max()) < 1e-10:
            break
    return terms
