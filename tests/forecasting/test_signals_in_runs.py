"""A run reads signals that know of the newest tickets."""

import datetime as dt

import pytest

from accounts.models import StaleSignal, Ticket
from forecasting.models import Run
from forecasting.services.runs import prepare_run
from tests.cast import Cast, make_renewal

pytestmark = pytest.mark.django_db


def test_tickets_become_signals_before_a_run_reads(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    Ticket.objects.create(account=renewal.account, external_id="T1", severity="urgent", opened_on=dt.date(2026, 3, 1))
    run = Run.objects.create(reason="demand", as_of_on=dt.date(2026, 6, 30), state=Run.State.RUNNING)
    assert len(prepare_run(run_id=run.pk)) == 1
    signal = renewal.account.signals.get()
    assert (signal.measured_on, signal.severe_ticket_count) == (dt.date(2026, 3, 1), 1)
    assert not StaleSignal.objects.exists()
