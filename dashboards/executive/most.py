"""The open renewals that matter most this week."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Case, DateField, DecimalField, DurationField, ExpressionWrapper, F, FloatField, Value, When
from django.db.models.functions import Cast, Extract, Greatest

from accounts.exchange import read_rates
from dashboards.frame import Frame
from forecasting.scopes.lines import rows_of
from renewals.models import Renewal, TimingClass

SHOWN: Final = 5
AHEAD_DAYS: Final = 90
WEEK_SECONDS: Final = 7 * 86_400.0


@dataclass(frozen=True)
class Important:
    """`stake_amount` in the reporting currency; `days` from today to the decision, 0 where its day has come."""

    renewal: Renewal
    stake_amount: Decimal
    days: int


def read_most_important(frame: Frame, today: dt.date) -> list[Important]:
    """Value at stake times nearness, the largest first, of what is due within 90 days or open past its due day.

    stake = baseline x (1 - probability)        nearness = 1 / (1 + weeks until the decision)
    """
    rates = read_rates(as_of=today, reporting_currency=frame.currency)
    rate = Case(
        *(When(currency=currency, then=Value(rate)) for currency, rate in rates.items()),
        default=Value(Decimal(0)),
        output_field=DecimalField(max_digits=18, decimal_places=8),
    )
    ahead = ExpressionWrapper(F("decision_on") - Value(today, DateField()), DurationField())
    weeks = Greatest(Cast(Extract(ahead, "epoch"), FloatField()) / WEEK_SECONDS, Value(0.0))
    rows = (
        rows_of(frame.user, frame.scope)
        .open()
        .filter(
            is_excluded=False,
            due_on__lte=today + dt.timedelta(days=AHEAD_DAYS),
            score__timing_class__lt=TimingClass.LAPSED,
        )
        .annotate(amount=F("baseline_amount") * rate, lost=1 - F("score__probability"))
        .annotate(stake=Cast(F("amount"), FloatField()) * F("lost"))
        .filter(stake__gt=0)
        .annotate(weight=F("stake") / (1 + weeks))
        .order_by("-weight", "pk")
        .values_list("pk", "amount", "lost")[:SHOWN]
    )
    # All columns of the few, and not of all that were compared.
    chosen = list(rows)
    found = Renewal.objects.select_related("account", "score").in_bulk([pk for pk, _, _ in chosen])
    return [_important(found[pk], amount, lost, today) for pk, amount, lost in chosen]


def _important(row: Renewal, amount: Decimal, lost: float, today: dt.date) -> Important:
    assert row.decision_on is not None
    return Important(row, round(amount * Decimal(str(lost)), 2), max((row.decision_on - today).days, 0))
