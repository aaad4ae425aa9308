"""Rows of a scope: as a condition of SQL, of the ORM, and of a book as it stood."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import Q

from forecasting.engine.arrays import Booleans, Integers
from forecasting.frames import Arrays, Column, Reporting
from forecasting.frames.book import MISSING
from forecasting.frames.past import copy_out_at
from forecasting.scopes.scope import Scope, Slice
from renewals.models import Renewal
from renewals.table.groups import booked_as

# As renewals.table.groups.booked_as, of a renewal `r`: what it renews to, against its baseline.
RENEWED: Final = "COALESCE(r.final_amount, r.forecast_amount, r.baseline_amount)"
KNOWN: Final = f"({RENEWED} > 0 OR r.baseline_amount = 0)"
BOOKED: Final = {
    "churn": f"NOT {KNOWN}",
    "downsell": f"{KNOWN} AND r.cross_sell_amount = 0 AND {RENEWED} < r.baseline_amount",
    "renewal": f"{KNOWN} AND r.cross_sell_amount = 0 AND {RENEWED} = r.baseline_amount",
    "upsell": f"{KNOWN} AND r.cross_sell_amount = 0 AND {RENEWED} > r.baseline_amount",
    "cross_sell": f"{KNOWN} AND r.cross_sell_amount > 0",
}


def within(scope: Scope) -> tuple[str, list[object]]:
    """SQL over a renewal `r` and its account `a`, and its parameters; no scope is wider than its reader may see."""
    conditions, parameters = ["TRUE"], list[object]()
    if scope.owner:
        conditions.append("r.owner_id = %s")
        parameters.append(scope.owner.pk)
    elif scope.team:
        conditions.append("r.owner_id IN (SELECT id FROM accounts_user WHERE team_id = %s)")
        parameters.append(scope.team.pk)
    if scope.segment:
        conditions.append("a.segment_id = %s")
        parameters.append(scope.segment.pk)
    part = scope.slice
    for condition, value in (
        ("a.region = %s", part.region),
        ("a.industry_id = %s", part.industry and part.industry.pk),
        ("r.currency = %s", part.currency),
    ):
        if value:
            conditions.append(condition)
            parameters.append(value)
    if part.booking:
        conditions.append(f"({BOOKED[part.booking]})")
    return " AND ".join(conditions), parameters


def sliced(part: Slice) -> Q:
    """The renewals of a slice."""
    return (
        accounts_sliced(part)
        & Q(**({"currency": part.currency} if part.currency else {}))
        & (booked_as()[part.booking] if part.booking else Q())
    )


def accounts_sliced(part: Slice) -> Q:
    """What a slice says of the accounts of rows that name one."""
    asked = {"account__region": part.region, "account__industry": part.industry}
    return Q(**{name: value for name, value in asked.items() if value})


def are_sliced(part: Slice, ids: Integers) -> Booleans:
    """Which of these renewals are of a slice today; of one that says nothing, all."""
    if not part:
        return np.ones(ids.size, dtype=np.bool_)
    kept = Renewal.objects.filter(sliced(part), pk__in=ids.tolist()).values_list("pk", flat=True)
    found: Booleans = np.isin(ids, np.fromiter(kept, dtype=np.int64))
    return found


def sliced_then(part: Slice, rows: Arrays, report: Reporting, moment: dt.datetime) -> Booleans:
    """Which rows of a book as it stood at a moment are of a slice, by what they and their accounts were then."""
    kept: Booleans = np.ones(rows["id"].size, dtype=np.bool_)
    if part.industry:
        kept &= rows["industry_id"] == part.industry.pk
    if part.currency:
        place = report.currencies.index(part.currency) if part.currency in report.currencies else None
        kept &= np.zeros_like(kept) if place is None else rows["currency"] == place
    if part.region:
        kept &= np.isin(rows["account_id"], _accounts_then(part.region, moment))
    return kept & _booked(rows, part.booking) if part.booking else kept


def _accounts_then(region: str, moment: dt.datetime) -> Integers:
    columns = [Column("id", "int8", "a.id")]
    with connection.cursor() as cursor:
        found: Any = copy_out_at(cursor, columns, "accounts_account a", "a.region = %s", [region], moment)["id"]
    ids: Integers = found
    return ids


def _booked(rows: Arrays, booking: str) -> Booleans:
    baseline = rows["baseline"]
    renewed = np.where(rows["forecast"] == MISSING, baseline, rows["forecast"])
    renewed = np.where(rows["final"] == MISSING, renewed, rows["final"])
    is_known, is_crossed = (renewed > 0) | (baseline == 0), rows["cross_sell"] > 0
    is_plain = is_known & ~is_crossed
    found: Booleans = {
        "churn": ~is_known,
        "downsell": is_plain & (renewed < baseline),
        "renewal": is_plain & (renewed == baseline),
        "upsell": is_plain & (renewed > baseline),
        "cross_sell": is_known & is_crossed,
    }[booking]
    return found
