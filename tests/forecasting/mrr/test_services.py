"""Movements and their roll-ups against a slow oracle, over books made at random."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.exchange import read_rates
from forecasting.models import MrrLine, MrrMovement, MrrOfferLine, MrrRollUp, Run
from forecasting.mrr.services import roll_up_mrr
from renewals.models import Contract, Renewal, RenewalScore
from tests.cast import Cast
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
    expansion = sum(sums["expansion_amount"] for sums in raw.values())
    offers = MrrOfferLine.objects.all()
    assert sum(line.upsell_amount + line.cross_sell_amount for line in offers) == expansion
    assert sum(line.cross_sell_amount for line in offers) == sum(sums["cross_sell_amount"] for sums in raw.values())


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
