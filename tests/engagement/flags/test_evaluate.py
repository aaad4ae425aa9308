"""What the rules flag, what clears it, and what a person's clearing holds against."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AccountHealth, AccountSignal, Invoice, Ticket
from engagement.flags.evaluate import Preview, evaluate_flags, preview_conditions
from engagement.flags.measures import InvalidConditions, read_conditions, say_conditions, say_ended, say_measured
from engagement.flags.services import FlagRefused, clear_flag, reopen_flag, save_rule
from engagement.models import Flag, FlagRule
from renewals.models import Renewal, RenewalScore, TimingClass
from renewals.scoring import scoring
from tests.cast import Cast, make_account, make_rate, make_renewal

TODAY = dt.date(2026, 11, 22)
NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)


def at(hours: int) -> dt.datetime:
    return NOW + dt.timedelta(hours=hours)


@pytest.fixture
def rule(db: None) -> FlagRule:
    """The only one: risk of 60 or more, decision within 90 days."""
    FlagRule.objects.all().delete()
    return FlagRule.objects.create(name="High risk", conditions={"risk": 60, "decision_days": 90})


def renewal(cast: Cast, *, risk: float = 10, days: int = 30, probability: float = 0.5, **fields: Any) -> Renewal:
    row = make_renewal(owner=cast.rep, due_on=TODAY + dt.timedelta(days=days), **fields)
    scoring().score_renewals([row.pk], as_of=TODAY)
    RenewalScore.objects.filter(pk=row.pk).update(risk_score=risk, probability=probability)
    return row


def set_risk(row: Renewal, risk: float) -> None:
    RenewalScore.objects.filter(pk=row.pk).update(risk_score=risk)


def ask(hours: int = 0, accounts: list[int] | None = None) -> tuple[int, int]:
    done = evaluate_flags(as_of=TODAY, now=at(hours), account_ids=accounts)
    return done.flagged_count, done.cleared_count


def test_bounds_belong_to_the_rule(cast: Cast, rule: FlagRule) -> None:
    flagged = [renewal(cast, risk=60, days=90), renewal(cast, risk=99, days=-400, notice_days=30)]
    for risk, days in ((59.99, 90), (60, 91)):
        renewal(cast, risk=risk, days=days)
    renewal(cast, risk=99, is_excluded=True, excluded_reason="Merger")
    assert ask() == (2, 0)
    assert list(Flag.objects.order_by("account").values_list("account", "renewal", "rule", "values", "flagged_at")) == [
        (flagged[0].account_id, flagged[0].pk, rule.pk, {"risk": [60, 60], "decision_days": [90, 90]}, NOW),
        (flagged[1].account_id, flagged[1].pk, rule.pk, {"risk": [99, 60], "decision_days": [-430, 90]}, NOW),
    ]
    assert ask(1) == (0, 0)  # flagged once
    assert say_measured(Flag.objects.order_by("account")[1].values) == "Risk 99, decision 430 days ago"


def test_all_conditions_hold_of_one_renewal_and_the_first_decision_is_told(cast: Cast, rule: FlagRule) -> None:
    account = make_account(owner=cast.rep)
    renewal(cast, account=account, risk=99, days=200)
    renewal(cast, account=account, risk=10, days=20)
    assert ask() == (0, 0)  # one is at risk, the other near
    _, sooner = (renewal(cast, account=account, risk=70, days=days) for days in (60, 50))
    assert ask() == (1, 0)
    assert Flag.objects.get().renewal == sooner


def test_stake_is_what_is_expected_to_be_lost_of_the_account(cast: Cast, rule: FlagRule) -> None:
    make_rate("USD", "0.5")
    account = make_account(owner=cast.rep)
    renewal(cast, account=account, risk=70, probability=0.75, baseline_amount=Decimal("1000.01"))
    renewal(cast, account=account, days=300, probability=0.5, baseline_amount=Decimal(4000), currency="USD")
    ask()
    assert Flag.objects.get().stake_amount == Decimal("1250.00")


def test_rule_that_no_longer_holds_clears_with_the_value(cast: Cast, rule: FlagRule) -> None:
    row = renewal(cast, risk=72)
    ask()
    set_risk(row, 38)
    assert ask(5) == (0, 1)
    flag = Flag.objects.get()
    assert (flag.cleared_at, flag.cleared_by, flag.cause_ended_at) == (at(5), None, at(5))
    assert flag.cleared_values == {"risk": [38, 60], "decision_days": [30, 90]}
    assert say_ended(flag.cleared_values) == "Risk 38 (asked: risk of 60 or more)"
    set_risk(row, 80)
    assert ask(6) == (1, 0)  # a flag of its own; the old one stays
    assert Flag.objects.count() == 2


def test_decided_renewal_clears(cast: Cast, rule: FlagRule) -> None:
    row = renewal(cast, risk=72)
    ask()
    Renewal.objects.filter(pk=row.pk).update(outcome="renewed", ordered_on=TODAY, final_amount=12000)
    assert ask(1) == (0, 1)
    assert Flag.objects.get().cleared_values == {}


def test_flag_goes_on_with_the_next_renewal_of_the_account(cast: Cast, rule: FlagRule) -> None:
    account = make_account(owner=cast.rep)
    first, second = (renewal(cast, account=account, risk=72, days=days) for days in (10, 40))
    ask()
    Renewal.objects.filter(pk=first.pk).update(outcome="lost", declined_on=TODAY, final_amount=0)
    assert ask(1) == (0, 0)
    assert list(Flag.objects.values_list("renewal", "cleared_at")) == [(second.pk, None)]


def test_person_s_clearing_holds_until_the_cause_is_new(cast: Cast, rule: FlagRule) -> None:
    row = renewal(cast, risk=72)
    ask()
    clear_flag(flag_id=Flag.objects.get().pk, user=cast.rep, reason="Talked to the board", now=at(1))
    assert (ask(2), ask(3, [row.account_id])) == ((0, 0), (0, 0))
    set_risk(row, 90)  # worse is not new
    assert ask(4) == (0, 0)
    set_risk(row, 10)
    assert ask(5) == (0, 0)
    assert Flag.objects.get().cause_ended_at == at(5)
    set_risk(row, 61)
    assert ask(6) == (1, 0)
    assert list(Flag.objects.order_by("pk").values_list("cleared_by", "flagged_at")) == [
        (cast.rep.pk, NOW),
        (None, at(6)),
    ]


def test_person_s_clearing_ends_with_its_renewal(cast: Cast, rule: FlagRule) -> None:
    account = make_account(owner=cast.rep)
    first, second = (renewal(cast, account=account, risk=72, days=days) for days in (10, 40))
    ask()
    clear_flag(flag_id=Flag.objects.get().pk, user=cast.manager, reason="Fine", now=at(1))
    assert ask(2) == (0, 0)  # the second one is the same cause, while the first is open
    Renewal.objects.filter(pk=first.pk).update(outcome="lost", declined_on=TODAY, final_amount=0)
    assert ask(3) == (1, 0)
    assert Flag.objects.open().get().renewal == second


def test_clearing_is_taken_back(cast: Cast, rule: FlagRule) -> None:
    row = renewal(cast, risk=72)
    ask()
    flag = Flag.objects.get()
    clear_flag(flag_id=flag.pk, user=cast.rep, reason="Oops", now=at(1))
    with pytest.raises(FlagRefused, match="It was cleared on 22 Nov 2026"):
        clear_flag(flag_id=flag.pk, user=cast.rep, reason="Oops", now=at(1))
    reopen_flag(flag_id=flag.pk, user=cast.rep)
    assert list(Flag.objects.open()) == [flag]
    set_risk(row, 5)
    ask(2)
    with pytest.raises(FlagRefused, match="Only what a person cleared is taken back"):
        reopen_flag(flag_id=flag.pk, user=cast.rep)


def test_measures_of_the_account(cast: Cast, rule: FlagRule) -> None:
    """Each rule finds exactly the account that has what it asks for."""
    day = dt.timedelta(days=1)
    names = ("severe", "leaving", "reopened", "failed", "unpaid", "usage", "champion", "health", "silent", "none")
    account = {
        name: make_account(owner=cast.rep, name=name, last_touch_on=TODAY - (40 if name == "silent" else 1) * day)
        for name in names
    }
    for one in account.values():
        renewal(cast, account=one)
    ticket = {"opened_on": TODAY - 5 * day}
    Ticket.objects.create(account=account["severe"], external_id="1", severity="urgent", **ticket)
    Ticket.objects.create(account=account["none"], external_id="2", severity="urgent", resolved_on=TODAY, **ticket)
    Ticket.objects.create(account=account["leaving"], external_id="3", subject="How do we cancel?", **ticket)
    Ticket.objects.create(account=account["reopened"], external_id="4", reopened_count=1, **ticket)
    money = {"amount": 10, "currency": "EUR"}
    Invoice.objects.create(
        account=account["failed"], external_id="1", due_on=TODAY - day, settled_on=TODAY, has_failed=True, **money
    )
    Invoice.objects.create(account=account["unpaid"], external_id="2", due_on=TODAY - 31 * day, **money)
    Invoice.objects.create(account=account["none"], external_id="3", due_on=TODAY - 29 * day, **money)
    for name, columns in (("usage", {"usage_change_rate": -0.4}), ("champion", {"has_champion_left": True})):
        AccountSignal.objects.create(account=account[name], measured_on=TODAY - day, **columns)
    AccountSignal.objects.create(account=account["none"], measured_on=TODAY - 5 * day, usage_change_rate=-0.9)
    AccountSignal.objects.create(account=account["none"], measured_on=TODAY - 4 * day, usage_change_rate=0)
    AccountHealth.objects.create(
        account=account["health"], score=20, band=0, completeness=1, contributions=[], changed_on=TODAY
    )
    asked = {
        "severe": {"severe_tickets": 1},
        "leaving": {"leaving_tickets": 1},
        "reopened": {"reopened_tickets": 1},
        "failed": {"failed_payments": 1},
        "unpaid": {"unpaid_days": 30},
        "usage": {"usage_fall": 40},
        "champion": {"champion_left": 1},
        "health": {"health": 20},
        "silent": {"untouched_days": 40},
    }
    FlagRule.objects.all().delete()
    FlagRule.objects.bulk_create(FlagRule(name=name, conditions=conditions) for name, conditions in asked.items())
    whole = ask()
    found = sorted(Flag.objects.values_list("account__name", "rule__name", "renewal"))
    assert whole == (9, 0)
    assert found == sorted((name, name, None) for name in asked)
    Flag.objects.all().delete()
    assert ask(accounts=[one.pk for one in account.values()]) == (9, 0)  # the same, asked for a few
    assert sorted(Flag.objects.values_list("account__name", "rule__name", "renewal")) == found


def test_timing_class_and_never_touched(cast: Cast, rule: FlagRule) -> None:
    rule.conditions = {"timing": int(TimingClass.OVERDUE), "untouched_days": 14}
    rule.save()
    row = renewal(cast, days=-3)
    RenewalScore.objects.filter(pk=row.pk).update(timing_class=TimingClass.OVERDUE)
    renewal(cast, days=40)
    assert ask() == (1, 0)
    flag = Flag.objects.get()
    assert (flag.account, say_measured(flag.values)) == (row.account, "Overdue, never touched")


def test_only_the_accounts_that_are_asked(cast: Cast, rule: FlagRule) -> None:
    here, elsewhere = renewal(cast, risk=70), renewal(cast, risk=70)
    assert ask(accounts=[here.account_id]) == (1, 0)
    ask()
    for row in (here, elsewhere):
        set_risk(row, 1)
    assert ask(1, [here.account_id]) == (0, 1)
    assert list(Flag.objects.open().values_list("account", flat=True)) == [elsewhere.account_id]


def test_as_many_statements_for_many_accounts_as_for_one(cast: Cast, rule: FlagRule) -> None:
    renewal(cast, risk=70)
    counts = []
    for number in (1, 5):
        for _ in range(number):
            renewal(cast, risk=70)
        with CaptureQueriesContext(connection) as queries:
            ask()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_switched_off_rule_clears_and_forgets(cast: Cast, rule: FlagRule) -> None:
    renewal(cast, risk=70)
    held = renewal(cast, risk=70)
    ask()
    clear_flag(flag_id=Flag.objects.get(account=held.account).pk, user=cast.rep, reason="Fine", now=at(1))
    rule.is_active = False
    save_rule(by=cast.admin, rule=rule, now=at(2))
    assert not Flag.objects.open().exists()
    assert set(Flag.objects.values_list("cleared_reason", "cause_ended_at")) == {
        ("The rule was switched off.", at(2)),
        ("Fine", at(2)),
    }
    assert ask(3) == (0, 0)
    rule.is_active = True
    save_rule(by=cast.admin, rule=rule, now=at(4))
    assert ask(5) == (2, 0)


def test_preview_counts_without_writing(cast: Cast, rule: FlagRule) -> None:
    account = make_account(owner=cast.rep)
    renewal(cast, account=account, risk=70, probability=0.9, baseline_amount=Decimal(1000))
    renewal(cast, account=account, risk=5, days=300, probability=0.5, baseline_amount=Decimal(100))
    assert preview_conditions({"risk": 60}, as_of=TODAY) == Preview(1, Decimal("150.00"), 1)
    assert Flag.objects.count() == 0
    ask()
    assert preview_conditions({"risk": 60}, as_of=TODAY) == Preview(1, Decimal("150.00"), 0)
    assert preview_conditions({"risk": 71}, as_of=TODAY) == Preview(0, Decimal(0), 0)


def test_spoiled_rule_stops_no_other(cast: Cast, rule: FlagRule, caplog: pytest.LogCaptureFixture) -> None:
    spoiled = FlagRule.objects.create(name="Spoiled", conditions={"risk": "DROP TABLE"})
    renewal(cast, risk=70)
    assert ask() == (1, 0)
    assert f"Flag rule {spoiled.pk} (Spoiled) is left out: Risk at least: “DROP TABLE” is not a whole" in caplog.text


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({}, "A rule asks for something: fill in one limit at least."),
        ({"luck": 1}, "luck: there is no such measure."),
        ({"risk": 101}, "Risk at least: “101” is not a whole number from 0 to 100."),
        ({"risk": True}, "Risk at least: “True” is not a whole number from 0 to 100."),
        ({"timing": 4}, "Timing class: “4” is not one of 0, 1, 2, 3."),
    ],
)
def test_conditions_that_cannot_be(conditions: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConditions) as problem:
        read_conditions(conditions)
    assert str(problem.value) == message


def test_conditions_in_words() -> None:
    conditions = {"risk": 60, "timing": 2, "due_days": 90, "usage_fall": 40, "champion_left": 1, "failed_payments": 2}
    assert say_conditions(conditions) == (
        "Risk of 60 or more, timing class overdue, due within 90 days, use down by 40% or more, the champion has left,"
        " payments failed or charged back in 180 days: 2 or more"
    )


def test_database_wants_a_reason_and_one_open_flag(cast: Cast, rule: FlagRule) -> None:
    account = make_account(owner=cast.rep)
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"flagged_by": cast.rep}, "flag_by_hand_has_reason"),
        ({"rule": rule, "cleared_at": NOW, "cleared_by": cast.rep}, "flag_cleared_has_reason"),
    )
    for values, name in refused:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Flag.objects.create(account=account, **values)
    Flag.objects.create(account=account, rule=rule)
    with pytest.raises(IntegrityError, match="flag_open_once"), transaction.atomic():
        Flag.objects.create(account=account, rule=rule)


def test_deleted_account_takes_its_flags(cast: Cast, rule: FlagRule) -> None:
    account = make_account(owner=cast.rep)
    Flag.objects.create(account=account, rule=rule)
    Account.objects.filter(pk=account.pk).delete()
    assert not Flag.objects.exists()
