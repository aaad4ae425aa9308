"""The company's calendar and money: its year, its reporting currency, its exchange rates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from accounts.models import Company, ExchangeRate, User
from renewals.rules.services.change import request_scores, rule_written

RATE_STEP = Decimal("0.00000001")


class RateMissing(Exception):
    """The present rates cannot be turned over into the new reporting currency."""


class RateInForce(Exception):
    """Reports already used this rate."""


def update_company(*, by: User, values: Mapping[str, Any]) -> int:
    """Save these settings; the id of the recompute. With the reporting currency the exchange rates are turned over.

    Raises:
        RateMissing: there are rates, and none for the new reporting currency.
    """
    with rule_written(by):
        company = Company.objects.select_for_update().get(pk=1)
        currency = values.get("reporting_currency", company.reporting_currency)
        if currency != company.reporting_currency:
            _turn_rates_over(company.reporting_currency, currency)
        for name, value in values.items():
            setattr(company, name, value)
        company.save(update_fields=list(values))
        return request_scores(by)


def add_rate(*, by: User, rate: ExchangeRate) -> int:
    with rule_written(by):
        rate.save()
        return request_scores(by)


def delete_rate(*, by: User, rate_id: int, today: dt.date) -> int:
    """Take back a rate before its day; raises RateInForce from that day on."""
    with rule_written(by):
        rate = ExchangeRate.objects.select_for_update().get(pk=rate_id)
        if rate.effective_on <= today:
            raise RateInForce(f"The {rate.currency} rate of {rate.effective_on:%d %b %Y} is in use; add a newer one.")
        rate.delete()
        return request_scores(by)


def _turn_rates_over(old: str, new: str) -> None:
    """Rates were units of `old` for one of each currency; make them units of `new`.

    On each day on which X or `new` had a new rate: rate(X) / rate(new), each as of that day (the first one there is, on
    days before it). `old` gets 1 / rate(new).
    """
    rates = list(ExchangeRate.objects.select_for_update().order_by("effective_on"))
    by_currency: dict[str, list[ExchangeRate]] = {}
    for rate in rates:
        by_currency.setdefault(rate.currency, []).append(rate)
    by_currency.pop(old, None)
    pivots = by_currency.pop(new, [])
    if rates and not pivots:
        raise RateMissing(f"There is no rate for {new}: add one first, so that the other rates can be turned over.")
    turned = {(old, pivot.effective_on): 1 / pivot.rate for pivot in pivots}
    for currency, own in by_currency.items():
        days = {rate.effective_on for rate in (*own, *pivots) if rate.effective_on >= own[0].effective_on}
        turned |= {(currency, day): _rate_on(own, day) / _rate_on(pivots, day) for day in days}
    ExchangeRate.objects.all().delete()
    ExchangeRate.objects.bulk_create(
        ExchangeRate(currency=currency, effective_on=day, rate=rate.quantize(RATE_STEP))
        for (currency, day), rate in turned.items()
    )


def _rate_on(rates: list[ExchangeRate], day: dt.date) -> Decimal:
    """The newest rate on or before the day, of rates in the order of their days; the first one, before it."""
    return next((rate.rate for rate in reversed(rates) if rate.effective_on <= day), rates[0].rate)
