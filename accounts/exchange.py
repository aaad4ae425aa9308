"""Exchange rates as a report uses them: one dated rate per currency, so that rates never look like churn inside it."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import ExchangeRate, get_company


@dataclass(frozen=True)
class DatedRate:
    """`effective_on` is None for the reporting currency itself, which is always 1."""

    rate: Decimal
    effective_on: dt.date | None = None


def read_dated_rates(*, as_of: dt.date, reporting_currency: str = "") -> dict[str, DatedRate]:
    """Units of the reporting currency for one of each currency: the newest rate in force on the day, 1 for itself.

    A currency that is missing here has no rate: name it to the reader, never drop it silently or count it one to one.
    """
    newest = (
        ExchangeRate.objects.filter(effective_on__lte=as_of)
        .order_by("currency", "-effective_on")
        .distinct("currency")
        .values_list("currency", "rate", "effective_on")
    )
    rates = {currency: DatedRate(rate, effective_on) for currency, rate, effective_on in newest}
    return {**rates, reporting_currency or get_company().reporting_currency: DatedRate(Decimal(1))}


def read_rates(*, as_of: dt.date, reporting_currency: str = "") -> dict[str, Decimal]:
    """The same without their dates."""
    dated = read_dated_rates(as_of=as_of, reporting_currency=reporting_currency)
    return {currency: known.rate for currency, known in dated.items()}
