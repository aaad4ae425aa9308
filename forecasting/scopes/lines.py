"""The lines of a scope: stored ones as the last run published them, others computed from the stored scores."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import DecimalField, F, Q, Sum
from django.db.models.functions import Greatest, Least, TruncMonth

from accounts.exchange import read_rates
from accounts.models import Company, User
from forecasting.frames import current_rules, read_line_rows, read_reporting
from forecasting.lines import AMOUNTS, COUNTS, compute_lines
from forecasting.models import ForecastLine, Run
from forecasting.periods import Grain, Period, first_day, period_of
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import sliced, within
from renewals.models import Renewal, RenewalQuerySet, TimingClass

AMOUNT = DecimalField(max_digits=20, decimal_places=2)
KEPT = (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE)  # a win-back is no renewal


@dataclass(frozen=True)
class Credit:
    """What counts as renewed in a period under an attribution: sums of min(R, B), of R, and of min(R, B) in time."""

    kept_amount: Decimal = Decimal(0)
    renewed_amount: Decimal = Decimal(0)
    kept_in_time_amount: Decimal = Decimal(0)

    def __add__(self, other: Credit) -> Credit:
        return Credit(
            self.kept_amount + other.kept_amount,
            self.renewed_amount + other.renewed_amount,
            self.kept_in_time_amount + other.kept_in_time_amount,
        )

    def converted(self, rate: Decimal) -> Credit:
        return Credit(self.kept_amount * rate, self.renewed_amount * rate, self.kept_in_time_amount * rate)


def rows_of(user: User, scope: Scope) -> RenewalQuerySet:
    """The renewals that a scope is about, of those that the reader sees."""
    rows = Renewal.objects.visible_to(user)
    if scope.owner:
        rows = rows.filter(owner=scope.owner)
    elif scope.team:
        rows = rows.filter(owner__team=scope.team)
    rows = rows.filter(account__segment=scope.segment) if scope.segment else rows
    return rows.filter(sliced(scope.slice)) if scope.slice else rows


def read_lines(scope: Scope, starts: Sequence[dt.date]) -> dict[dt.date, ForecastLine]:
    """By the first day of the period; a period in which nothing is due has none."""
    if scope.slice or (scope.owner and scope.segment):  # what no run stores
        return _compute_lines(scope)
    lines = ForecastLine.objects.filter(grain=scope.grain, starts_on__in=starts, **scope.line_key)
    return {line.starts_on: line for line in lines}


def _compute_lines(scope: Scope) -> dict[dt.date, ForecastLine]:
    run = Run.objects.latest_published()
    if run is None:
        return {}
    report = read_reporting(as_of=run.as_of_on)
    condition, parameters = within(scope)
    with connection.cursor() as cursor:
        rules = current_rules()
        rows, _ = read_line_rows(cursor, rules, report, condition, parameters)
    lines = compute_lines(rows, report, shock=rules.outlook.shock, with_scopes=False)
    wanted = 1 if scope.grain == Grain.QUARTER else 0
    return {
        first_day(int(lines["month"][at])): ForecastLine(
            grain=scope.grain,
            starts_on=first_day(int(lines["month"][at])),
            **{name: int(lines[name][at]) for name in COUNTS},
            **{name: Decimal(int(lines[name][at])) / 100 for name in AMOUNTS},
        )
        for at in (lines["grain"] == wanted).nonzero()[0]
    }


def credit_of_line(line: ForecastLine) -> Credit:
    """By due period: what the cohort itself renewed."""
    return Credit(line.won_baseline_amount, line.won_amount, line.early_amount + line.on_time_amount)


def read_credits(
    rows: RenewalQuerySet, company: Company, periods: Sequence[Period], *, today: dt.date
) -> dict[dt.date, Credit]:
    """By order period, or hybrid, where early ones are held to their due period; one pass over the renewed rows."""
    rates = read_rates(as_of=today, reporting_currency=company.reporting_currency)
    is_hybrid = company.attribution == Company.Attribution.HYBRID
    day: F | Greatest = Greatest("due_on", "ordered_on") if is_hybrid else F("ordered_on")
    kept = Least("final_amount", "baseline_amount")
    in_time = Q(score__timing_class__in=(TimingClass.EARLY, TimingClass.ON_TIME))
    sums = (
        rows.filter(is_excluded=False, score__timing_class__in=KEPT)
        .alias(credited_on=day)
        .filter(credited_on__gte=periods[0].starts_on, credited_on__lte=periods[-1].ends_on)
        .values("currency", month=TruncMonth("credited_on"))
        .annotate(
            kept_amount=Sum(kept, output_field=AMOUNT),
            renewed_amount=Sum("final_amount"),
            kept_in_time_amount=Sum(kept, filter=in_time, output_field=AMOUNT, default=Decimal(0)),
        )
        .order_by()
    )
    credits: dict[dt.date, Credit] = defaultdict(Credit)
    for record in sums:
        start = period_of(periods[0].grain, record["month"], company.fiscal_year_start_month).starts_on
        own = Credit(record["kept_amount"], record["renewed_amount"], record["kept_in_time_amount"])
        # Without a rate an amount is in no total, as in the lines; the page names the currency.
        credits[start] += own.converted(rates.get(record["currency"], Decimal(0)))
    return credits
