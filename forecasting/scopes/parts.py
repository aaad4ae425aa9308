"""Of which part of the rows the forecast and its bridge are: region, industry, currency and booking type."""

from __future__ import annotations

import time
from typing import Final

from django.db import connection

from accounts.exchange import read_rates
from accounts.models import Account, Company
from forecasting.kept import KEPT_SECONDS
from forecasting.scopes.scope import Pill, Scope, slice_pills

_regions: Final[dict[str, tuple[float, list[str]]]] = {}  # by database: when they were read


def part_pills(scope: Scope, company: Company) -> list[Pill]:
    rates = read_rates(as_of=company.today(), reporting_currency=company.reporting_currency)
    return slice_pills(scope, regions=_read_regions(), currencies=sorted(rates))


def _read_regions() -> list[str]:
    """Read once in KEPT_SECONDS: to find the few there are takes a look at every account."""
    name, now = connection.settings_dict["NAME"], time.monotonic()
    if name not in _regions or now - _regions[name][0] > KEPT_SECONDS:
        rows = Account.objects.exclude(region="").order_by("region").values_list("region", flat=True)
        _regions[name] = (now, list(rows.distinct()))
    return _regions[name][1]


def told_of(scope: Scope) -> str:
    """What a part of the rows is, where the page is of one; blank where it is of all."""
    part = scope.slice
    if not part:
        return ""
    return (
        "Of a part of the book every figure is added up from its rows: totals, charts and what is largest. How sure "
        "the forecast is, and by what, is learned from the whole book. Calls and targets are not of parts."
    )
