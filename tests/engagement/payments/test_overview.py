"""Payments in total, and what the terms of payment mean for an account."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import Account, Invoice, get_company
from accounts.signals_refresh import refresh_signals
from engagement.payments.overview import read_troubles
from engagement.payments.reads import read_payments
from forecasting.models import PaymentFit
from renewals.models import RenewalScore, RiskFactor
from tests.cast import Cast, make_account, make_rate, make_renewal

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 6, 30)


def make_invoice(account: Account, name: str, due_on: dt.date, settled_on: dt.date | None, **fields: object) -> None:
    values = {"amount": Decimal(100), "currency": "EUR", **fields}
    Invoice.objects.create(account=account, external_id=name, due_on=due_on, settled_on=settled_on, **values)


def make_scored(account: Account, owner: object, probability: float, cents: int, payments: int = -1) -> None:
    position = RiskFactor.objects.get(key="payment_behaviour").position
    renewal = make_renewal(owner=owner, account=account)  # type: ignore[arg-type]
    RenewalScore.objects.update_or_create(
        renewal=renewal,
        defaults={
            "account": account,
            "timing_class": 0,
            "timing_days": 0,
            "likelihood": probability,
            "likelihood_count": 0,
            "probability": probability,
            "mean_cents": cents,
            "completeness": 1,
            "contributions": [-1] * position + [payments],
        },
    )


def test_accounts_in_trouble_come_by_what_will_not_be_paid(cast: Cast) -> None:
    make_rate("USD", "0.5")
    late, failed, fine = (make_account(owner=cast.rep) for _ in range(3))
    other = make_account(owner=cast.outsider)
    make_scored(late, cast.rep, 0.5, 2_000_000)
    make_scored(failed, cast.rep, 0.9, 1_000_000)
    make_invoice(late, "1", dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    make_invoice(late, "2", dt.date(2026, 5, 1), None, currency="USD")
    make_invoice(late, "3", dt.date(2026, 5, 1), None, currency="JPY")
    make_invoice(late, "4", dt.date(2026, 7, 1), None)
    make_invoice(late, "5", dt.date(2025, 6, 30), None)  # longer ago than a year
    make_invoice(failed, "6", dt.date(2026, 6, 1), dt.date(2026, 5, 1), has_failed=True, is_disputed=True)
    make_invoice(fine, "7", dt.date(2026, 6, 1), dt.date(2026, 6, 1))
    make_invoice(other, "8", dt.date(2026, 6, 1), None)
    refresh_signals(as_of=TODAY)
    found = read_troubles(cast.rep, as_of=TODAY)
    assert [row.account for row in found] == [late, failed]
    first, second = found
    assert (first.late_days, first.settled_count, first.overdue_count) == (30.0, 1, 2)
    assert (first.overdue_amount, first.without_rate) == (Decimal("50.00"), {"JPY"})
    # Odds of 1 to 99 times e^0.9, and times e^0.5.
    assert (first.default_rate, second.default_rate) == (Decimal("0.0242"), Decimal("0.0164"))
    assert (first.expected_amount, first.collected_amount, first.lost_amount) == (10_000, 9_758, 242)
    assert (second.late_days, second.failed_count, second.disputed_count, second.charged_back_count) == (0.0, 1, 1, 0)
    assert (second.expected_amount, second.lost_amount) == (Decimal(9_000), Decimal("147.60"))
    assert [row.account for row in read_troubles(cast.outsider, as_of=TODAY)] == [other]


def test_learned_terms_change_what_is_collected_and_are_named(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    make_scored(account, cast.rep, 0.5, 2_000_000, payments=325)
    before = read_payments(account, cast.rep, as_of=TODAY)
    assert (before.default_rate, before.expected_amount, before.lost_amount) == (Decimal("0.02"), 10_000, 200)
    assert (before.risk_points, before.terms.is_fitted) == (3.25, False)
    terms = {"good": -4, "late_day": 0.1, "failed": 1, "chargeback": 2, "unknown_rate": 0.05}
    PaymentFit.objects.create(as_of_on=TODAY, terms={**terms, "invoice_count": 1200, "default_count": 60})
    after = read_payments(account, cast.rep, as_of=TODAY)
    assert (after.default_rate, after.lost_amount) == (Decimal("0.05"), 500)
    page = cast.client_of("rep").get(f"/accounts/{account.pk}/payments/").content.decode()
    assert "learned from 1,200 invoices, 60 of them not paid within 90 days or charged back" in page
    assert "3.3</td>" in page or "3.2</td>" in page


def test_the_page_says_what_is_missing_to_learn(cast: Cast) -> None:
    today = get_company().today()
    account = make_account(owner=cast.rep, name="Hooli <b>")
    make_invoice(account, "1", today - dt.timedelta(5), None)
    page = cast.client_of("rep").get("/payments/").content.decode()
    assert "stated, not learned yet: 0 of 300 invoices and 0 of 10 defaults that it takes" in page
    assert "Hooli &lt;b&gt;" in page
    assert "Hooli" not in cast.client_of("outsider").get("/payments/").content.decode()
