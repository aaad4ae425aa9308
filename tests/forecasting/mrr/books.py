"""Books made at random: every kind of contract and renewal that `forecasting.mrr` has a rule for, in a small space."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from accounts.models import Account, Segment
from renewals.models import Contract, Offer, Renewal, RenewalScore, Stage, TimingClass
from tests.cast import Cast, make_account, make_rate

AS_OF = dt.date(2026, 11, 21)
FIRST_ON = dt.date(2023, 10, 1)
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "JPY", "GBP")  # GBP has no rate
PRODUCTS = ("Core", "core ", "Add-on", "")
DAY = dt.timedelta(days=1)


def make_rates() -> None:
    make_rate("USD", "0.91357")
    make_rate("JPY", "0.00617283")


def random_book(seed: int, cast: Cast, *, accounts: int = 8) -> None:
    rng = random.Random(seed)
    segments = [None, *(Segment.objects.get_or_create(name=name)[0] for name in ("Enterprise", "Small"))]
    offers = [None, *(Offer.objects.get_or_create(name=name)[0] for name in ("Gold", "Silver"))]
    owners = [None, cast.rep, cast.team_mate, cast.outsider]
    for _ in range(accounts):
        account = make_account(owner=rng.choice(owners), segment=rng.choice(segments))
        for number in range(rng.randint(1, 3)):
            _make_chain(rng, account, f"N{number}", owners, offers)


def _make_chain(rng: random.Random, account: Account, number: str, owners: list[Any], offers: list[Any]) -> None:
    product, currency = rng.choice(PRODUCTS), rng.choice(CURRENCIES)
    starts_on = dt.date(2021, 1, 1) + rng.randrange(2000) * DAY
    if rng.random() < 0.5:
        starts_on = starts_on.replace(day=1)
    is_renumbered = rng.random() < 0.5
    for term in range(rng.randint(1, 4)):
        ends_on = _end(rng, starts_on)
        contract = Contract.objects.create(
            account=account,
            number=f"{number}-{term}" if is_renumbered else number,
            product=product if rng.random() < 0.9 else rng.choice(PRODUCTS),
            starts_on=starts_on,
            ends_on=ends_on,
            currency=currency,
            one_off_amount=rng.randrange(500),
            **_amounts(rng, starts_on, ends_on),
        )
        ordered_on = _make_renewals(rng, contract, owners, offers)
        gap = rng.choice([1, 1, 1, 1, 20, 70, 200, -10])
        starts_on = max(ends_on + gap * DAY, starts_on + DAY)
        if ordered_on is None and rng.random() < 0.6:
            return


def _end(rng: random.Random, starts_on: dt.date) -> dt.date:
    months = rng.choice([1, 6, 12, 12, 12, 24, 36])
    number = starts_on.year * 12 + starts_on.month - 1 + months
    day = min(starts_on.day, 28) if starts_on.day > 1 else 1
    return dt.date(number // 12, number % 12 + 1, day) - DAY


def _amounts(rng: random.Random, starts_on: dt.date, ends_on: dt.date) -> dict[str, Any]:
    amount = Decimal(rng.randrange(0, 2_000_000)) / 100
    years = max(round((ends_on - starts_on).days / 365), 1)
    if years > 1 and rng.random() < 0.5:
        steps = [amount * year / years for year in range(1, years)]
        return {"recurring_amount": amount, "ramp_amounts": [*(round(step, 2) for step in steps), amount]}
    return {"recurring_amount": amount}


def _make_renewals(rng: random.Random, contract: Contract, owners: list[Any], offers: list[Any]) -> dt.date | None:
    """None to two renewals of a contract; the day of the last one's order, if it has one."""
    if rng.random() < 0.12:
        return contract.ends_on
    due_days = {contract.ends_on}
    if rng.random() < 0.15:
        due_days.add(contract.starts_on + (contract.ends_on - contract.starts_on) / 2)
    if rng.random() < 0.1:
        due_days = {min(due_days) + 15 * DAY}
    ordered_on = None
    for due_on in sorted(due_days):
        ordered_on = _make_renewal(rng, contract, due_on, rng.choice(owners), rng.choice(offers))
    return ordered_on


def _make_renewal(rng: random.Random, contract: Contract, due_on: dt.date, owner: Any, offer: Any) -> dt.date | None:
    baseline = contract.recurring_amount
    fields: dict[str, Any] = {"forecast_amount": rng.choice([None, baseline, round(baseline * Decimal("1.17"), 2), 0])}
    fields["cross_sell_amount"] = rng.choice([0, 0, round(baseline / 9, 2)])
    is_open = due_on > AS_OF + 10 * DAY or rng.random() < 0.2
    if is_open and rng.random() < 0.8:
        timing = TimingClass.OVERDUE if due_on < AS_OF else TimingClass.UPCOMING
        if (AS_OF - due_on).days > 60:
            timing = TimingClass.LAPSED
    elif rng.random() < 0.75:
        late = rng.choice([-40, -5, 0, 20, 45, 150])
        fields |= {"outcome": "renewed", "ordered_on": due_on + late * DAY}
        fields["final_amount"] = round(baseline * rng.choice([Decimal(1), Decimal("0.7"), Decimal("1.23")]), 2) + 1
        timing = TimingClass.EARLY if late < 0 else TimingClass.WIN_BACK if late > 60 else TimingClass.LATE
    else:
        timing = TimingClass.LOST
        fields |= {"outcome": "lost", "declined_on": due_on, "final_amount": 0}
    renewal = Renewal.objects.create(
        contract=contract,
        account=contract.account,
        owner=owner,
        offer=offer,
        due_on=due_on,
        currency=contract.currency,
        baseline_amount=baseline,
        stage=Stage.objects.order_by("position")[0],
        is_excluded=rng.random() < 0.1,
        excluded_reason="A test",
        **fields,
    )
    RenewalScore.objects.create(
        renewal=renewal,
        account=contract.account,
        timing_class=timing,
        timing_days=0,
        likelihood=0.5,
        likelihood_count=0,
        probability=round(rng.random(), 4),
        **_means(rng, int(baseline * 100), is_open=timing <= TimingClass.OVERDUE),
        completeness=1,
        contributions=[],
    )
    return fields.get("ordered_on")


def _means(rng: random.Random, baseline_cents: int, *, is_open: bool) -> dict[str, int]:
    """What an open one brings on average if it is renewed: less, the same, more, or more beside what it was."""
    if not is_open:
        return {}
    upsell, cross_sell = rng.choice([0, 0, baseline_cents // 7]), rng.choice([0, 0, baseline_cents // 9])
    kept = rng.choice([baseline_cents, baseline_cents * 3 // 4])
    return {
        "mean_cents": kept + upsell + cross_sell,
        "mean_upsell_cents": upsell,
        "mean_cross_sell_cents": cross_sell,
    }
