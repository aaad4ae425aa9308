"""Which accounts are unmonitored, by value at stake; found by one statement, whatever the size of the book."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    Count,
    DecimalField,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from accounts.models import Account, Touch, User
from engagement.models.flags import Flag
from engagement.models.monitoring import DUE_WITHIN_DAYS, SILENT_DAYS, MonitoringRule
from renewals.models import Renewal, RiskBand
from renewals.table.columns import RISK_TONES

AMOUNT = DecimalField(max_digits=20, decimal_places=2)
CENT = Decimal("0.01")
REASONS = {"due": "Due soon", "flag": "Flagged"}
FLAGGED = Exists(Flag.objects.open().filter(account=OuterRef("account")))


@dataclass(frozen=True)
class Terms:
    """Days of a rule."""

    due_within_days: int = DUE_WITHIN_DAYS
    silent_days: int = SILENT_DAYS


def read_terms() -> dict[int | None, Terms]:
    """Those of each segment that has its own, and under None those of all others."""
    rules = MonitoringRule.objects.all()
    return {None: Terms()} | {rule.segment_id: Terms(rule.due_within_days, rule.silent_days) for rule in rules}


@dataclass(frozen=True)
class Unmonitored:
    """An account on the list. `stake_amount`: baseline of the renewals that put it there, in the reporting currency."""

    account: Account
    stake_amount: Decimal
    renewal_count: int
    next_due_on: dt.date
    next_touch_on: dt.date | None
    is_due: bool
    is_flagged: bool
    risk: tuple[int, str] | None  # whole points of the riskiest, and the tone of their band
    silent_days: int | None  # None: never touched


@dataclass(frozen=True)
class Sums:
    account_count: int
    stake_amount: Decimal
    without_rate: list[str]  # currencies whose amounts are in no sum


def unmonitored_renewals(
    user: User, terms: Mapping[int | None, Terms], *, as_of: dt.date, reason: str = "", is_mine: bool = False
) -> QuerySet[Renewal]:
    """Open renewals that a user sees, of accounts nobody was in touch with, that are due soon or flagged.

    Approved exceptions are left out. Overdue ones are due soon: nothing has come of them yet.
    """
    own = [segment for segment in terms if segment is not None]
    elsewhere = Q(account__segment__isnull=True) | ~Q(account__segment__in=own)
    fits = Q(pk__in=[])
    for segment, term in terms.items():
        of_segment = elsewhere if segment is None else Q(account__segment=segment)
        fits |= of_segment & _silent(term, as_of) & _reason(term, as_of, reason)
    mine = Q(owner=user) | Q(account__owner=user) if is_mine else Q()
    return Renewal.objects.visible_to(user).open().filter(fits, mine, is_excluded=False)


def _silent(term: Terms, as_of: dt.date) -> Q:
    before = as_of - dt.timedelta(days=term.silent_days)
    return Q(account__last_touch_on__isnull=True) | Q(account__last_touch_on__lt=before)


def _reason(term: Terms, as_of: dt.date, reason: str) -> Q:
    due = Q(due_on__lte=as_of + dt.timedelta(days=term.due_within_days))
    return {"due": due, "flag": Q(FLAGGED)}.get(reason, due | Q(FLAGGED))


def by_account(renewals: QuerySet[Renewal], rates: Mapping[str, Decimal]) -> QuerySet[Any, Any]:
    """One record per account, the most at stake first."""
    amounts = [When(currency=currency, then=F("baseline_amount") * Value(rate)) for currency, rate in rates.items()]
    stake = Coalesce(Sum(Case(*amounts, default=Value(Decimal(0)), output_field=AMOUNT)), Value(Decimal(0)))
    records = (
        renewals.order_by()
        .values("account")
        .annotate(stake=stake, row_count=Count("pk"), next_due_on=Min("due_on"), risk=Max("score__risk_score"))
    )
    return records.order_by("-stake", "account")


def read_sums(renewals: QuerySet[Renewal], rates: Mapping[str, Decimal]) -> Sums:
    """Over the whole list. Each currency is converted once."""
    count = renewals.order_by().aggregate(count=Count("account", distinct=True))["count"]
    total, without = Decimal(0), []
    for record in renewals.order_by().values("currency").annotate(baseline=Sum("baseline_amount")):
        rate = rates.get(record["currency"])
        if rate is None:
            without.append(record["currency"])
        else:
            total += (record["baseline"] * rate).quantize(CENT)
    return Sums(count, total, sorted(without))


def load_unmonitored(
    records: QuerySet[Any, Any], terms: Mapping[int | None, Terms], *, as_of: dt.date
) -> list[Unmonitored]:
    """The accounts of a page of records, in their order. Two queries."""
    found = list(records)
    promised = Touch.objects.filter(account=OuterRef("pk")).filter(
        Q(account__last_touch_on__isnull=True) | Q(next_touch_on__gt=F("account__last_touch_on"))
    )
    earliest = promised.order_by().values("account").annotate(on=Min("next_touch_on")).values("on")
    accounts = (
        Account.objects.select_related("owner", "segment").annotate(
            next_touch_on=Subquery(earliest), is_flagged=Exists(Flag.objects.open().filter(account=OuterRef("pk")))
        )
        .in_bulk([record["account"] for record in found])
    )  # fmt: skip
    return [_row(accounts[record["account"]], record, terms, as_of) for record in found]


def _row(account: Any, record: dict[str, Any], terms: Mapping[int | None, Terms], as_of: dt.date) -> Unmonitored:
    term = terms.get(account.segment_id, terms[None])
    risk = record["risk"]
    return Unmonitored(
        account=account,
        stake_amount=record["stake"].quantize(CENT),
        renewal_count=record["row_count"],
        next_due_on=record["next_due_on"],
        next_touch_on=account.next_touch_on,
        is_flagged=account.is_flagged,
        is_due=record["next_due_on"] <= as_of + dt.timedelta(days=term.due_within_days),
        risk=None if risk is None else (round(risk), RISK_TONES[RiskBand.of(risk)]),
        silent_days=(as_of - account.last_touch_on).days if account.last_touch_on else None,
    )
