"""How much has to be decided by when, in the reporting currency; and the same by day for a month."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum

from accounts.exchange import read_rates
from accounts.templatetags.money import compact_money
from renewals.models import RenewalQuerySet
from renewals.models.scores import HIGH_RISK_FROM

CENT = Decimal("0.01")
LABELS = ("Past the day", "Next 7 days", "Next 30 days", "Next 60 days", "Next 90 days", "High risk in 90 days")


@dataclass
class Pile:
    """Renewals counted, and their baseline in the reporting currency."""

    count: int = 0
    amount: Decimal = Decimal(0)


@dataclass
class Sums:
    """Count and baseline under each key; rows without an exchange rate are counted, and named by currency."""

    by_key: defaultdict[Any, Pile] = field(default_factory=lambda: defaultdict(Pile))
    without_rate: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def notes(self) -> list[str]:
        return [f"{count:,} in {code}: in the count, in no amount." for code, count in self.without_rate.items()]


def _buckets(as_of: dt.date) -> dict[str, Q]:
    def within(days: int) -> Q:
        return Q(decision_on__gte=as_of, decision_on__lte=as_of + dt.timedelta(days=days))

    past, soon = Q(decision_on__lt=as_of), [within(days) for days in (7, 30, 60, 90)]
    return dict(zip(LABELS, [past, *soon, soon[-1] & Q(score__risk_score__gte=HIGH_RISK_FROM)], strict=True))


def sum_by_horizon(rows: RenewalQuerySet, *, as_of: dt.date, reporting_currency: str) -> Sums:
    """One pass over what is due within 90 days and what is past."""
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    buckets = _buckets(as_of)
    annotations: dict[str, Any] = {}
    for number, where in enumerate(buckets.values()):
        annotations[f"count_{number}"] = Count("pk", filter=where)
        annotations[f"amount_{number}"] = Sum("baseline_amount", filter=where)
    last_on = as_of + dt.timedelta(days=90)
    records: Iterable[dict[str, Any]] = (
        rows.filter(decision_on__lte=last_on).order_by().values("currency").annotate(**annotations)  # type: ignore[assignment]
    )
    sums = Sums()
    for record in records:
        rate = rates.get(record["currency"])
        for number, label in enumerate(buckets):
            _add(sums.by_key[label], record[f"count_{number}"], record[f"amount_{number}"], rate)
        if rate is None:
            sums.without_rate[record["currency"]] = record["count_0"] + record["count_4"]
    return sums


def describe(sums: Sums, currency: str) -> list[dict[str, str]]:
    return [
        {
            "label": label,
            "value": compact_money(sums.by_key[label].amount, currency),
            "qualifier": f"{sums.by_key[label].count:,}",
            "title": f"Baseline of {sums.by_key[label].count:,} renewals",
        }
        for label in LABELS
    ]


@dataclass(frozen=True)
class Day:
    on: dt.date
    is_in_month: bool
    is_today: bool
    is_past: bool
    count: int
    amount: Decimal


@dataclass(frozen=True)
class Month:
    weeks: list[list[Day]]
    count: int
    amount: Decimal
    notes: list[str]


def sum_by_day(rows: RenewalQuerySet, month_on: dt.date, *, as_of: dt.date, reporting_currency: str) -> Month:
    """The weeks that a month touches, Monday first, with what has to be decided on each day."""
    weeks = calendar.Calendar().monthdatescalendar(month_on.year, month_on.month)
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    records = (
        rows.filter(decision_on__gte=weeks[0][0], decision_on__lte=weeks[-1][-1])
        .order_by()
        .values_list("decision_on", "currency")
        .annotate(Count("pk"), Sum("baseline_amount"))
    )
    sums = Sums()
    for on, currency, count, amount in records:
        rate = rates.get(currency)
        _add(sums.by_key[on], count, amount, rate)
        if rate is None:
            sums.without_rate[currency] += count
    days = [[_day(on, month_on, as_of, sums.by_key[on]) for on in week] for week in weeks]
    inside = [day for week in days for day in week if day.is_in_month]
    return Month(days, sum(day.count for day in inside), sum((day.amount for day in inside), Decimal(0)), sums.notes)


def _day(on: dt.date, month_on: dt.date, as_of: dt.date, total: Pile) -> Day:
    return Day(
        on=on,
        is_in_month=(on.year, on.month) == (month_on.year, month_on.month),
        is_today=on == as_of,
        is_past=on < as_of,
        count=total.count,
        amount=total.amount,
    )


def _add(total: Pile, count: int, amount: Decimal | None, rate: Decimal | None) -> None:
    total.count += count
    if rate is not None and amount is not None:
        total.amount = total.amount + (amount * rate).quantize(CENT)
