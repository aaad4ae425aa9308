"""Payments in total: what of the forecast will be collected, and the accounts whose payments are in trouble."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from django.db import connection
from django.db.models import Avg, Count, DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Greatest

from accounts.exchange import read_rates
from accounts.models import Account, Company, Invoice, User
from engagement.plans.rates import default_rates_of
from forecasting.overview.dashboard import read_periods
from forecasting.scopes.scope import get_scope
from renewals.models import Renewal
from renewals.models.scores import expected_cents

READ_DAYS = 365
SHOWN_ROWS = 100
CENT = Decimal("0.01")
LATE_DAYS = F("settled_on") - F("due_on")


@dataclass
class Trouble:
    """Invoices of an account of the last year. Amounts in the reporting currency: `overdue_amount` is past due today,
    `expected_amount` what its open renewals are expected to bring, `collected_amount` what of that will be paid."""

    account: Account
    late_days: float | None  # mean of the settled ones, an early one counts 0
    settled_count: int
    failed_count: int
    disputed_count: int
    charged_back_count: int
    overdue_count: int
    overdue_amount: Decimal = Decimal(0)
    expected_amount: Decimal = Decimal(0)
    default_rate: Decimal = Decimal(0)
    without_rate: set[str] = field(default_factory=set)

    @property
    def collected_amount(self) -> Decimal:
        return (self.expected_amount * (1 - self.default_rate)).quantize(CENT)

    @property
    def lost_amount(self) -> Decimal:
        return self.expected_amount - self.collected_amount


@dataclass(frozen=True)
class Collected:
    """Of the forecast's present quarter and those to come: what is expected to be booked, and to be paid."""

    expected_amount: Decimal
    collected_amount: Decimal
    period_count: int

    @property
    def lost_amount(self) -> Decimal:
        return self.expected_amount - self.collected_amount


def read_collected(user: User, company: Company, *, today: dt.date) -> Collected:
    """The reader's own scope, of the lines that the last run published: the sums of the forecast page."""
    periods = read_periods(user, get_scope(user, {}), company, today=today)
    lines = [period.line for period in periods if not period.is_over]
    return Collected(
        sum((line.expected_amount for line in lines), Decimal(0)),
        sum((line.collected_amount for line in lines), Decimal(0)),
        len(lines),
    )


def read_troubles(user: User, *, as_of: dt.date) -> list[Trouble]:
    """Accounts with an invoice that is overdue, failed, disputed or charged back; the most that will not be paid first.

    Five statements, whatever the book.
    """
    overdue = Q(settled_on__isnull=True, due_on__lt=as_of)
    invoices = Invoice.objects.visible_to(user).filter(due_on__gt=as_of - dt.timedelta(READ_DAYS)).order_by()
    day = Greatest(LATE_DAYS, Value(dt.timedelta(0)))
    records = invoices.values("account").annotate(
        late=Avg(day, filter=Q(settled_on__isnull=False)),
        settled_count=Count("settled_on"),
        failed_count=Count("pk", filter=Q(has_failed=True)),
        disputed_count=Count("pk", filter=Q(is_disputed=True)),
        charged_back_count=Count("pk", filter=Q(is_charged_back=True)),
        overdue_count=Count("pk", filter=overdue),
    )
    in_trouble = Q(failed_count__gt=0) | Q(disputed_count__gt=0) | Q(charged_back_count__gt=0) | Q(overdue_count__gt=0)
    found: dict[int, dict[str, Any]] = {
        record.pop("account"): record for record in cast(Iterable[dict[str, Any]], records.filter(in_trouble))
    }
    accounts = Account.objects.select_related("owner", "segment").in_bulk(found)
    rows = {}
    for pk, record in found.items():
        late = record.pop("late")
        rows[pk] = Trouble(accounts[pk], None if late is None else late / dt.timedelta(days=1), **record)
    _add_amounts(rows, user, as_of)
    return sorted(rows.values(), key=lambda row: (-row.lost_amount, -row.overdue_amount, row.account.pk))


def _add_amounts(rows: dict[int, Trouble], user: User, as_of: dt.date) -> None:
    rates = read_rates(as_of=as_of)
    overdue = Invoice.objects.visible_to(user).filter(
        due_on__gt=as_of - dt.timedelta(READ_DAYS), settled_on__isnull=True, due_on__lt=as_of
    )
    renewals = Renewal.objects.visible_to(user).open().filter(account__in=list(rows), is_excluded=False).order_by()
    expected = Sum(expected_cents("mean_cents"), default=0, output_field=DecimalField()) / Value(Decimal(100))
    sums: list[tuple[str, QuerySet[Any, Any]]] = [
        ("overdue_amount", overdue.order_by().values_list("account", "currency").annotate(total=Sum("amount"))),
        ("expected_amount", renewals.values_list("account", "currency").annotate(total=expected)),
    ]
    totals: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for name, records in sums:
        for pk, currency, amount in records:
            if pk not in rows:
                continue
            if currency in rates:
                totals[name, pk] += (amount * rates[currency]).quantize(CENT)
            else:
                rows[pk].without_rate.add(currency)
    for (name, pk), amount in totals.items():
        setattr(rows[pk], name, amount)
    with connection.cursor() as cursor:
        for pk, rate in default_rates_of(cursor, list(rows), as_of=as_of).items():
            rows[pk].default_rate = Decimal(str(round(rate, 4)))
