"""A run reads signals that know of the newest tickets."""

import datetime as dt

import pytest

from accounts.models import AccountSignal, Company, Invoice, StaleSignal, Ticket
from accounts.signals_refresh import mark_what_came_due
from forecasting.models import Run
from forecasting.services.runs import prepare_run
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute

pytestmark = pytest.mark.django_db


def test_tickets_become_signals_before_a_run_reads(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    Ticket.objects.create(account=renewal.account, external_id="T1", severity="urgent", opened_on=dt.date(2026, 3, 1))
    run = Run.objects.create(reason="demand", as_of_on=dt.date(2026, 6, 30), state=Run.State.RUNNING)
    assert len(prepare_run(run_id=run.pk)) == 1
    signal = renewal.account.signals.get()
    assert (signal.measured_on, signal.severe_ticket_count) == (dt.date(2026, 3, 1), 1)
    assert not StaleSignal.objects.exists()


def test_invoice_counts_from_the_day_on_which_it_is_due(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    renewal, other = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep)
    due_on = AS_OF + dt.timedelta(days=5)
    for number, account in enumerate((renewal.account, other.account)):
        Invoice.objects.create(
            account=account, external_id=f"I{number}", amount=1, currency="EUR", due_on=due_on, has_failed=number == 0
        )
    for day, expected in ((AS_OF, []), (due_on - dt.timedelta(days=1), []), (due_on, [1]), (due_on, [1])):
        monkeypatch.setattr(Company, "today", lambda company, now=None, day=day: day)
        recompute(day)
        found = AccountSignal.objects.filter(measured_on=due_on, account=renewal.account)
        assert list(found.values_list("failed_payment_count", flat=True)) == expected
        assert AccountSignal.objects.filter(account=other.account).count() == len(expected)
        assert not StaleSignal.objects.exists()
    assert mark_what_came_due(after=AS_OF, as_of=due_on) == 0
