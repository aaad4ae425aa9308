"""What the totals are made of: by booking type and by original currency, adding up to the strip to the cent.

Booking types: docs/domain.md section 4.2. A renewed one is split by its final amount, an open one by its forecast (its
baseline where there is none); expected of it is what it brings on average if it is renewed, times its probability.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, ExpressionWrapper, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest, Least, NullIf

from accounts.exchange import DatedRate, read_dated_rates
from renewals.models import Renewal, RenewalQuerySet, TimingClass
from renewals.models.scores import expected_cents
from renewals.totals.strip import AMOUNT, KEPT_CLASSES, in_units, to_cents

Outcome = Renewal.Outcome
MEANINGS = {
    "upsell": "Above the baseline, on products that were in the contract",
    "cross_sell": "On products that were not in the contract",
    "downsell": "The part of the baseline that is not renewed, or not forecast, where the rest is",
    "churn": "The baseline of lost ones, of those forecast at nothing, and of win-backs, which had lapsed",
    "unscored": "Renewed, and in no timing class until the next recompute",
}
ZERO = Value(Decimal(0), AMOUNT)


@dataclass(frozen=True)
class TypeLine:
    """One booking type in the reporting currency; None where it has no such amount.

    `count` is of the renewals with such a part, so that one renewal is in several. `baseline_amount` is the part of
    what is available to renew, `forecast_amount` won and forecast by the reps, `expected_amount` won and weighted.
    """

    label: str
    count: int
    baseline_amount: Decimal | None = None
    forecast_amount: Decimal | None = None
    expected_amount: Decimal | None = None
    meaning: str = ""


@dataclass(frozen=True)
class CurrencyLine:
    """The baseline in its own currency and turned into the reporting one; None where it has no rate."""

    currency: str
    count: int
    amount: Decimal
    converted_amount: Decimal | None
    rate: Decimal | None
    effective_on: dt.date | None

    @property
    def rate_text(self) -> str:
        return "" if self.rate is None else f"{self.rate:f}".rstrip("0").rstrip(".")


@dataclass
class Parts:
    types: list[TypeLine] = field(default_factory=list)
    currencies: list[CurrencyLine] = field(default_factory=list)
    # The sums of the lines: the first and the last stand in the strip.
    baseline_amount: Decimal = Decimal(0)
    forecast_amount: Decimal = Decimal(0)
    expected_amount: Decimal = Decimal(0)
    count: int = 0


def _sums() -> dict[str, Any]:
    """One pass over the set, each sum in its own currency.

    `value` is R of the domain: what was won, or is forecast. A win-back had lapsed before it was ordered: it counts as
    churn here, as it is in no renewal rate.
    """
    timing = "score__timing_class"
    is_won = Q(outcome=Outcome.RENEWED, **{f"{timing}__in": KEPT_CLASSES})
    is_open = Q(outcome=Outcome.OPEN)
    is_unscored = Q(outcome=Outcome.RENEWED, **{f"{timing}__isnull": True})
    is_lost = Q(outcome=Outcome.LOST) | Q(outcome=Outcome.RENEWED, **{timing: TimingClass.WIN_BACK})
    forecast = Coalesce("forecast_amount", "baseline_amount")
    value = Case(When(is_won, then=F("final_amount")), When(is_open, then=forecast), default=ZERO, output_field=AMOUNT)
    cross_sell = Least(F("cross_sell_amount"), value, output_field=AMOUNT)
    same = ExpressionWrapper(value - cross_sell, AMOUNT)  # on products that were in the contract
    renewal = Least(same, F("baseline_amount"), output_field=AMOUNT)
    upsell = Greatest(same - F("baseline_amount"), ZERO, output_field=AMOUNT)
    missing = ExpressionWrapper(F("baseline_amount") - renewal, AMOUNT)
    crossed = expected_cents("mean_cross_sell_cents")
    open_parts = {
        "upsell": expected_cents("mean_upsell_cents", "mean_cross_sell_cents") - crossed,
        "cross_sell": crossed,
    }
    is_kept = (is_won | is_open) & Q(value__gt=0)
    is_churn = is_lost | ((is_won | is_open) & Q(value=0))
    parts = {"renewal": renewal, "upsell": upsell, "cross_sell": cross_sell}
    found: dict[str, Any] = {
        "row_count": Count("pk"),
        "atr": Sum("baseline_amount"),
        "won": Sum("final_amount", filter=is_won),
        "open": Sum("value", filter=is_open),
        "open_expected": in_units(Sum(expected_cents("mean_cents"), filter=is_open)),
    }
    for name, part in parts.items():
        found[f"{name}_count"] = Count(Case(When(is_kept, then=NullIf(part, ZERO))))
        found[f"{name}_forecast"] = Sum(part, filter=is_kept)
    for name, open_part in open_parts.items():
        found[f"{name}_won"] = Sum(parts[name], filter=is_won)
        found[f"{name}_open_expected"] = in_units(Sum(open_part, filter=is_open))
    found["downsell_count"] = Count(Case(When(is_kept, then=NullIf(missing, ZERO))))
    found["downsell_baseline"] = Sum(missing, filter=is_kept)
    for name, condition in (("churn", is_churn), ("unscored", is_unscored)):
        found[f"{name}_count"] = Count("pk", filter=condition)
        found[f"{name}_baseline"] = Sum("baseline_amount", filter=condition)
    return {"value": value, "sums": found}


def read_parts(rows: RenewalQuerySet, *, as_of: dt.date, reporting_currency: str) -> Parts:
    """Two statements: the rates, and one pass over the set less approved exceptions."""
    rates = read_dated_rates(as_of=as_of, reporting_currency=reporting_currency)
    terms = _sums()
    # Any: the stubs know the rows of `values` by their own type, which no reader of ours names.
    by_currency: Any = (
        rows.filter(is_excluded=False)
        .order_by()
        .alias(value=terms["value"])
        .values("currency")
        .annotate(**terms["sums"])
        .order_by("currency")
    )
    parts, sums, counts = Parts(), defaultdict[str, Decimal](Decimal), defaultdict[str, int](int)
    for record in by_currency:
        parts.currencies.append(_currency_line(record, rates))
        rate = rates.get(record["currency"])
        for name, value in record.items():
            if name.endswith("_count"):
                counts[name] += value
            elif name != "currency" and rate is not None and value is not None:
                sums[name] += to_cents(value, rate.rate)
    parts.count = counts["row_count"]
    parts.baseline_amount = sums["atr"]
    parts.forecast_amount = sums["won"] + sums["open"]
    parts.expected_amount = sums["won"] + sums["open_expected"]
    parts.types = _type_lines(parts, sums, counts)
    return parts


def _currency_line(record: dict[str, Any], rates: dict[str, DatedRate]) -> CurrencyLine:
    currency, amount, rate = record["currency"], record["atr"], rates.get(record["currency"])
    if rate is None:
        return CurrencyLine(currency, record["row_count"], amount, None, None, None)
    return CurrencyLine(
        currency, record["row_count"], amount, to_cents(amount, rate.rate), rate.rate, rate.effective_on
    )


def _type_lines(parts: Parts, sums: dict[str, Decimal], counts: dict[str, int]) -> list[TypeLine]:
    """What is renewed as it was is the rest: each amount is rounded once, and the lines add up all the same."""
    expected = {name: sums[f"{name}_won"] + sums[f"{name}_open_expected"] for name in ("upsell", "cross_sell")}
    lost = {name: sums[f"{name}_baseline"] for name in ("downsell", "churn", "unscored")}
    more = ("upsell", "cross_sell")
    lines = [
        TypeLine(
            "Renewal",
            counts["renewal_count"],
            parts.baseline_amount - sum(lost.values()),
            parts.forecast_amount - sum(sums[f"{name}_forecast"] for name in more),
            parts.expected_amount - sum(expected.values()),
            "Up to the baseline: won, and of the open ones as forecast",
        )
    ]
    for name, label in zip(more, ("Upsell", "Cross-sell"), strict=True):
        amounts = sums[f"{name}_forecast"], expected[name]
        lines.append(TypeLine(label, counts[f"{name}_count"], None, *amounts, meaning=MEANINGS[name]))
    for name, label in (("downsell", "Downsell"), ("churn", "Churn"), ("unscored", "Not scored yet")):
        if name != "unscored" or counts["unscored_count"]:
            lines.append(TypeLine(label, counts[f"{name}_count"], lost[name], meaning=MEANINGS[name]))
    return lines
