from dataclasses import replace

import numpy as np
import pytest

from forecasting.engine.arrays import Floats
from forecasting.engine.payments import STATED, PaymentTerms, default_rates, fit_terms

NAN = float("nan")


@pytest.mark.parametrize(
    ("late", "failed", "chargebacks", "rate"),
    [
        (NAN, NAN, NAN, 0.02),
        (0.0, 0.0, 0.0, 0.01),
        (0.0, NAN, NAN, 0.01),
        # Odds of 1 to 99 times e^0.9, e^0.5 and e^1.
        (30.0, NAN, NAN, 0.024242),
        (NAN, 1.0, NAN, 0.016381),
        (NAN, NAN, 1.0, 0.026724),
        (60.0, 5.0, 5.0, 0.5),
        (9_999.0, 0.0, 0.0, 0.057588),  # as 60 days
        (-5.0, 0.0, 0.0, 0.01),  # paid before it was due
    ],
)
def test_default_rates(late: float, failed: float, chargebacks: float, rate: float) -> None:
    found = default_rates(
        late_days=np.array([late]), failed_count=np.array([failed]), chargeback_count=np.array([chargebacks])
    )
    assert found[0] == pytest.approx(rate, abs=1e-6)


def fitted(late: Floats, failed: Floats, charged: Floats, is_default: Floats) -> PaymentTerms:
    return fit_terms(late_days=late, failed_count=failed, chargeback_count=charged, is_default=is_default)


def test_too_few_invoices_or_defaults_leave_what_is_stated() -> None:
    for count, defaults in ((0, 0), (299, 50), (5_000, 9)):
        signs = np.zeros(count)
        terms = fitted(signs, signs, signs, (np.arange(count) < defaults).astype(float))
        assert terms == replace(STATED, invoice_count=count, default_count=defaults)
        assert not terms.is_fitted


def test_without_signs_the_rate_is_learned_and_the_signs_stay_as_stated() -> None:
    """The mode solves n rate(g) - defaults = -(g - logit 0.01) / 2^2."""
    none, is_default = np.zeros(1000), (np.arange(1000) < 50).astype(float)
    terms = fitted(none, none, none, is_default)
    rate = 1 / (1 + np.exp(-terms.good))
    assert 50 - 1000 * rate == pytest.approx((terms.good - STATED.good) / 4, abs=1e-9)
    assert rate == pytest.approx(0.0496, abs=1e-4)
    assert (terms.late_day, terms.failed, terms.chargeback) == pytest.approx((0.03, 0.5, 1.0), abs=1e-9)
    assert (terms.invoice_count, terms.default_count, terms.is_fitted) == (1000, 50, True)
    # Nothing unknown among them: the rate of all, with a hundred of the stated 2 in 100.
    assert terms.unknown_rate == pytest.approx((50 + 2) / 1100)


def test_what_made_invoices_default_is_found_again() -> None:
    """200,000 invoices drawn with log-odds of -4, 0.05 a day late, 0.9 a failed payment, 0.4 a chargeback."""
    rng = np.random.default_rng(1)
    late, failed, charged = rng.uniform(0, 60, 200_000), rng.integers(0, 4, 200_000), rng.integers(0, 2, 200_000)
    rate = 1 / (1 + np.exp(4 - 0.05 * late - 0.9 * failed - 0.4 * charged))
    terms = fitted(late, failed.astype(float), charged.astype(float), (rng.random(200_000) < rate).astype(float))
    assert (terms.good, terms.late_day, terms.failed, terms.chargeback) == pytest.approx(
        (-4, 0.05, 0.9, 0.4), rel=0.03, abs=0.02
    )


def test_no_sign_of_trouble_lowers_the_rate() -> None:
    failed = np.repeat([0.0, 1.0], 1000)
    is_default = np.concatenate([np.arange(1000) < 100, np.arange(1000) < 10]).astype(float)
    none = np.zeros(2000)
    terms = fitted(none, failed, none, is_default)
    assert terms.failed == 0.0
    assert 1 / (1 + np.exp(-terms.good)) == pytest.approx(0.0548, abs=1e-4)


def test_the_unknown_teach_their_own_rate_alone() -> None:
    unknown, none = np.full(400, np.nan), np.zeros(600)
    signs = np.concatenate([unknown, none])
    is_default = np.concatenate([np.arange(400) < 40, np.arange(600) < 6]).astype(float)
    terms = fitted(signs, signs, signs, is_default)
    assert terms.unknown_rate == pytest.approx((40 + 2) / 500)
    assert 1 / (1 + np.exp(-terms.good)) == pytest.approx(0.01, abs=1e-3)
    nan = np.array([np.nan])
    rates = default_rates(late_days=nan, failed_count=nan, chargeback_count=nan, terms=terms)
    assert rates[0] == pytest.approx(0.084)
