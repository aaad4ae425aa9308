"""The accounts of a reader with unusual support, the largest baseline amount at stake first."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from django.db.models import Count, Min, Q, Sum

from accounts.exchange import read_rates
from accounts.models import Account, Ticket, User
from accounts.models.tickets import SEVERE
from engagement.support.habit import (
    ENDING_DAYS,
    HABIT_DAYS,
    RECENT_DAYS,
    SILENCE_DAYS,
    Activity,
    Finding,
    unusual_activity,
)
from renewals.models import Renewal

ENDING_WORDS = r"\m(export|cancel|terminat|migrat|switch)"
SHOWN_ROWS = 200


@dataclass
class Stake:
    """Open renewals of an account that the reader sees, in the reporting currency."""

    amount: Decimal = Decimal(0)
    next_due_on: dt.date | None = None
    without_rate: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class UnusualAccount:
    account: Account
    findings: list[Finding]
    stake: Stake


@dataclass(frozen=True)
class UnusualAccounts:
    """`rows` are the first 200 of `count`; `amount` is of all of them."""

    rows: list[UnusualAccount]
    count: int
    amount: Decimal
    without_rate: list[str]


def read_activity(user: User, *, as_of: dt.date) -> dict[int, Activity]:
    """By account: what its tickets of the last 395 days, and those still open, count up to."""
    recent_on, quiet_on, ending_on = (as_of - dt.timedelta(days) for days in (RECENT_DAYS, SILENCE_DAYS, ENDING_DAYS))
    habit_on = recent_on - dt.timedelta(HABIT_DAYS)
    recent, before = Q(opened_on__gt=recent_on), Q(opened_on__gt=habit_on, opened_on__lte=recent_on)
    severe, reported = Q(severity__in=SEVERE), ~Q(reporter="")
    about_leaving = Q(category=Ticket.Category.ENDING_SERVICE) | Q(subject__iregex=ENDING_WORDS)
    about_leaving |= Q(theme__iregex=ENDING_WORDS)
    counted = (
        Ticket.objects.visible_to(user)
        .filter(Q(opened_on__gt=habit_on) | Q(resolved_on__isnull=True), opened_on__lte=as_of)
        .order_by()
        .values("account")
        .annotate(
            severe_open=Count("pk", filter=severe & Q(resolved_on__isnull=True)),
            severe_before=Count("pk", filter=severe & before),
            reopened_recent=Count("pk", filter=recent & Q(reopened_count__gt=0)),
            reopened_before=Count("pk", filter=before & Q(reopened_count__gt=0)),
            opened_quiet=Count("pk", filter=Q(opened_on__gt=quiet_on)),
            opened_before=Count("pk", filter=before),
            reporters_recent=Count("reporter", filter=recent & reported, distinct=True),
            reporters_before=Count("reporter", filter=before & reported, distinct=True),
            ending_recent=Count("pk", filter=Q(opened_on__gt=ending_on) & about_leaving),
        )
    )
    return {row.pop("account"): Activity(**row) for row in cast(Iterable[dict[str, int]], counted)}


def read_stakes(user: User, accounts: Collection[int], *, as_of: dt.date) -> dict[int, Stake]:
    """By account: baseline amount and nearest due date of its open renewals, less approved exceptions."""
    rates, stakes = read_rates(as_of=as_of), defaultdict[int, Stake](Stake)
    rows = Renewal.objects.visible_to(user).open().filter(account__in=accounts, is_excluded=False).order_by()
    sums = rows.values_list("account", "currency").annotate(Sum("baseline_amount"), Min("due_on"))
    for account, currency, amount, due_on in sums:
        stake, rate = stakes[account], rates.get(currency)
        stake.next_due_on = min(stake.next_due_on or due_on, due_on)
        if rate is None:
            stake.without_rate.add(currency)
        else:
            stake.amount += amount * rate
    return stakes


def read_unusual(user: User, *, as_of: dt.date, code: str = "") -> UnusualAccounts:
    """`code` keeps the accounts with that finding only."""
    found = {pk: unusual_activity(seen) for pk, seen in read_activity(user, as_of=as_of).items()}
    found = {pk: told for pk, told in found.items() if any(not code or one.code == code for one in told)}
    stakes = read_stakes(user, found.keys(), as_of=as_of)
    order = sorted(found, key=lambda pk: (-stakes[pk].amount, pk))
    accounts = Account.objects.select_related("owner", "segment").in_bulk(order[:SHOWN_ROWS])
    return UnusualAccounts(
        rows=[UnusualAccount(accounts[pk], found[pk], stakes[pk]) for pk in order[:SHOWN_ROWS]],
        count=len(found),
        amount=sum((stake.amount for stake in stakes.values()), Decimal(0)),
        without_rate=sorted(set().union(*(stake.without_rate for stake in stakes.values()))),
    )
