"""Movements and their roll-ups against a slow oracle, over books made at random."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter, defaultdict
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from accounts.exchange import read_rates
from forecasting.engine.timing import TimingClass
from forecasting.frames import Reporting
from forecasting.models import MrrCall, MrrLevel, MrrLine, MrrMovement, MrrOfferLine, MrrRollUp, Run, StaleMonth
from forecasting.models.mrr import EVERYBODY, NOBODY
from forecasting.mrr.book import monthly_cents
from forecasting.mrr.services import roll_up_mrr
from forecasting.services import refresh_stale_months
from renewals.models import Contract, Offer, Renewal, RenewalScore
from tests.cast import Cast, make_renewal
from tests.forecasting.mrr.books import AS_OF, FIRST_ON, make_rates, random_book
from tests.forecasting.mrr.oracle import Oracle


def publish(as_of: dt.date = AS_OF) -> Run:
    return Run.objects.create(reason="demand", state="published", as_of_on=as_of, published_at=timezone.now())


def oracle() -> Oracle:
    return Oracle(AS_OF, read_rates(as_of=AS_OF), FIRST_ON, months_ahead=12)


def stored_movements() -> dict[tuple[object, ...], int]:
    found: Counter[tuple[object, ...]] = Counter()
    for row in MrrMovement.objects.all():
        kind, state = MrrMovement.Kind(row.kind).name, MrrMovement.State(row.state).name
        found[(row.owner_id, row.segment_id), row.month_on, state, kind] += int(row.amount * 100)
    return {key: cents for key, cents in found.items() if cents}


def stored_parts(name: str) -> dict[tuple[object, ...], int]:
    found: Counter[tuple[object, ...]] = Counter()
    for row in MrrMovement.objects.all():
        scope, state = (row.owner_id, row.segment_id), MrrMovement.State(row.state).name
        key = (scope, row.month_on, state) if name == "cross_sell_amount" else (scope, row.month_on)
        found[key] += int(getattr(row, name) * 100)
    return {key: cents for key, cents in found.items() if cents}


def raw_lines() -> dict[tuple[object, ...], dict[str, Decimal]]:
    """What the roll-up is to hold, added up in Python."""
    sums: dict[tuple[object, ...], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in MrrMovement.objects.all():
        line = sums[row.month_on, row.owner_id, row.segment_id, row.state]
        line[f"{MrrMovement.Kind(row.kind).name.lower()}_amount"] += row.amount
        line["cross_sell_amount"] += row.cross_sell_amount
        line["open_amount"] += row.open_amount
    return sums


def assert_rolled_up() -> None:
    raw = raw_lines()
    lines = {(line.month_on, line.owner_id, line.segment_id, line.state): line for line in MrrLine.objects.all()}
    assert lines.keys() == raw.keys()
    names = [field.name for field in MrrLine._meta.concrete_fields if field.name.endswith("_amount")]
    assert {key: {name: getattr(line, name) for name in names} for key, line in lines.items()} == {
        key: {name: sums[name] for name in names} for key, sums in raw.items()
    }
    assert_levels(raw)
    expansion = sum(sums["expansion_amount"] for sums in raw.values())
    offers = MrrOfferLine.objects.all()
    assert sum(line.upsell_amount + line.cross_sell_amount for line in offers) == expansion
    assert sum(line.cross_sell_amount for line in offers) == sum(sums["cross_sell_amount"] for sums in raw.values())


def assert_levels(raw: dict[tuple[object, ...], dict[str, Decimal]]) -> None:
    """A row for each month in which anything of an owner, or of everybody, took effect: all of it up to then."""
    actual = {key: sums for key, sums in raw.items() if key[3] == MrrMovement.State.ACTUAL}
    names = [f"{kind.name.lower()}_amount" for kind in MrrMovement.Kind]
    expected = {}
    for month_on, owner_id, _, _ in actual:
        for owner in (NOBODY if owner_id is None else owner_id, EVERYBODY):
            own = [
                sums
                for (month, pk, *_), sums in actual.items()
                if month <= month_on and (owner == EVERYBODY or pk == (owner or None))
            ]
            expected[owner, month_on] = [100 * sum(sums[name] for sums in own) for name in names]
    levels = MrrLevel.objects.all()
    columns = [name.replace("_amount", "_cents") for name in names]
    assert {(one.owner_id, one.month_on): [getattr(one, name) for name in columns] for one in levels} == expected


@pytest.mark.parametrize("seed", range(25))
def test_movements_are_those_of_the_oracle(cast: Cast, seed: int) -> None:
    make_rates()
    random_book(seed, cast)
    publish()
    assert roll_up_mrr()
    slow = oracle()
    assert stored_movements() == {key: cents for key, cents in slow.movements.items() if cents}
    assert stored_parts("cross_sell_amount") == {key: cents for key, cents in slow.crossed.items() if cents}
    assert stored_parts("open_amount") == {key: cents for key, cents in slow.open.items() if cents}
    assert_rolled_up()
    # What a line closes with is what it has on the last day, whatever moved it.
    for scope in {line.scope for line in slow.lines.values()}:
        signed = {"OPENING": 1, "NEW": 1, "EXPANSION": 1, "REACTIVATION": 1, "CONTRACTION": -1, "CHURN": -1}
        for month in (dt.date(2024, 2, 1), dt.date(2026, 10, 1), dt.date(2027, 11, 1)):
            closing = sum(
                signed[kind] * cents
                for (own, month_on, state, kind), cents in slow.movements.items()
                if own == scope and month_on <= month and state != "EXPECTED"
            )
            last_on = (month + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
            assert closing == sum(line.level(last_on) for line in slow.lines.values() if line.scope == scope)


@pytest.mark.parametrize("seed", range(100, 106))
def test_edits_bring_the_same_as_the_whole_book_anew(cast: Cast, seed: int) -> None:
    """Edits of every kind, refreshed by their months; then all of it is made anew, and nothing is left to change."""
    make_rates()
    random_book(seed, cast)
    publish()
    assert roll_up_mrr()
    rng = random.Random(seed)
    rate = MrrRollUp.objects.get().assumed_rate
    for _ in range(6):
        edit_something(rng, cast)
        assert refresh_stale_months() >= 0
        assert not StaleMonth.objects.exists()
        assert_rolled_up()
    # What has no renewal row is expected by the average of the run, which only the next run measures anew.
    slow = Oracle(AS_OF, read_rates(as_of=AS_OF), FIRST_ON, months_ahead=12, assumed_rate=rate)
    assert stored_movements() == {key: cents for key, cents in slow.movements.items() if cents}
    before = stored_movements()
    publish()
    assert roll_up_mrr()
    certain = {key: cents for key, cents in stored_movements().items() if key[2] != "EXPECTED"}
    assert certain == {key: cents for key, cents in before.items() if key[2] != "EXPECTED"}
    assert_rolled_up()


def edit_something(rng: random.Random, cast: Cast) -> None:
    renewal = rng.choice(list(Renewal.objects.select_related("score").order_by("pk")))
    months = {renewal.due_on.replace(day=1)}
    changed = rng.choice(["mean_cents", "owner", "due_on", "outcome", "probability"])
    if changed == "mean_cents":
        mean = rng.randrange(9_000_000) // 7
        parts = {"mean_upsell_cents": 0, "mean_cross_sell_cents": mean // 3}
        RenewalScore.objects.filter(renewal=renewal).update(mean_cents=mean, **parts)
    elif changed == "owner":
        Renewal.objects.filter(pk=renewal.pk).update(owner=rng.choice([None, cast.rep, cast.outsider]))
    elif changed == "due_on":
        due_on = renewal.due_on + dt.timedelta(days=rng.choice([-45, 3, 80]))
        if not Renewal.objects.filter(contract=renewal.contract_id, due_on=due_on).exists():
            Renewal.objects.filter(pk=renewal.pk).update(due_on=due_on)
            months.add(due_on.replace(day=1))
    elif changed == "outcome":
        fields = {"outcome": "lost", "declined_on": AS_OF, "final_amount": 0, "ordered_on": None}
        Renewal.objects.filter(pk=renewal.pk).update(**fields)
        RenewalScore.objects.filter(renewal=renewal).update(timing_class=8)
    else:
        RenewalScore.objects.filter(renewal=renewal).update(probability=rng.random())
    StaleMonth.objects.bulk_create(StaleMonth(month_on=month_on) for month_on in months)


def test_a_roll_up_of_the_same_book_writes_nothing(cast: Cast) -> None:
    make_rates()
    random_book(7, cast)
    publish()
    assert roll_up_mrr()
    before = list(MrrMovement.objects.order_by("pk").values_list("pk", flat=True))
    assert not roll_up_mrr()
    publish()
    assert roll_up_mrr()
    assert list(MrrMovement.objects.order_by("pk").values_list("pk", flat=True)) == before


def test_what_was_sold_has_its_new_name_where_no_movement_is_another_one(cast: Cast) -> None:
    make_rates()
    random_book(7, cast)
    publish()
    assert roll_up_mrr()
    before = set(MrrOfferLine.objects.values_list("name", flat=True))
    movements = list(MrrMovement.objects.order_by("pk").values_list("pk", flat=True))
    Contract.objects.update(product=Concat("product", Value(" ")))  # the same line of the ledger
    Offer.objects.update(name=Concat("name", Value(" ")))
    publish()
    assert roll_up_mrr()
    assert list(MrrMovement.objects.order_by("pk").values_list("pk", flat=True)) == movements
    assert set(MrrOfferLine.objects.values_list("name", flat=True)) == {f"{name} " for name in before}
    assert_rolled_up()


def test_a_currency_without_a_rate_is_named_and_left_out(cast: Cast) -> None:
    make_renewal(owner=cast.rep, currency="GBP")
    publish()
    assert roll_up_mrr()
    assert MrrRollUp.objects.get().unrated == {"GBP": 1}
    assert not MrrMovement.objects.exists()


def test_nothing_is_rolled_up_before_the_first_run(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    assert not roll_up_mrr()
    assert not MrrRollUp.objects.exists()


def test_a_call_is_kept_once_a_month_and_never_written_again(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    publish()
    roll_up_mrr()
    called = list(MrrCall.objects.values_list("called_on", "month_on", "closing_amount"))
    assert called == [(AS_OF, dt.date(2027, 2, 1), Decimal("500.00"))]  # 12,000 a year, even odds, due in December
    Renewal.objects.filter(pk=renewal.pk).update(owner=cast.outsider)
    publish()
    roll_up_mrr()
    assert list(MrrCall.objects.values_list("called_on", "month_on", "closing_amount")) == called
    assert MrrCall.objects.get().owner == cast.rep


def test_amounts_are_a_twelfth_rounded_half_to_even_at_any_rate() -> None:
    rates = {
        "EUR": Decimal(1),
        "USD": Decimal("0.91357000"),
        "XXX": Decimal("165.23456789"),
        "YYY": Decimal("0.00000001"),
    }
    report = Reporting(as_of=AS_OF, rates=rates, fiscal_start=1, team_of_owner={})
    cents = [6, 18, 30, 99_999_999_999_999, 1, 0, 12 * 10**8 // 2, 7]
    for place, (currency, rate) in enumerate(rates.items()):
        found = monthly_cents(np.array(cents), np.full(len(cents), place), report)
        exact = [(one * rate / 12).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) for one in cents]
        assert (currency, found.tolist()) == (currency, [int(one) for one in exact])


def test_an_open_renewal_brings_what_the_forecast_expects_of_it(cast: Cast) -> None:
    """The rep hopes for 24,000; every other page weighs the learned 9,600 and so does this one: p x a, a month."""
    renewal = make_renewal(owner=cast.rep, due_on=AS_OF + dt.timedelta(days=20), forecast_amount=24_000)
    RenewalScore.objects.create(
        renewal=renewal,
        account=renewal.account,
        timing_class=TimingClass.UPCOMING,
        timing_days=-20,
        likelihood=0.75,
        likelihood_count=0,
        probability=0.75,
        mean_cents=960_000,
        completeness=1,
        contributions=[],
    )
    publish()
    assert roll_up_mrr()
    expected = MrrMovement.objects.filter(state=MrrMovement.State.EXPECTED, renewal=renewal)
    found = {MrrMovement.Kind(row.kind).name: row.amount for row in expected}
    assert found == {"CHURN": Decimal(250), "CONTRACTION": Decimal(150)}  # of 1,000 a month
    assert 12 * (1_000 - sum(found.values())) * 100 == round(0.75 * 960_000)
