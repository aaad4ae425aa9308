"""Imports of tickets and invoices."""

import datetime as dt
from decimal import Decimal
from typing import Any

from accounts.models import Account, Invoice, StaleSignal, Ticket, get_company
from tests.cast import Cast, make_account
from tests.renewals.imports.conftest import Import, assert_no_row_is_lost, refusals_of

TICKETS: dict[str, Any] = {
    "rows": "tickets",
    "account": {"external_id": "Account"},
    "ticket": {
        "id": "Id",
        "category": "Category",
        "severity": {"column": "Severity", "values": {"p1": "urgent"}},
        "opened_on": "Opened",
        "resolved_on": "Resolved",
        "reopened_count": "Reopened",
        "satisfaction_score": "CSAT",
        "theme": "Theme",
    },
}
HEAD = "Account,Id,Category,Severity,Opened,Resolved,Reopened,CSAT,Theme\n"
INVOICES: dict[str, Any] = {
    "rows": "invoices",
    "account": {"external_id": "Account"},
    "invoice": {
        "id": "Id",
        "amount": {"column": "Amount", "decimal": "."},
        "currency": {"value": "EUR"},
        "due_on": "Due",
        "settled_on": "Settled",
        "has_failed": "Failed",
    },
}
INVOICE_HEAD = "Account,Id,Amount,Due,Settled,Failed\n"


def state_of(external_id: str) -> tuple[Any, ...]:
    return (
        Ticket.objects.filter(external_id=external_id)
        .values_list("category", "severity", "opened_on", "resolved_on", "reopened_count", "satisfaction_score")
        .get()
    )


def test_tickets_become_rows_and_the_same_file_changes_nothing(run_import: Import) -> None:
    account = make_account(external_id="C1")
    text = HEAD + "C1,T1,Ending service,P1,2026-03-01,,0,,Export\nC1,T2,,,2026-03-02,2026-03-05,1,4.5,\n"
    batch = run_import(text, TICKETS)
    assert_no_row_is_lost(batch)
    assert batch.result == {
        "accounts": {"created": 0, "changed": 0, "unchanged": 1},
        "tickets": {"created": 2, "changed": 0, "unchanged": 0},
    }
    assert state_of("T1") == ("ending_service", "urgent", dt.date(2026, 3, 1), None, 0, None)
    assert state_of("T2") == ("other", "normal", dt.date(2026, 3, 2), dt.date(2026, 3, 5), 1, 4.5)
    told = account.signals.order_by("measured_on").values_list("measured_on", "severe_ticket_count", "csat_score")
    assert list(told) == [(dt.date(2026, 3, 1), 1, None), (dt.date(2026, 3, 2), 1, None), (dt.date(2026, 3, 5), 1, 4.5)]
    assert not StaleSignal.objects.exists()
    assert run_import(text, TICKETS).result["tickets"] == {"created": 0, "changed": 0, "unchanged": 2}


def test_rows_that_cannot_be_are_refused_each_with_its_reason(run_import: Import) -> None:
    make_account(external_id="C1")
    make_account(external_id="C2")
    run_import(HEAD + "C2,T9,,,2026-03-01,,,,\n", TICKETS)
    tomorrow = get_company().today() + dt.timedelta(days=1)
    batch = run_import(
        HEAD
        + f"C9,T1,,,2026-03-01,,,,\nC1,T2,,,{tomorrow},,,,\nC1,T3,,,2026-03-01,{tomorrow},,,\n"
        + "C1,T4,,,2026-03-02,2026-03-01,,,\nC1,T5,magic,,2026-03-01,,,,\nC1,T6,,,2026-03-01,,,7,\n"
        + "C1,T7,bug,,2026-03-01,,,,\nC1,T7,other,,2026-03-01,,,,\nC1,T9,,,2026-03-01,,,,\n"
        + "C1,T8,,worst,2026-03-01,,,,\n",
        TICKETS,
    )
    assert refusals_of(batch) == [
        (2, "Account", "C9", "unknown_account"),
        (3, "Opened", str(tomorrow), "future_ticket"),
        (4, "Resolved", str(tomorrow), "future_ticket"),
        (5, "Resolved", "2026-03-01", "resolved_before_opened"),
        (6, "Category", "magic", "not_a_category"),
        (7, "CSAT", "7", "out_of_range"),
        (8, "Id", "T7", "conflicting_rows"),
        (9, "Id", "T7", "conflicting_rows"),
        (10, "Account", "C1", "moved_account"),
        (11, "Severity", "worst", "not_a_severity"),
    ]
    assert_no_row_is_lost(batch)
    assert Ticket.objects.count() == 1


def test_a_check_writes_nothing(run_import: Import) -> None:
    make_account(external_id="C1")
    batch = run_import(HEAD + "C1,T1,,,2026-03-01,,,,\n", TICKETS, is_check=True)
    assert batch.result["tickets"] == {"created": 1, "changed": 0, "unchanged": 0}
    assert not Ticket.objects.exists()


def test_a_blank_resolved_day_says_nothing_unless_the_ticket_was_opened_once_more(run_import: Import) -> None:
    make_account(external_id="C1")
    run_import(HEAD + "C1,T1,,,2026-03-01,2026-03-05,0,,\n", TICKETS)
    run_import(HEAD + "C1,T1,,,2026-03-01,,0,,\n", TICKETS)
    assert state_of("T1")[3] == dt.date(2026, 3, 5)
    run_import(HEAD + "C1,T1,,,2026-03-01,,1,,\n", TICKETS)
    assert state_of("T1")[3:5] == (None, 1)


def test_a_manager_imports_for_their_own_team_only(run_import: Import, cast: Cast) -> None:
    make_account(external_id="C1", owner=cast.rep)
    make_account(external_id="C2", owner=cast.outsider)
    batch = run_import(HEAD + "C1,T1,,,2026-03-01,,,,\nC2,T2,,,2026-03-01,,,,\n", TICKETS, user=cast.manager)
    assert refusals_of(batch) == [(3, "Account", "C2", "account_of_another_team")]
    assert list(Ticket.objects.visible_to(cast.rep).values_list("external_id", flat=True)) == ["T1"]
    assert not Ticket.objects.visible_to(cast.outsider).exists()


def test_invoices_become_rows_and_bad_amounts_are_refused(run_import: Import) -> None:
    make_account(external_id="C1")
    tomorrow = get_company().today() + dt.timedelta(days=1)
    text = INVOICE_HEAD + (
        "C1,I1,1200.50,2026-03-31,2026-04-12,no\nC1,I2,80,2026-12-31,,yes\nC1,I3,-5,2026-03-31,,\n"
        f"C1,I4,ten,2026-03-31,,\nC1,I5,10,2026-03-31,{tomorrow},\nC9,I6,10,2026-03-31,,\nC1,I7,,2026-03-31,,\n"
    )
    batch = run_import(text, INVOICES)
    assert refusals_of(batch) == [
        (4, "Amount", "-5", "negative_amount"),
        (5, "Amount", "ten", "not_a_number"),
        (6, "Settled", str(tomorrow), "future_settlement"),
        (7, "Account", "C9", "unknown_account"),
        (8, "Amount", "", "blank"),
    ]
    assert_no_row_is_lost(batch)
    assert list(
        Invoice.objects.order_by("external_id").values_list("external_id", "amount", "settled_on", "has_failed")
    ) == [("I1", Decimal("1200.50"), dt.date(2026, 4, 12), False), ("I2", Decimal(80), None, True)]
    assert run_import(text, INVOICES).result["invoices"] == {"created": 0, "changed": 0, "unchanged": 2}


def test_a_mapping_may_say_that_an_invoice_makes_its_account(run_import: Import) -> None:
    run_import(INVOICE_HEAD + "C1,I1,10,2026-03-31,,\n", INVOICES | {"unknown_account": "create"})
    assert Account.objects.get().external_id == "C1"
    assert Invoice.objects.get().account.external_id == "C1"
