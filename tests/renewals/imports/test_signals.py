import datetime as dt
from typing import Any

from accounts.models import Account, AccountSignal, get_company
from renewals.models import Contract
from tests.cast import make_account
from tests.renewals.imports.conftest import Import, assert_no_row_is_lost, findings_of, refusals_of

PAYMENTS: dict[str, Any] = {
    "rows": "payments",
    "per": "month",
    "account": {"external_id": "Customer"},
    "payment": {"id": "Invoice", "due_on": "Due", "settled_on": "Settled"},
}


def test_payments_become_one_signal_per_account_and_month(run_import: Import) -> None:
    text = (
        "Customer,Invoice,Due,Settled\nC1,1,2026-01-10,2026-01-20\nC1,2,2026-01-15,2026-01-12\nC1,3,2026-01-31,2026-02-04\n"
        "C2,4,2026-01-10,2026-01-11\nC2,4,2026-01-10,2026-01-11\n"
    )
    batch = run_import(text, PAYMENTS)
    assert list(
        AccountSignal.objects.order_by("account__name", "measured_on").values_list(
            "account__name", "measured_on", "late_payment_days"
        )
    ) == [("C1", dt.date(2026, 1, 20), 5.0), ("C1", dt.date(2026, 2, 4), 4.0), ("C2", dt.date(2026, 1, 11), 1.0)]
    assert findings_of(batch) == [(6, "Invoice", "4", "identical_repeat", "warning")]
    assert_no_row_is_lost(batch)
    again = run_import(text, PAYMENTS)
    assert again.result["signals"] == {"created": 0, "changed": 0, "unchanged": 3}


def test_measures_are_combined_as_the_mapping_says(run_import: Import) -> None:
    make_account(external_id="C1")
    mapping = {
        "rows": "signals",
        "per": "month",
        "unknown_account": "refuse",
        "account": {"external_id": "Account"},
        "signal": {
            "measured_on": "Day",
            "severe_ticket_count": {"column": "Priority", "values": {"high": 1, "low": 0}, "combine": "sum"},
            "csat_score": {"column": "CSAT", "combine": "mean"},
            "nps_score": "NPS",
            "has_champion_left": "Left",
        },
    }
    batch = run_import(
        "Account,Day,Priority,CSAT,NPS,Left\nC1,2026-03-01,high,4,10,no\nC1,2026-03-20,low,,30,\nC1,2026-03-09,high,5,20,yes\n"
        "C9,2026-03-09,high,5,20,\nC1,2026-03-09,high,9,20,\n",
        mapping,
    )
    signal = AccountSignal.objects.get()
    assert (signal.measured_on, signal.severe_ticket_count, signal.csat_score, signal.nps_score) == (
        dt.date(2026, 3, 20),
        2,
        4.5,
        30.0,
    )
    assert signal.has_champion_left is True
    assert refusals_of(batch) == [(5, "Account", "C9", "unknown_account"), (6, "CSAT", "9", "out_of_range")]


def test_usage_is_compared_with_the_days_before_and_found_by_its_contract(run_import: Import) -> None:
    account = make_account()
    Contract.objects.create(
        account=account, number="S1", starts_on=dt.date(2025, 1, 1), ends_on=dt.date(2026, 12, 31), currency="EUR"
    )
    mapping = {
        "rows": "signals",
        "per": "month",
        "contract": {"number": "Sub"},
        "signal": {
            "measured_on": "Day",
            "usage_change_rate": {"column": "Uses", "combine": "change", "window_days": 30},
        },
    }
    batch = run_import(
        "Sub,Day,Uses\nS1,2026-01-05,40\nS1,2026-02-10,10\nS1,2026-02-20,20\nS1,2026-03-10,15\nS1,2026-05-01,5\nS2,2026-05-01,1\n",
        mapping,
    )
    assert list(AccountSignal.objects.order_by("measured_on").values_list("measured_on", "usage_change_rate")) == [
        (dt.date(2026, 3, 31), -0.5),
        (dt.date(2026, 4, 30), -1.0),
        (dt.date(2026, 5, 1), 5 / 15 - 1),
    ]
    assert refusals_of(batch) == [(7, "Sub", "S2", "unknown_contract")]


def test_a_day_told_twice_is_refused_where_rows_are_not_combined(run_import: Import) -> None:
    mapping = {"rows": "signals", "account": {"name": "Account"}, "signal": {"measured_on": "Day", "nps_score": "NPS"}}
    batch = run_import("Account,Day,NPS\nAcme,2026-03-01,10\nAcme,2026-03-01,20\nacme,2026-03-02,5\n", mapping)
    assert refusals_of(batch) == [(2, "Day", "Acme", "conflicting_rows"), (3, "Day", "Acme", "conflicting_rows")]
    assert (Account.objects.count(), AccountSignal.objects.get().nps_score) == (1, 5.0)


def test_a_later_file_adds_what_was_blank_and_keeps_the_rest(run_import: Import) -> None:
    mapping = {
        "rows": "signals",
        "account": {"name": "Account"},
        "signal": {"measured_on": "Day", "nps_score": "NPS", "csat_score": "CSAT"},
    }
    run_import("Account,Day,NPS,CSAT\nAcme,2026-03-01,10,\n", mapping)
    batch = run_import("Account,Day,NPS,CSAT\nAcme,2026-03-01,,4\n", mapping)
    signal = AccountSignal.objects.get()
    assert (signal.nps_score, signal.csat_score) == (10.0, 4.0)
    assert batch.result["signals"] == {"created": 0, "changed": 1, "unchanged": 0}


def test_a_signal_in_the_future_is_refused_and_the_rest_is_kept(run_import: Import) -> None:
    make_account(external_id="C1")
    today = get_company().today()
    tomorrow = today + dt.timedelta(days=1)
    mapping = {"rows": "signals", "account": {"external_id": "A"}, "signal": {"measured_on": "Day", "nps_score": "NPS"}}
    batch = run_import(f"A,Day,NPS\nC1,{today},10\nC1,{tomorrow},20\n", mapping)
    assert refusals_of(batch) == [(3, "Day", str(tomorrow), "future_signal")]
    assert batch.findings.get().reason == "is after today: nobody can have measured it"
    assert_no_row_is_lost(batch)
    assert list(AccountSignal.objects.values_list("measured_on", "nps_score")) == [(today, 10.0)]


def test_a_payment_in_the_future_is_refused(run_import: Import) -> None:
    tomorrow = get_company().today() + dt.timedelta(days=1)
    batch = run_import(f"Customer,Invoice,Due,Settled\nC1,1,2026-01-10,{tomorrow}\n", PAYMENTS)
    assert refusals_of(batch) == [(2, "Settled", str(tomorrow), "future_settlement")]
    assert not AccountSignal.objects.exists()
