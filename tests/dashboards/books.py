"""Books drawn at random, small enough for the oracle and odd enough to find what is wrong."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from accounts.models import Account, Company, Segment
from dashboards.rollups.services import bring_up_to_date
from renewals.models import Renewal
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute


def draw_book(cast: Cast, seed: int, *, count: int = 60) -> list[Renewal]:
    """`count` renewals of a few accounts: three owners of two teams and nobody, three segments and none, all classes,
    three currencies, one of them without a rate. Added up."""
    rng = random.Random(seed)
    Company.objects.update(fiscal_year_start_month=rng.randint(1, 12))
    make_rate("USD", "0.91374")
    segments = [*(Segment.objects.create(name=name) for name in ("Small", "Mid", "Large")), None]
    owners = [cast.rep, cast.team_mate, cast.outsider, None]
    accounts = [make_account(owner=cast.rep, segment=rng.choice(segments)) for _ in range(max(count // 4, 1))]
    made = [draw_renewal(rng, accounts, owners) for _ in range(count)]
    recompute()
    assert bring_up_to_date()
    return made


def draw_renewal(rng: random.Random, accounts: list[Account], owners: list[Any]) -> Renewal:
    due_on = AS_OF + dt.timedelta(days=rng.randint(-700, 200))
    baseline = Decimal(rng.choice([0, 1, 999_999, *[rng.randint(1, 5_000_000) for _ in range(5)]])) / 100
    fields: dict[str, Any] = {
        "account": rng.choice(accounts),
        "owner": rng.choice(owners),
        "due_on": due_on,
        "baseline_amount": baseline,
        "currency": rng.choice(["EUR", "EUR", "USD", "GBP"]),
        **draw_outcome(rng, due_on, baseline),
    }
    if rng.random() < 0.1:
        fields |= {"is_excluded": True, "excluded_reason": "A test account"}
    return make_renewal(**fields)


def draw_outcome(rng: random.Random, due_on: dt.date, baseline: Decimal) -> dict[str, Any]:
    what = rng.choice(["open", "lost", "renewed", "renewed", "renewed"])
    if what == "lost":
        return {"outcome": "lost", "final_amount": 0, "declined_on": min(due_on, AS_OF)}
    if what == "open":
        return {}
    ordered_on = min(due_on + dt.timedelta(days=rng.randint(-150, 150)), AS_OF)
    final = (baseline * Decimal(rng.choice(["0.4", "1", "1.3", "0.001"]))).quantize(Decimal("0.01"))
    final = max(final, Decimal("0.01"))
    cross_sell = min(final, Decimal(rng.choice([0, 0, 100])))
    return {"outcome": "renewed", "final_amount": final, "ordered_on": ordered_on, "cross_sell_amount": cross_sell}
