"""The payments of one account: its habit of paying late, and the default probability that forecasts reckon with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from statistics import mean, median

from django.db import connection
from django.db.models import DecimalField, Sum, Value

from accounts.exchange import read_rates
from accounts.models import Account, Invoice, User
from engagement.plans.rates import default_rates_of
from forecasting.engine.payments import PaymentTerms
from forecasting.frames.payments import read_payment_terms
from renewals.models import Renewal, RiskFactor
from renewals.models.scores import expected_cents

PAYMENT_FACTOR = "payment_behaviour"
INVOICES_READ = 1000
INVOICES_SHOWN = 50
CENT = Decimal("0.01")


@dataclass(frozen=True)
class InvoiceRow:
    """`late_days` of a settled invoice, 0 where it was early; of one that is open and past due, until today."""

    invoice: Invoice
    late_days: int
    is_overdue: bool


@dataclass(frozen=True)
class Payments:
    """Days are those of the newest 1,000 invoices; amounts are in the reporting currency."""

    rows: list[InvoiceRow]
    invoice_count: int
    settled_count: int
    late_count: int
    mean_late_days: float | None
    median_late_days: float | None
    overdue_amount: Decimal
    overdue_count: int
    disputed_count: int
    default_rate: Decimal  # 0 to 1
    terms: PaymentTerms
    open_amount: Decimal
    expected_amount: Decimal  # what of the open renewals is expected to be booked
    risk_points: float | None  # what payments add to the risk score of the riskiest open renewal by them
    without_rate: list[str]

    @property
    def collected_amount(self) -> Decimal:
        """Baseline of the open renewals, less what is expected not to be paid were all of it booked."""
        return (self.open_amount * (1 - self.default_rate)).quantize(CENT)

    @property
    def expected_collected_amount(self) -> Decimal:
        return (self.expected_amount * (1 - self.default_rate)).quantize(CENT)

    @property
    def lost_amount(self) -> Decimal:
        return self.expected_amount - self.expected_collected_amount


def read_default_rate(account: Account, *, as_of: dt.date) -> Decimal:
    """The probability that what is booked is not paid, of the newest value of each signal, as a run reckons it."""
    with connection.cursor() as cursor:
        rate = default_rates_of(cursor, [account.pk], as_of=as_of)[account.pk]
    return Decimal(str(round(rate, 4)))


def read_risk_points(account: Account, user: User) -> float | None:
    """None where payments are no part of the score of any open renewal: nothing is known of them, or they weigh 0."""
    position = RiskFactor.objects.filter(key=PAYMENT_FACTOR).values_list("position", flat=True).first()
    if position is None:
        return None
    mine = Renewal.objects.visible_to(user).open().filter(account=account, score__isnull=False).order_by()
    shares = mine.values_list("score__contributions", flat=True)
    known = [share[position] for share in shares if len(share) > position and share[position] >= 0]
    return max(known) / 100 if known else None


def read_payments(account: Account, user: User, *, as_of: dt.date) -> Payments:
    rates, missing = read_rates(as_of=as_of), set[str]()

    def converted(amount: Decimal, currency: str) -> Decimal:
        if currency not in rates:
            missing.add(currency)
        return (amount * rates.get(currency, Decimal(0))).quantize(CENT)

    invoices = Invoice.objects.visible_to(user).filter(account=account)
    rows = [_row(invoice, as_of) for invoice in invoices.order_by("-due_on", "-pk")[:INVOICES_READ]]
    settled = [row.late_days for row in rows if row.invoice.settled_on]
    overdue = [row.invoice for row in rows if row.is_overdue]
    mine = Renewal.objects.visible_to(user).open().filter(account=account, is_excluded=False).order_by()
    expected = Sum(expected_cents("mean_cents"), default=0, output_field=DecimalField()) / Value(Decimal(100))
    sums = list(mine.values_list("currency").annotate(baseline=Sum("baseline_amount"), expected=expected))
    return Payments(
        rows=rows[:INVOICES_SHOWN],
        invoice_count=len(rows) if len(rows) < INVOICES_READ else invoices.count(),
        settled_count=len(settled),
        late_count=sum(days > 0 for days in settled),
        mean_late_days=mean(settled) if settled else None,
        median_late_days=median(settled) if settled else None,
        overdue_amount=sum((converted(one.amount, one.currency) for one in overdue), Decimal(0)),
        overdue_count=len(overdue),
        disputed_count=sum(row.invoice.is_disputed for row in rows),
        default_rate=read_default_rate(account, as_of=as_of),
        terms=read_payment_terms(),
        open_amount=sum((converted(amount, currency) for currency, amount, _ in sums), Decimal(0)),
        expected_amount=sum((converted(amount, currency) for currency, _, amount in sums), Decimal(0)),
        risk_points=read_risk_points(account, user),
        without_rate=sorted(missing),
    )


def _row(invoice: Invoice, as_of: dt.date) -> InvoiceRow:
    is_overdue = invoice.settled_on is None and invoice.due_on < as_of
    late = (invoice.settled_on or as_of) - invoice.due_on
    return InvoiceRow(invoice, max(late.days, 0), is_overdue)
