"""Exchange rates as a report uses them: one dated rate per currency, so that rates never look like churn inside it."""

import datetime as dt
from decimal import Decimal

from accounts.models import ExchangeRate, get_company


def read_rates(*, as_of: dt.date, reporting_currency: str = "") -> dict[str, Decimal]:
    """Units of the reporting currency for one of each currency: the newest rate in force on the day, 1 for itself.

    A currency that is missing here has no rate: name it to the reader, never drop it silently or count it one to one.
    """
    newest = (
        ExchangeRate.objects.filter(effective_on__lte=as_of)
        .order_by("currency", "-effective_on")
        .distinct("currency")
        .values_list("currency", "rate")
    )
    return {**dict(newest), reporting_currency or get_company().reporting_currency: Decimal(1)}
