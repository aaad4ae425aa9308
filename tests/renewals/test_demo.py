import datetime as dt
import json
import stat
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F, Q
from django.test import RequestFactory

from accounts.models import Account, AccountSignal, ExchangeRate, User, get_company
from renewals.demo.arrays import day_number
from renewals.demo.book import Terms, Window
from renewals.demo.customers import Customers
from renewals.demo.load import BOOK_TABLES, BookNotEmpty, _draw_book, fiscal_year_of, load_demo
from renewals.demo.signals import draw_signals
from renewals.models import Contract, Renewal, RiskFactor, RiskWeightVersion
from tests.cast import make_account

AS_OF = dt.date(2026, 11, 21)
WINDOW = Window(history_from=day_number(dt.date(2023, 2, 1)), as_of=day_number(AS_OF), horizon=day_number(AS_OF) + 548)


def book(seed: int, renewal_count: int = 6000) -> tuple[Customers, Terms]:
    customers, _, terms = _draw_book(np.random.default_rng(seed), renewal_count, WINDOW)
    return customers, terms


def test_same_seed_gives_the_same_book_and_another_seed_another() -> None:
    (_, first), (_, again), (_, other) = book(3, 500), book(3, 500), book(4, 500)
    assert np.array_equal(first.due, again.due)
    assert np.array_equal(first.final, again.final)
    assert not np.array_equal(first.due[:300], other.due[:300])


def test_enough_lines_are_drawn_for_any_number_of_renewals() -> None:
    for renewal_count in (1, 2, 10, 333):
        for seed in range(15):
            _, terms = book(seed, renewal_count)
            assert int((terms.due <= WINDOW.horizon).sum()) == renewal_count


def test_segments_differ_and_january_is_the_peak() -> None:
    customers, terms = book(1)
    decided = ~terms.is_open & (terms.due < WINDOW.as_of)
    segment = customers.segment[terms.customer]
    enterprise, mid_market, smb, public = (terms.is_renewed[decided & (segment == code)].mean() for code in range(4))
    assert min(enterprise, public) > mid_market > smb
    months = terms.due.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    counts = np.bincount(months, minlength=12)
    assert counts.argmax() == 0
    assert counts[[0, 3, 6, 9]].min() > counts[[1, 4, 7, 10]].max()


def test_signals_tell_winners_from_losers_only_weakly() -> None:
    customers, terms = book(2)
    decided = terms.take(np.flatnonzero(~terms.is_open))
    signals = draw_signals(np.random.default_rng(0), customers, decided, WINDOW)
    known = {(c, m): u for c, m, u in zip(signals.customer, signals.measured, signals.usage_change, strict=True)}
    assert len(known) == len(signals.customer)
    # The rows were deduplicated, so match by account: the newest one 30 to 76 days before the decision.
    usage, won = [], []
    for customer, day, renewed in zip(
        decided.customer, np.minimum(decided.decided, decided.due), decided.is_renewed, strict=True
    ):
        found = [known[customer, day - back] for back in range(30, 76) if (customer, day - back) in known]
        if found and not np.isnan(found[0]):
            usage.append(found[0])
            won.append(renewed)
    ranks = np.argsort(np.argsort(usage)) + 1
    positive = np.array(won)
    wins = int(positive.sum())
    area = (ranks[positive].sum() - wins * (wins + 1) / 2) / (wins * (len(positive) - wins))
    assert 0.55 < area < 0.70


def test_fiscal_year_begins_in_its_first_month() -> None:
    assert fiscal_year_of(dt.date(2026, 1, 31), 2) == dt.date(2025, 2, 1)
    assert fiscal_year_of(dt.date(2026, 2, 1), 2) == dt.date(2026, 2, 1)


@pytest.mark.django_db
def test_demo_is_a_consistent_book() -> None:
    before = structure()
    demo = load_demo(renewal_count=900, seed=5, as_of=AS_OF)
    assert structure() == before
    assert Renewal.objects.count() == demo.renewal_count == 900
    assert Renewal.objects.open().count() == demo.open_count
    assert not Renewal.objects.filter(Q(ordered_on__gt=AS_OF) | Q(declined_on__gt=AS_OF)).exists()
    assert not Renewal.objects.exclude(contract__ends_on=F("due_on")).exists()
    assert not Renewal.objects.exclude(contract__recurring_amount=F("baseline_amount")).exists()
    assert get_company().fiscal_year_start_month == 2
    assert set(ExchangeRate.objects.values_list("currency", flat=True)) == {"USD", "GBP"}
    assert set(Renewal.objects.values_list("currency", flat=True)) == {"EUR", "USD", "GBP"}
    for dirt in (
        Q(owner=None), Q(forecast_amount=None), Q(confidence=None), Q(due_on__lt=AS_OF),
    ):  # fmt: skip
        assert 0 < Renewal.objects.open().filter(dirt).count() < 0.2 * demo.open_count


@pytest.mark.django_db
def test_demo_terms_follow_one_another() -> None:
    load_demo(renewal_count=600, seed=6, as_of=AS_OF)
    followers = 0
    earlier: dict[str, Contract] = {}
    for contract in Contract.objects.order_by("starts_on"):
        line = contract.number.split("-")[0]
        if line in earlier:
            previous = earlier[line]
            assert contract.starts_on == previous.ends_on + dt.timedelta(days=1)
            assert contract.recurring_amount == Renewal.objects.get(contract=previous).final_amount
            followers += 1
        earlier[line] = contract
        if contract.ramp_amounts:
            assert contract.ramp_amounts == sorted(contract.ramp_amounts)
            assert contract.ramp_amounts[-1] == contract.recurring_amount
    assert followers > 200


@pytest.mark.django_db
def test_demo_signals_come_before_the_decision() -> None:
    load_demo(renewal_count=400, seed=7, as_of=AS_OF)
    decided = Renewal.objects.filter(outcome="renewed").values_list("account_id", "due_on", "ordered_on")
    measured = set(AccountSignal.objects.values_list("account_id", "measured_on"))
    for account, due_on, ordered_on in decided:
        day = min(due_on, ordered_on)
        assert any((account, day - dt.timedelta(days=back)) in measured for back in range(30, 76))
    assert not AccountSignal.objects.filter(measured_on__gt=AS_OF).exists()


@pytest.mark.django_db
def test_demo_weighs_a_custom_attribute() -> None:
    load_demo(renewal_count=100, seed=8, as_of=AS_OF)
    factor = RiskFactor.objects.get(attribute__key="support_plan")
    assert factor.position == 11
    newest = RiskWeightVersion.objects.filter(segment=None).first()
    assert newest is not None
    assert newest.weights["support_plan"] == 5
    assert newest.weights["usage_trend"] == 20
    plans = set(Account.objects.values_list("attributes__support_plan", flat=True))
    assert plans == {"basic", "standard", "premium", None}


@pytest.mark.django_db
def test_command_writes_one_sign_in_per_role(tmp_path: Path, rf: RequestFactory) -> None:
    file = tmp_path / "sign-in.json"
    call_command("load_demo", renewals=300, as_of=AS_OF, no_recompute=True, sign_in_file=file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    sign_ins = json.loads(file.read_text())
    assert [sign_in["role"] for sign_in in sign_ins] == ["admin", "manager", "rep", "viewer"]
    for sign_in in sign_ins:
        user = authenticate(rf.post("/"), email=sign_in["email"], password=sign_in["password"])
        assert isinstance(user, User)
        assert user.role == sign_in["role"]
    others = User.objects.exclude(email__in=[sign_in["email"] for sign_in in sign_ins])
    assert not any(user.has_usable_password() for user in others)
    rep, manager = User.objects.get(email="rep@demo.example"), User.objects.get(email="manager@demo.example")
    assert rep.team == manager.team
    assert Renewal.objects.open().filter(owner=rep).count() > 5


@pytest.mark.django_db
def test_command_leaves_a_book_alone(tmp_path: Path) -> None:
    make_account()
    file = tmp_path / "sign-in.json"
    with pytest.raises(CommandError, match="into an empty one only"):
        call_command("load_demo", renewals=10, no_recompute=True, sign_in_file=file)
    call_command("load_demo", renewals=10, no_recompute=True, sign_in_file=file, if_empty=True)
    assert Account.objects.count() == 1
    assert not file.exists()


@pytest.mark.django_db
def test_demo_of_today_is_of_the_day_where_its_company_is() -> None:
    assert load_demo(renewal_count=50, seed=9).as_of == get_company().today()
    assert get_company().time_zone == "Europe/Berlin"


@pytest.mark.django_db
def test_demo_refuses_beside_a_user_and_below_one_renewal() -> None:
    with pytest.raises(ValueError, match="at least 1 renewal, not 0"):
        load_demo(renewal_count=0, seed=1)
    User.objects.create_user("somebody@example.com", name="Somebody")
    with pytest.raises(BookNotEmpty):
        load_demo(renewal_count=10, seed=1)


def structure() -> list[tuple[str, ...]]:
    """Indexes and constraints of the book's tables, as PostgreSQL spells them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)"
            " UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE conrelid::regclass::text = ANY(%s) ORDER BY 1, 2, 3",
            [list(BOOK_TABLES), list(BOOK_TABLES)],
        )
        return cursor.fetchall()
