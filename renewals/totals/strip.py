"""Six totals over the whole filtered set, in the reporting currency. Formulas: docs/domain.md section 4.3."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, Q, Sum
from django.db.models.functions import Cast, Least

from accounts.exchange import read_rates
from accounts.strip import Total
from accounts.templatetags.money import compact_money, exact_rate, money, percent
from renewals.models import Renewal, RenewalQuerySet, TimingClass
from renewals.models.scores import HIGH_RISK_FROM, expected_cents
from renewals.quality.trust import BROKEN, score

LABELS = ("Available to renew", "Won", "Expected", "Gross renewal rate", "On time", "Trust in the data")

Outcome = Renewal.Outcome
KEPT_CLASSES = (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE)  # a win-back had lapsed: not a renewal
AMOUNT = DecimalField(max_digits=20, decimal_places=2)
CENT = Decimal("0.01")


@dataclass
class Totals:
    """Sums in the reporting currency over the filtered set less approved exceptions; counts of renewals.

    The two rates are over the part of the set that is due on or before the day, and None where that is nothing or where
    nothing in it is decided.
    """

    count: int = 0  # every row that matches, exceptions among them
    excluded_count: int = 0
    unscored_count: int = 0
    open_count: int = 0
    atr_amount: Decimal = Decimal(0)
    won_amount: Decimal = Decimal(0)
    won_count: int = 0
    open_expected_amount: Decimal = Decimal(0)
    due_amount: Decimal = Decimal(0)
    kept_amount: Decimal = Decimal(0)
    kept_on_time_amount: Decimal = Decimal(0)
    decided_count: int = 0
    late_count: int = 0
    early_count: int = 0
    at_risk_amount: Decimal = Decimal(0)
    at_risk_count: int = 0
    # Of what is available to renew, on rows that break a data rule that is a warning or an error.
    broken_amount: Decimal = Decimal(0)
    broken_count: int = 0
    atr_by_currency: dict[str, Decimal] = field(default_factory=dict)
    # Rows in a currency that has no rate: they are in the counts and in no amount.
    without_rate: dict[str, int] = field(default_factory=dict)

    @property
    def expected_amount(self) -> Decimal:
        return self.won_amount + self.open_expected_amount

    @property
    def gross_rate(self) -> Decimal | None:
        return self._rate(self.kept_amount)

    @property
    def on_time_rate(self) -> Decimal | None:
        return self._rate(self.kept_on_time_amount)

    @property
    def trust_rate(self) -> Decimal | None:
        return 1 - self.broken_amount / self.atr_amount if self.atr_amount else None

    def _rate(self, part: Decimal) -> Decimal | None:
        return part / self.due_amount if self.due_amount and self.decided_count else None


def _sums(as_of: dt.date) -> dict[str, Any]:
    """One pass over the set; each sum is in its own currency."""
    timing = "score__timing_class"
    counted, due = Q(is_excluded=False), Q(is_excluded=False, due_on__lte=as_of)
    kept = Q(**{f"{timing}__in": KEPT_CLASSES})
    is_open = counted & Q(outcome=Outcome.OPEN)
    at_risk = is_open & (Q(score__risk_score__gte=HIGH_RISK_FROM) | Q(**{timing: TimingClass.OVERDUE}))
    kept_part = Least("final_amount", "baseline_amount")
    return {
        "row_count": Count("pk"),
        "excluded_count": Count("pk", filter=~counted),
        "unscored_count": Count("pk", filter=counted & Q(**{f"{timing}__isnull": True})),
        "open_count": Count("pk", filter=is_open),
        "atr_amount": Sum("baseline_amount", filter=counted),
        "won_amount": Sum("final_amount", filter=counted & kept),
        "won_count": Count("pk", filter=counted & kept),
        "open_expected_amount": in_units(Sum(expected_cents("mean_cents"), filter=is_open)),
        "due_amount": Sum("baseline_amount", filter=due),
        "kept_amount": Sum(kept_part, filter=due & kept, output_field=AMOUNT),
        "kept_on_time_amount": Sum(
            kept_part, filter=due & kept & ~Q(**{timing: TimingClass.LATE}), output_field=AMOUNT
        ),
        "decided_count": Count("pk", filter=due & ~Q(outcome=Outcome.OPEN)),
        "late_count": Count("pk", filter=due & Q(**{timing: TimingClass.LATE})),
        "early_count": Count("pk", filter=due & Q(**{timing: TimingClass.EARLY})),
        "at_risk_amount": Sum("baseline_amount", filter=at_risk),
        "at_risk_count": Count("pk", filter=at_risk),
        "broken_amount": Sum("baseline_amount", filter=counted & BROKEN),
        "broken_count": Count("pk", filter=counted & BROKEN),
    }


def read_totals(rows: RenewalQuerySet, *, as_of: dt.date, reporting_currency: str) -> Totals:
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    by_currency: Iterable[dict[str, Any]] = (
        rows.order_by().values("currency").annotate(**_sums(as_of)).order_by("currency")  # type: ignore[assignment]
    )
    totals, sums = Totals(), defaultdict[str, Decimal](Decimal)
    for record in by_currency:
        currency, row_count = record.pop("currency"), record.pop("row_count")
        rate = rates.get(currency)
        totals.count += row_count
        if rate is None:
            totals.without_rate[currency] = row_count
        else:
            totals.atr_by_currency[currency] = record["atr_amount"] or Decimal(0)
        for name, value in record.items():
            if name.endswith("_count"):
                setattr(totals, name, getattr(totals, name) + value)
            elif rate is not None and value is not None:
                sums[name] += to_cents(value, rate)
    for name, amount in sums.items():
        setattr(totals, name, amount)
    return totals


def in_units(cents: Sum) -> Any:
    """A sum of cents as an amount."""
    return Cast(cents, AMOUNT) / 100


def to_cents(amount: Decimal | float, rate: Decimal) -> Decimal:
    """A sum of one currency in the reporting currency: rounded here, so that what each currency shows adds up."""
    return (Decimal(amount) * rate).quantize(CENT)


def describe(totals: Totals, currency: str) -> list[Total]:
    """The strip in words and numbers. A rate of nothing is a dash, never 0 %."""
    return [Total(label, *text) for label, text in zip(LABELS, _texts(totals, currency), strict=True)]


def _texts(totals: Totals, currency: str) -> list[tuple[str, str, str]]:
    """Value, qualifier and title of each field."""

    def compact(amount: Decimal) -> str:
        return compact_money(amount, currency)

    due = f"of {compact(totals.due_amount)} due" if totals.due_amount else "none due yet"
    if totals.due_amount and not totals.decided_count:
        due = "none decided"
    mix = f"{totals.late_count:,} late · {totals.early_count:,} early" if totals.on_time_rate is not None else due
    won = percent(totals.won_amount / totals.atr_amount) if totals.atr_amount else ""
    baselines = "; ".join(money(amount, code) for code, amount in totals.atr_by_currency.items())
    at_risk = f"{compact(totals.at_risk_amount)} of it at risk: {totals.at_risk_count:,} open, of high risk or overdue"
    broken = f"{compact(totals.broken_amount)} break a rule" if totals.broken_count else "nothing breaks a rule"
    of_due = f"baseline of what was due by today ({due})"
    return [
        (compact(totals.atr_amount), f"{totals.count - totals.excluded_count:,}", f"Baselines: {baselines}"),
        (compact(totals.won_amount), won, f"{totals.won_count:,} renewed, {won} of what is available to renew"),
        (
            compact(totals.expected_amount),
            f"{totals.open_count:,} open",
            f"Won, and of the open ones the probability times what each brings on average if it is renewed: the rep’s "
            f"forecast and what such renewals have come to, within the uplift cap. {at_risk}",
        ),
        (exact_rate(totals.gross_rate), due, f"Renewed, up to the baseline / {of_due}"),
        (exact_rate(totals.on_time_rate), mix, f"Renewed early or on time, up to the baseline / {of_due}; {mix}"),
        (
            score(totals.trust_rate),
            broken,
            f"Of 100: the share of the baseline on rows that break no data rule; {totals.broken_count:,} break one",
        ),
    ]


def notes(totals: Totals, currency: str) -> list[str]:
    """What the amounts leave out, by name."""
    said = [
        f"{count:,} in {code}: in the count, in no amount. {code} has no exchange rate into {currency}."
        for code, count in totals.without_rate.items()
    ]
    if totals.excluded_count:
        count = totals.excluded_count
        one_or_more = "1 approved exception is" if count == 1 else f"{count:,} approved exceptions are"
        said.append(f"{one_or_more} left out of the totals.")
    if totals.unscored_count:
        said.append(f"{totals.unscored_count:,} are not scored yet: in no rate and in no expectation.")
    return said
