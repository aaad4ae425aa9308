"""What is open and at risk, live from the rows: the next 90 days by week and risk band, and what is past due."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, F, Sum, Value, When
from django.db.models.functions import Cast, TruncWeek

from accounts.exchange import read_rates
from accounts.models import Company, User
from forecasting.scopes.lines import rows_of
from forecasting.scopes.scope import Scope
from renewals.models import Renewal, RenewalQuerySet, TimingClass
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM

WINDOW_DAYS = 90
LARGEST_SHOWN = 8
BANDS = ("high", "medium", "low", "unscored")


@dataclass(frozen=True)
class Open:
    """Open renewals: how many, and their baseline in the reporting currency."""

    count: int = 0
    amount: Decimal = Decimal(0)

    def __add__(self, other: Open) -> Open:
        return Open(self.count + other.count, self.amount + other.amount)


@dataclass(frozen=True)
class RiskWeek:
    """A calendar week, cut to the window at its ends."""

    starts_on: dt.date
    ends_on: dt.date
    bands: Mapping[str, Open]


@dataclass(frozen=True)
class RiskyRow:
    """An open renewal: its baseline in the reporting currency, the part expected to go, and where it is worked."""

    renewal: Renewal
    amount: Decimal
    loss_amount: Decimal
    rows_url: str


@dataclass(frozen=True)
class AtRisk:
    first_on: dt.date
    last_on: dt.date
    weeks: list[RiskWeek]
    past_due: Open
    largest: list[RiskyRow] = field(default_factory=list)
    currencies_without_rate: tuple[str, ...] = ()

    def total(self, *bands: str) -> Open:
        return sum((week.bands.get(band, Open()) for week in self.weeks for band in bands), Open())


def read_at_risk(user: User, scope: Scope, company: Company, *, today: dt.date) -> AtRisk:
    """The window from today on, the renewals in it with the most to lose, and all that is overdue."""
    window = read_window(user, scope, company, today=today)
    overdue = list(
        window.counted.filter(score__timing_class=TimingClass.OVERDUE)
        .values("currency")
        .annotate(count=Count("pk"), amount=Sum("baseline_amount"))
        .order_by()
    )
    return AtRisk(
        window.first_on,
        window.last_on,
        window.weeks,
        sum((_in_reporting_currency(row, window.rates) for row in overdue), Open()),
        _largest(scope, window.rows, window.rates),
        tuple(sorted({row["currency"] for row in [*window.sums, *overdue]} - set(window.rates))),
    )


@dataclass(frozen=True)
class Window:
    """What is open and due in the 90 days from a day on, added up by week, band and currency."""

    first_on: dt.date
    last_on: dt.date
    rates: Mapping[str, Decimal]
    counted: RenewalQuerySet  # of any day and outcome
    rows: RenewalQuerySet
    sums: list[Any]

    @property
    def weeks(self) -> list[RiskWeek]:
        return _weeks(self.sums, self.rates, self.first_on, self.last_on)


def read_window(user: User, scope: Scope, company: Company, *, today: dt.date) -> Window:
    last_on = today + dt.timedelta(days=WINDOW_DAYS)
    rates = read_rates(as_of=today, reporting_currency=company.reporting_currency)
    counted = rows_of(user, scope).filter(is_excluded=False)
    rows = counted.open().due_between(today, last_on)
    sums = (
        rows.values("currency", week=TruncWeek("due_on"), band=_band())
        .annotate(count=Count("pk"), amount=Sum("baseline_amount"))
        .order_by()
    )
    return Window(today, last_on, rates, counted, rows, list(sums))


def _band() -> Case:
    return Case(
        When(score__risk_score__gte=HIGH_RISK_FROM, then=Value("high")),
        When(score__risk_score__gte=MEDIUM_RISK_FROM, then=Value("medium")),
        When(score__risk_score__gte=0, then=Value("low")),
        default=Value("unscored"),
    )


def _weeks(
    sums: Iterable[Mapping[str, Any]], rates: Mapping[str, Decimal], first_on: dt.date, last_on: dt.date
) -> list[RiskWeek]:
    by_week: dict[dt.date, dict[str, Open]] = defaultdict(lambda: defaultdict(Open))
    for row in sums:
        by_week[row["week"]][row["band"]] += _in_reporting_currency(row, rates)
    monday = first_on - dt.timedelta(days=first_on.weekday())
    mondays = [monday + dt.timedelta(weeks=week) for week in range((last_on - monday).days // 7 + 1)]
    return [
        RiskWeek(max(start, first_on), min(start + dt.timedelta(days=6), last_on), dict(by_week[start]))
        for start in mondays
    ]


def _in_reporting_currency(row: Mapping[str, Any], rates: Mapping[str, Decimal]) -> Open:
    """Counted, but without an amount, where its currency has no rate; the page names such currencies."""
    return Open(row["count"], (row["amount"] * rates.get(row["currency"], Decimal(0))).quantize(Decimal("0.01")))


def _largest(scope: Scope, window: RenewalQuerySet, rates: Mapping[str, Decimal]) -> list[RiskyRow]:
    """The renewals with the most to lose: baseline times the probability that it does not renew."""
    factor = Case(
        *(When(currency=currency, then=Value(rate)) for currency, rate in rates.items()),
        default=Value(Decimal(0)),
        output_field=DecimalField(max_digits=18, decimal_places=8),
    )
    lapse = Cast(1 - F("score__probability"), DecimalField(max_digits=7, decimal_places=6))
    rows = (
        window.annotate(amount=F("baseline_amount") * factor)
        .annotate(loss_amount=F("amount") * lapse)
        .filter(loss_amount__gt=0)
        .select_related("account", "owner", "score")
        .order_by("-loss_amount", "pk")[:LARGEST_SHOWN]
    )
    return [
        RiskyRow(
            row,
            row.amount,  # type: ignore[attr-defined]  # annotated above
            row.loss_amount,  # type: ignore[attr-defined]
            scope.rows_url(account=row.account_id, due_from=row.due_on, due_to=row.due_on),
        )
        for row in rows
    ]
