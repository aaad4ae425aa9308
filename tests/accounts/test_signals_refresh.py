import datetime as dt
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account, AccountSignal, Invoice, StaleSignal, Ticket
from accounts.signals_refresh import Refreshed, refresh_signals
from tests.cast import make_account

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 6, 30)


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


def make_ticket(account: Account, number: int, opened_on: dt.date, **fields: Any) -> Ticket:
    return Ticket.objects.create(account=account, external_id=f"T{number}", opened_on=opened_on, **fields)


def signals(account: Account, *names: str) -> list[tuple[Any, ...]]:
    return list(account.signals.order_by("measured_on").values_list("measured_on", *names))


def test_tickets_tell_the_state_of_each_day_on_which_one_changed() -> None:
    account = make_account()
    make_ticket(account, 1, day(1, 10), severity="urgent", resolved_on=day(1, 20), satisfaction_score=2)
    make_ticket(account, 2, day(1, 15), severity="high")
    make_ticket(account, 3, day(3, 1), resolved_on=day(3, 5), reopened_count=1, satisfaction_score=5)
    make_ticket(account, 4, day(7, 1))  # after today
    assert refresh_signals(as_of=TODAY) == Refreshed(1, 5)
    assert signals(account, "severe_ticket_count", "reopened_ticket_rate", "csat_score") == [
        (day(1, 10), 1, None, None),
        (day(1, 15), 2, None, None),
        (day(1, 20), 1, 0.0, 2.0),
        (day(3, 1), 1, 0.0, 2.0),
        (day(3, 5), 1, 0.5, 3.5),
    ]
    assert not StaleSignal.objects.exists()
    assert refresh_signals(as_of=TODAY) == Refreshed(0, 0)


@pytest.mark.parametrize("is_deleted", [True, False])
def test_what_was_made_of_tickets_is_made_again_where_somebody_else_wrote_it(is_deleted: bool) -> None:
    """Not only once the account has another ticket."""
    account, other = make_account(), make_account()
    make_ticket(account, 1, day(1, 10), severity="urgent", resolved_on=day(1, 20), satisfaction_score=2)
    AccountSignal.objects.create(account=other, measured_on=day(1, 20), csat_score=3)
    refresh_signals(as_of=TODAY)
    right = signals(account, "csat_score")
    written = AccountSignal.objects.filter(measured_on=day(1, 20))
    if is_deleted:
        written.filter(account=account).delete()
    else:
        written.update(csat_score=5)
        written.update(nps_score=40)
    assert list(StaleSignal.objects.values_list("account", flat=True)) == [account.pk]
    assert refresh_signals(as_of=TODAY) == Refreshed(1, 1)
    assert signals(account, "csat_score") == right
    assert not StaleSignal.objects.exists()


def test_account_with_such_signals_can_be_deleted() -> None:
    account = make_account()
    make_ticket(account, 1, day(1, 10))
    refresh_signals(as_of=TODAY)
    account.delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not StaleSignal.objects.exists()


def test_what_is_older_than_its_window_no_longer_counts() -> None:
    account = make_account()
    for number, (opened, resolved, score, reopened) in enumerate(
        [(day(1, 1), day(1, 1), 1, 1), (day(3, 31), day(3, 31), 3, 0), (day(4, 1), day(4, 1), 5, 0)]
    ):
        make_ticket(
            account, number, opened, resolved_on=resolved, satisfaction_score=score, reopened_count=reopened
        )  # 31 March is the 90th day from 1 January, 1 April the 91st
    refresh_signals(as_of=TODAY)
    assert [row[1:] for row in signals(account, "csat_score", "reopened_ticket_rate")] == [
        (1.0, 1.0),
        (2.0, 0.5),
        (4.0, 1 / 3),
    ]


def test_invoices_tell_lateness_failures_and_chargebacks() -> None:
    account = make_account()
    for number, (due, settled, failed, back) in enumerate(
        [
            (day(1, 31), day(1, 21), False, False),
            (day(2, 28), day(3, 10), True, False),
            (day(3, 31), None, True, True),
        ]
    ):
        Invoice.objects.create(
            account=account,
            external_id=f"I{number}",
            amount=100,
            currency="EUR",
            due_on=due,
            settled_on=settled,
            has_failed=failed,
            is_charged_back=back,
        )
    refresh_signals(as_of=TODAY)
    assert signals(account, "late_payment_days", "failed_payment_count", "chargeback_count") == [
        (day(1, 21), 0.0, 0, 0),
        (day(3, 10), 5.0, 1, 0),
        (day(3, 31), 5.0, 2, 1),
    ]


def test_a_value_measured_elsewhere_is_not_blanked_and_a_derived_one_is() -> None:
    account = make_account()
    AccountSignal.objects.create(account=account, measured_on=day(1, 10), csat_score=4.0, nps_score=20)
    ticket = make_ticket(account, 1, day(1, 10), severity="high")
    refresh_signals(as_of=TODAY)
    assert signals(account, "severe_ticket_count", "csat_score", "nps_score") == [(day(1, 10), 1, 4.0, 20.0)]
    Ticket.objects.filter(pk=ticket.pk).update(resolved_on=day(1, 10), satisfaction_score=2)
    refresh_signals(as_of=TODAY)
    assert signals(account, "severe_ticket_count", "csat_score", "nps_score") == [(day(1, 10), 0, 2.0, 20.0)]
    Ticket.objects.filter(pk=ticket.pk).update(satisfaction_score=None)
    refresh_signals(as_of=TODAY)
    assert signals(account, "severe_ticket_count", "csat_score", "nps_score") == [(day(1, 10), 0, None, 20.0)]
    ticket.delete()
    refresh_signals(as_of=TODAY)
    assert signals(account, "severe_ticket_count", "csat_score", "nps_score") == [(day(1, 10), None, None, 20.0)]


def test_a_signal_that_held_nothing_else_goes_with_its_ticket() -> None:
    account = make_account()
    ticket = make_ticket(account, 1, day(1, 10))
    refresh_signals(as_of=TODAY)
    Ticket.objects.filter(pk=ticket.pk).update(opened_on=day(1, 12))
    assert refresh_signals(as_of=TODAY) == Refreshed(1, 2)
    assert signals(account, "severe_ticket_count") == [(day(1, 12), 0)]


def test_only_accounts_with_news_are_read() -> None:
    quiet, busy = make_account(), make_account()
    make_ticket(quiet, 1, day(1, 10), severity="high")
    make_ticket(busy, 2, day(1, 10), severity="high")
    refresh_signals(as_of=TODAY)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL session_replication_role = replica")  # nobody is told
        AccountSignal.objects.filter(account=quiet).update(severe_ticket_count=7)
        cursor.execute("SET LOCAL session_replication_role = origin")
    make_ticket(busy, 3, day(1, 11), severity="high")
    assert refresh_signals(as_of=TODAY) == Refreshed(1, 1)
    assert signals(quiet, "severe_ticket_count") == [(day(1, 10), 7)]
    assert signals(busy, "severe_ticket_count") == [(day(1, 10), 1), (day(1, 11), 2)]


def test_an_account_that_is_deleted_leaves_no_mark() -> None:
    account = make_account()
    make_ticket(account, 1, day(1, 10))
    account.delete()
    assert not StaleSignal.objects.exists()


def test_every_measure_of_a_signal_may_be_blank_so_that_an_empty_one_is_known() -> None:
    kept = {field.name for field in AccountSignal._meta.concrete_fields if not field.null}
    assert kept == {"id", "account", "measured_on", "created_at", "derived_measures"}
