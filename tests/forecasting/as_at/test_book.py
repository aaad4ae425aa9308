"""The book as it stood: whatever was done to it since, the past reads as it did then."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, AccountSignal, Company, ExchangeRate, Segment
from forecasting.as_at import KnownSince, known_since, lines_of, score_at
from forecasting.engine.arrays import Integers
from forecasting.frames import Accounts, Arrays, load_rules, read_book
from forecasting.models import Run
from renewals.history.retention import forget_history
from renewals.models import Contract, Renewal, Stage, TimingClass, TimingPolicyVersion
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.as_at.history import happening_at, unrecorded
from tests.forecasting.forecast_book import recompute

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ALL = Accounts("TRUE", ())
pytestmark = pytest.mark.django_db


def read(accounts: Accounts = ALL, moment: dt.datetime | None = None) -> dict[str, list[object]]:
    """The book as plain values, renewals by id and signals by account and day."""
    with connection.cursor() as cursor:
        book = read_book(cursor, load_rules(None), accounts, currencies=("EUR", "USD"), moment=moment)
    order = np.argsort(book.renewals["id"], kind="stable")
    return {**_plain(book.renewals, order), **_plain(book.signals, np.arange(book.signal_keys.size))}


def _plain(columns: Arrays, order: Integers) -> dict[str, list[object]]:
    return {
        name: [None if value != value else value for value in values[order].tolist()]
        for name, values in columns.items()
    }


def change(renewal: Renewal, **fields: object) -> None:
    Renewal.objects.filter(pk=renewal.pk).update(**fields)


def test_a_renewal_is_what_it_was_before_its_first_later_change(cast: Cast) -> None:
    with happening_at(START):
        renewal = make_renewal(owner=cast.rep, confidence=40, forecast_amount=Decimal("900.10"))
    with happening_at(START + HOUR):
        change(renewal, confidence=60)
    with happening_at(START + 2 * HOUR):
        change(renewal, confidence=80, owner=cast.team_mate)

    def was(moment: dt.datetime) -> tuple[object, ...]:
        book = read(moment=moment)
        return book["confidence"], book["owner_id"], book["forecast"]

    assert was(START - HOUR) == ([], [], [])
    assert was(START) == ([40], [cast.rep.pk], [90_010])
    assert was(START + HOUR - dt.timedelta(microseconds=1)) == ([40], [cast.rep.pk], [90_010])
    assert was(START + HOUR) == ([60], [cast.rep.pk], [90_010])
    assert was(START + 2 * HOUR) == ([80], [cast.team_mate.pk], [90_010])


def test_events_that_are_out_of_order_in_time_go_by_their_ids(cast: Cast) -> None:
    """A transaction that began first changed the row last: its change stands later in the row's history."""
    with happening_at(START):
        renewal = make_renewal(owner=cast.rep, confidence=10)
    with happening_at(START + 2 * HOUR):
        change(renewal, confidence=20)
    with happening_at(START + HOUR):
        change(renewal, confidence=30)
    assert read(moment=START + HOUR + HOUR / 2)["confidence"] == [10]
    assert read(moment=START + 2 * HOUR)["confidence"] == [30]


def test_what_was_deleted_since_is_back_and_what_was_gone_stays_away(cast: Cast) -> None:
    with happening_at(START):
        renewal = make_renewal(owner=cast.rep, confidence=10)
        kept = make_renewal(owner=cast.rep, confidence=20)
    row = Renewal.objects.filter(pk=renewal.pk).values().get()
    with happening_at(START + HOUR):
        renewal.delete()
    with happening_at(START + 2 * HOUR):
        # As an undo brings it back: the same row, made when it was made.
        row.pop("decision_on")
        Renewal.objects.bulk_create([Renewal(**row)])
    with unrecorded():
        Renewal.objects.filter(pk=row["id"]).update(created_at=START)
    assert read(moment=START)["id"] == [row["id"], kept.pk]
    assert read(moment=START + HOUR)["id"] == [kept.pk]


def test_account_contract_and_signals_are_those_of_the_moment(cast: Cast) -> None:
    small = Segment.objects.create(name="Small")
    with happening_at(START):
        renewal = make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 15))
        signal = AccountSignal.objects.create(
            account=renewal.account, measured_on=dt.date(2026, 2, 1), usage_change_rate=0.25
        )
        segment_id = renewal.account.segment_id
    with happening_at(START + HOUR):
        Account.objects.filter(pk=renewal.account_id).update(segment=small)
        Contract.objects.filter(pk=renewal.contract_id).update(starts_on=dt.date(2024, 1, 1))
        AccountSignal.objects.filter(pk=signal.pk).update(usage_change_rate=-0.5)
        # Recorded now of a day before.
        AccountSignal.objects.create(account=renewal.account, measured_on=dt.date(2026, 1, 1), csat_score=2)
    then, now = read(moment=START), read(moment=START + HOUR)
    assert (then["segment_id"], now["segment_id"]) == ([segment_id], [small.pk])
    assert (then["usage_change_rate"], now["usage_change_rate"]) == ([0.25], [None, -0.5])
    assert now["starts"] == [(dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days]
    assert then["starts"] != now["starts"]


def test_some_accounts_at_a_moment_are_those_that_held_the_renewal_then(cast: Cast) -> None:
    with happening_at(START):
        here, there = make_account(owner=cast.rep), make_account(owner=cast.rep)
        renewal = make_renewal(owner=cast.rep, account=here)
    with happening_at(START + HOUR):
        change(renewal, account=there)
    assert read(Accounts.listed([here.pk]), START)["id"] == [renewal.pk]
    assert read(Accounts.listed([there.pk]), START)["id"] == []
    assert read(Accounts.listed([there.pk]), START + HOUR)["id"] == [renewal.pk]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["make", "edit", "owner", "account", "segment", "contract", "signal", "delete", "decide"]),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_every_moment_of_any_history_reads_as_it_did_then(cast: Cast, steps: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        moment, seen = START, {}
        with happening_at(moment):
            segments = [Segment.objects.create(name=name) for name in ("Small", "Large")]
            accounts = [make_account(owner=cast.rep) for _ in range(2)]
            for account in accounts:
                make_renewal(owner=cast.rep, account=account)
        for kind, pick, value in steps:
            seen[moment] = read()
            moment += HOUR
            with happening_at(moment):
                take_step(cast, kind, pick, value, segments, accounts)
        seen[moment] = read()
        for at, book in seen.items():
            assert read(moment=at) == book
            assert read(moment=at + HOUR / 2) == book
        transaction.set_rollback(True)


def take_step(cast: Cast, kind: str, pick: int, value: int, segments: list[Segment], accounts: list[Account]) -> None:
    rows = list(Renewal.objects.order_by("pk"))
    account = accounts[pick % 2]
    if kind == "make":
        make_renewal(owner=cast.rep, account=account, due_on=dt.date(2026, 6, 1 + value))
    elif kind == "segment":
        Account.objects.filter(pk=account.pk).update(segment=segments[value % 2])
    elif kind == "contract":
        Contract.objects.filter(account=account).update(starts_on=dt.date(2020, 1, 1 + value))
    elif kind == "signal":
        AccountSignal.objects.update_or_create(
            account=account, measured_on=dt.date(2026, 1, 1 + value % 3), defaults={"csat_score": 1 + value % 5}
        )
    elif rows:
        row = Renewal.objects.filter(pk=rows[pick % len(rows)].pk)
        if kind == "delete":
            row.delete()
        elif kind == "decide":
            row.update(outcome="renewed", ordered_on=dt.date(2026, 5, 1 + value), final_amount=Decimal(1 + value))
        else:
            row.update(
                **{
                    "edit": {"confidence": value},
                    "owner": {"owner": cast.team_mate if value % 2 else None},
                    "account": {"account": accounts[value % 2]},
                }[kind]
            )


def test_rules_and_rates_are_those_of_the_moment(cast: Cast) -> None:
    with happening_at(START):
        make_renewal(owner=cast.rep, due_on=dt.date(2026, 2, 20), currency="USD", baseline_amount=Decimal(1000))
        make_rate("USD", "0.90")
    with unrecorded():
        TimingPolicyVersion.objects.update(created_at=START - HOUR)
    version = TimingPolicyVersion.objects.get(policy__account=None, policy__segment=None, policy__industry=None)
    with happening_at(START):
        TimingPolicyVersion.objects.filter(pk=version.pk).update(late_days=30, grace_days=0)
    with happening_at(START + HOUR):
        TimingPolicyVersion.objects.filter(pk=version.pk).update(late_days=2)
        ExchangeRate.objects.update(rate=Decimal("0.50"))
        # Effective long ago, but nobody had recorded it.
        make_rate("GBP", "1.20")
        Company.objects.update(fiscal_year_start_month=4)
    then, now = score_at(START), score_at(START + HOUR)
    assert then.scores["timing_class"].tolist() == [TimingClass.OVERDUE]
    assert now.scores["timing_class"].tolist() == [TimingClass.LAPSED]
    assert then.report.rates == {"EUR": Decimal(1), "USD": Decimal("0.90")}
    assert now.report.rates == {"EUR": Decimal(1), "USD": Decimal("0.50"), "GBP": Decimal("1.20")}
    assert (then.report.fiscal_start, now.report.fiscal_start) == (1, 4)
    assert lines_of(then)["due_amount"].tolist() == [90_000, 90_000]
    assert lines_of(now)["due_amount"].tolist() == [50_000, 50_000]


def test_a_stage_that_was_added_since_moves_nothing(cast: Cast) -> None:
    with happening_at(START):
        make_renewal(owner=cast.rep, stage=Stage.objects.order_by("position")[2])
    before = score_at(START).scores
    with happening_at(START + HOUR):
        Stage.objects.create(name="Board approval", position=99, forecast_category="commit")
    after = score_at(START).scores
    assert {name: values.tolist() for name, values in after.items()} == {
        name: values.tolist() for name, values in before.items()
    }


def test_the_fit_is_that_of_the_newest_run_by_then(cast: Cast) -> None:
    with happening_at(START):
        make_renewal(owner=cast.rep)
    first, second = recompute(), recompute()
    Run.objects.filter(pk=first.pk).update(published_at=START)
    Run.objects.filter(pk=second.pk).update(published_at=START + HOUR)
    assert score_at(START - HOUR).run_id is None
    assert score_at(START).run_id == first.pk
    assert score_at(START + 2 * HOUR).run_id == second.pk


def test_known_since_is_when_the_first_renewal_was_recorded(cast: Cast) -> None:
    assert known_since() is None
    with happening_at(START):
        make_renewal(owner=cast.rep)
    assert known_since() == KnownSince(START, is_forgotten=False)


def test_what_was_forgotten_is_known_no_more_until_the_moment_it_was_cut_at(cast: Cast) -> None:
    with happening_at(START):
        renewal = make_renewal(owner=cast.rep, confidence=10)
    with happening_at(START + HOUR):
        change(renewal, confidence=20)
    # Nothing lies before it: nothing is forgotten, and nothing less is known.
    forget_history(before=START)
    assert known_since() == KnownSince(START, is_forgotten=False)
    forget_history(before=START + 2 * HOUR)
    since = known_since()
    assert since == KnownSince(START + 2 * HOUR, is_forgotten=True)
    assert (since.hides(START + HOUR), since.hides(START + 2 * HOUR)) == (True, False)
    assert read(moment=START + 2 * HOUR)["confidence"] == [20]
