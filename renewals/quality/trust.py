"""How much of a set of renewals can be trusted: the share of its baseline on rows that break no rule that matters."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, Q, Sum

from accounts.exchange import read_rates
from renewals.models import RenewalQuerySet
from renewals.models.quality import DataRule

# What counts against trust: a warning or an error. A row that breaks nothing has no quality row.
BROKEN = Q(quality__worst_severity__gte=DataRule.Severity.WARNING)
CENT = Decimal("0.01")


@dataclass
class Trust:
    """Amounts in the reporting currency, less approved exceptions; `without_rate` rows are in no amount."""

    row_count: int = 0
    broken_count: int = 0
    baseline_amount: Decimal = Decimal(0)
    broken_amount: Decimal = Decimal(0)
    without_rate: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> Decimal | None:
        """0 to 1; None where there is no baseline to trust."""
        return 1 - self.broken_amount / self.baseline_amount if self.baseline_amount else None


def trust(rows: RenewalQuerySet, *, as_of: dt.date, reporting_currency: str) -> Trust:
    """One aggregate over the set."""
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    sums = (
        rows.filter(is_excluded=False)
        .order_by()
        .values("currency")
        .annotate(
            row_count=Count("pk"),
            broken_count=Count("pk", filter=BROKEN),
            baseline=Sum("baseline_amount"),
            broken=Sum("baseline_amount", filter=BROKEN, default=Decimal(0)),
        )
        .order_by("currency")
    )
    found = Trust()
    for record in sums:
        found.row_count += record["row_count"]
        found.broken_count += record["broken_count"]
        rate = rates.get(record["currency"])
        if rate is None:
            found.without_rate[record["currency"]] = record["row_count"]
            continue
        found.baseline_amount += record["baseline"] * rate
        found.broken_amount += record["broken"] * rate
    found.baseline_amount = found.baseline_amount.quantize(CENT)
    found.broken_amount = found.broken_amount.quantize(CENT)
    return found


def score(rate: Decimal | None) -> str:
    """A trust rate as people read it: 94 of 100, and 100 only where nothing is broken; a dash where there is none."""
    return "–" if rate is None else str(int(rate * 100))
