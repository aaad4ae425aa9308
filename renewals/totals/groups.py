"""What each group of the table is worth, in the reporting currency, over the whole filtered set.

The groups' amounts add up, to the cent, to those of the strip over the table, which has the formulas.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any, cast

from django.db.models import Count, Q, Sum

from accounts.exchange import read_rates
from accounts.templatetags.money import exact_money, money
from renewals.models import RenewalQuerySet
from renewals.models.scores import expected_cents
from renewals.table.groups import Group, token_of
from renewals.totals.strip import CENT, KEPT_CLASSES, Outcome, in_units

AMOUNTS = ("Baseline", "Forecast", "Expected")
# The sums, each with the amount that it is a part of. Each is rounded for each currency, as the strip's are.
PARTS = {"baseline": "Baseline", "forecast": "Forecast", "won": "Expected", "open_expected": "Expected"}


@dataclass
class Subtotal:
    """Sums over the group less approved exceptions and rows in a currency without a rate; `count` is of all."""

    count: int = 0
    excluded_count: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(AMOUNTS, Decimal(0)))
    without_rate: dict[str, int] = field(default_factory=dict)  # currency -> rows


def _sums() -> dict[str, Any]:
    """Each in its own currency. Expected: what was kept, and of the open ones what they are expected to bring."""
    counted = Q(is_excluded=False)
    return {
        "row_count": Count("pk"),
        "excluded_count": Count("pk", filter=~counted),
        "baseline": Sum("baseline_amount", filter=counted),
        "forecast": Sum("forecast_amount", filter=counted),
        "won": Sum("final_amount", filter=counted & Q(score__timing_class__in=KEPT_CLASSES)),
        "open_expected": in_units(Sum(expected_cents("mean_cents"), filter=counted & Q(outcome=Outcome.OPEN))),
    }


def read_subtotals(
    rows: RenewalQuerySet, group: Group, *, as_of: dt.date, reporting_currency: str
) -> dict[str, Subtotal]:
    """By the token of each group."""
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    keyed = rows.order_by().annotate(group_key=group.key).values("group_key", "currency")
    records = cast(Iterable[dict[str, Any]], keyed.annotate(**_sums()).order_by())
    subtotals = defaultdict[str, Subtotal](Subtotal)
    exact = defaultdict[tuple[str, str], dict[str, Decimal]](dict)  # part and currency -> token -> amount
    for record in records:
        token, currency = token_of(record["group_key"]), record["currency"]
        subtotal, rate = subtotals[token], rates.get(currency)
        subtotal.count += record["row_count"]
        subtotal.excluded_count += record["excluded_count"]
        if rate is None:
            subtotal.without_rate[currency] = record["row_count"]
            continue
        for name in PARTS:
            exact[name, currency][token] = Decimal(record[name] or 0) * rate
    for (name, _), by_token in exact.items():
        for token, amount in _to_the_cent(by_token).items():
            subtotals[token].amounts[PARTS[name]] += amount
    return dict(subtotals)


def _to_the_cent(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Rounded so that they add up to their rounded sum: the cents that are over go to the largest fractions."""
    rounded = {token: amount.quantize(CENT, ROUND_FLOOR) for token, amount in amounts.items()}
    over = int((sum(amounts.values(), Decimal(0)).quantize(CENT) - sum(rounded.values(), Decimal(0))) / CENT)
    by_fraction = sorted(amounts, key=lambda token: (rounded[token] - amounts[token], token))
    for token in by_fraction[:over]:
        rounded[token] += CENT
    return rounded


@dataclass(frozen=True)
class Said:
    """A subtotal as the head of its group sets it."""

    token: str
    count: int
    amounts: list[tuple[str, str, str]]  # label, rounded, exact
    note: str


def describe(subtotals: Mapping[str, Subtotal], currency: str) -> list[Said]:
    return [
        Said(
            token,
            subtotal.count,
            [
                (label, money(amount, currency), exact_money(amount, currency))
                for label, amount in subtotal.amounts.items()
            ],
            _note(subtotal, currency),
        )
        for token, subtotal in subtotals.items()
    ]


def _note(subtotal: Subtotal, currency: str) -> str:
    """What the amounts leave out."""
    left_out = [
        f"{count:,} in {code}, which has no rate into {currency}" for code, count in subtotal.without_rate.items()
    ]
    if subtotal.excluded_count:
        left_out.append(f"{subtotal.excluded_count:,} approved exception{'s' if subtotal.excluded_count > 1 else ''}")
    return f"Without {' and '.join(left_out)}" if left_out else ""
