"""Terms of payment, from the invoices of the book."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.models import Account, AccountSignal, Invoice
from forecasting.engine.payments import STATED
from forecasting.frames.payments import learn_payment_terms, read_payment_terms
from forecasting.models import PaymentFit
from tests.cast import Cast, make_account

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 6, 30)


def make_invoices(account: Account, count: int, *, due_on: dt.date, settled_on: dt.date | None, name: str) -> None:
    Invoice.objects.bulk_create(
        Invoice(
            account=account,
            external_id=f"{name}{number}",
            amount=Decimal(100),
            currency="EUR",
            due_on=due_on,
            settled_on=settled_on,
        )
        for number in range(count)
    )


def test_terms_are_stated_until_there_is_enough_and_say_how_much_there_is(cast: Cast) -> None:
    assert read_payment_terms() == STATED
    due_on = TODAY - dt.timedelta(90)
    make_invoices(make_account(), 20, due_on=due_on, settled_on=None, name="A")
    assert learn_payment_terms(as_of=TODAY) == replace(STATED, invoice_count=20, default_count=20)
    assert read_payment_terms() == replace(STATED, invoice_count=20, default_count=20)


def test_only_what_can_be_told_teaches_and_a_day_is_learned_once(cast: Cast) -> None:
    account, due_on = make_account(), TODAY - dt.timedelta(200)
    make_invoices(account, 270, due_on=due_on, settled_on=due_on, name="paid")
    make_invoices(account, 20, due_on=due_on, settled_on=due_on + dt.timedelta(90), name="late")
    make_invoices(account, 15, due_on=due_on, settled_on=due_on + dt.timedelta(91), name="default")
    make_invoices(account, 50, due_on=TODAY - dt.timedelta(89), settled_on=None, name="young")
    make_invoices(account, 50, due_on=TODAY - dt.timedelta(1186), settled_on=None, name="old")
    terms = learn_payment_terms(as_of=TODAY)
    assert (terms.invoice_count, terms.default_count, terms.is_fitted) == (305, 15, True)
    # Nothing was known of the account before: the rate of the unknown is theirs, with a hundred of 2 in 100.
    assert terms.unknown_rate == pytest.approx((15 + 2) / 405)
    assert terms.good == pytest.approx(STATED.good)
    Invoice.objects.all().delete()
    assert learn_payment_terms(as_of=TODAY) == terms
    assert learn_payment_terms(as_of=TODAY + dt.timedelta(1)) == replace(STATED)
    assert PaymentFit.objects.count() == 2


def test_signs_are_those_that_were_known_before_the_due_day(cast: Cast) -> None:
    due_on = TODAY - dt.timedelta(200)
    bad, good = make_account(), make_account()
    for account, late in ((bad, 30.0), (good, 0.0)):
        AccountSignal.objects.create(
            account=account, measured_on=due_on - dt.timedelta(1), late_payment_days=late, failed_payment_count=0
        )
        # What came with the invoice itself says nothing before it.
        AccountSignal.objects.create(account=account, measured_on=due_on, late_payment_days=60.0 - 2 * late)
    make_invoices(bad, 100, due_on=due_on, settled_on=due_on, name="bad")
    make_invoices(bad, 100, due_on=due_on, settled_on=None, name="bad-default")
    make_invoices(good, 199, due_on=due_on, settled_on=due_on, name="good")
    make_invoices(good, 1, due_on=due_on, settled_on=None, name="good-default")
    terms = learn_payment_terms(as_of=TODAY)
    assert terms.late_day > 0.1
    assert (terms.failed, terms.chargeback) == pytest.approx((0.5, 1.0))
