import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import AccountSignal, Invoice
from accounts.signals_refresh import refresh_signals
from engagement.payments.reads import read_default_rate, read_payments
from tests.cast import Cast, make_account, make_renewal

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 6, 30)


def test_the_habit_of_an_account_and_what_it_costs(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    make_renewal(owner=cast.rep, account=account, baseline_amount=Decimal(10_000))
    for number, (due, settled) in enumerate(
        [
            (dt.date(2026, 1, 31), dt.date(2026, 1, 20)),
            (dt.date(2026, 2, 28), dt.date(2026, 3, 10)),
            (dt.date(2026, 3, 31), dt.date(2026, 4, 20)),
            (dt.date(2026, 5, 31), None),
            (dt.date(2026, 7, 31), None),
        ]
    ):
        Invoice.objects.create(
            account=account, external_id=f"I{number}", amount=100, currency="EUR", due_on=due, settled_on=settled
        )
    refresh_signals(as_of=TODAY)
    found = read_payments(account, cast.rep, as_of=TODAY)
    assert [(row.late_days, row.is_overdue) for row in found.rows] == [
        (0, False),
        (30, True),
        (20, False),
        (10, False),
        (0, False),
    ]
    assert (found.settled_count, found.late_count, found.mean_late_days, found.median_late_days) == (3, 2, 10, 10)
    assert (found.overdue_amount, found.overdue_count) == (Decimal(100), 1)
    # Log-odds of 1 in 100, and 0.03 for each of ten days, no failed payment: 1 / (1 + 99 exp(-0.3)) = 0.01345.
    assert found.default_rate == Decimal("0.0135")
    assert (found.open_amount, found.collected_amount) == (Decimal(10_000), Decimal(9_865))


def test_nothing_known_is_the_prior_and_later_signals_do_not_count(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    AccountSignal.objects.create(account=account, measured_on=TODAY + dt.timedelta(1), chargeback_count=5)
    assert read_default_rate(account, as_of=TODAY) == Decimal("0.02")


def test_the_page_says_overdue_and_is_hidden_from_outsiders(cast: Cast) -> None:
    account = make_account(owner=cast.rep, name="Hooli")
    Invoice.objects.create(
        account=account, external_id="I<1>", amount=100, currency="JPY", due_on=dt.date(2020, 1, 1), is_disputed=True
    )
    page = cast.client_of("rep").get(f"/accounts/{account.pk}/payments/").content.decode()
    for text in ("I&lt;1&gt;", "Overdue", "Disputed", "for want of an exchange rate: JPY"):
        assert text in page
    assert cast.client_of("outsider").get(f"/accounts/{account.pk}/payments/").status_code == 404
