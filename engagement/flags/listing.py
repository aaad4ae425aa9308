"""The lists of flags and watched accounts: an account a row, with why, what is at stake, and what happens next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, F, Max, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Round

from accounts.models import Account, Team, User
from accounts.paging import Pages
from engagement.flags.measures import say_ended, say_measured
from engagement.models.flags import Flag, FlagQuerySet, FlagRule, Watch
from engagement.models.tasks import Task
from renewals.models import Renewal

BY_HAND = "hand"
CENT = Decimal("0.01")
AMOUNT = DecimalField(max_digits=40, decimal_places=16)


@dataclass(frozen=True)
class ShownFlag:
    flag: Flag
    what: str  # the rule's name, or that a person did it
    why: str
    by: str


@dataclass
class Row:
    """An account with what its list shows. Amounts are in the reporting currency, of renewals that the reader sees."""

    account: Account
    flags: list[ShownFlag] = field(default_factory=list)
    stake_amount: Decimal = Decimal(0)
    next_decision_on: dt.date | None = None
    task: Task | None = None
    watch: Watch | None = None
    is_watched: bool = False
    may_write: bool = False


def show_flag(flag: Flag) -> ShownFlag:
    """In words. Its rule and who flagged are at hand."""
    if flag.rule is None:
        return ShownFlag(flag, "By hand", flag.reason, str(flag.flagged_by))
    return ShownFlag(flag, flag.rule.name, say_measured(flag.values), "Rule")


def say_cleared(flag: Flag) -> str:
    """What cleared it: a person's reason, or which condition no longer held, and by which value."""
    if flag.cleared_reason:
        return flag.cleared_reason
    if not flag.cleared_values:
        return "The renewal was decided." if flag.renewal_id else "Nothing of the account is open any more."
    return say_ended(flag.cleared_values) or "The rule asks for something else now."


def open_flags(user: User, *, is_mine: bool = False, what: str = "") -> FlagQuerySet:
    """What a reader sees, of their own accounts and renewals, or of one rule (its id) or by hand, where asked."""
    flags = Flag.objects.visible_to(user).open()
    if is_mine:
        own = Renewal.objects.open().filter(owner=user).values("account")
        flags = flags.filter(Q(account__owner=user) | Q(account__in=own))
    if what == BY_HAND:
        return flags.filter(rule__isnull=True)
    return flags.filter(rule=int(what)) if what.isascii() and what.isdigit() and len(what) < 10 else flags


def by_account(flags: QuerySet[Flag]) -> QuerySet[Any, Any]:
    """One record per account, the most at stake first."""
    return flags.order_by().values("account_id").annotate(stake=Max("stake_amount")).order_by("-stake", "account_id")


@dataclass(frozen=True)
class Sums:
    account_count: int
    stake_amount: Decimal


def read_sums(flags: QuerySet[Flag]) -> Sums:
    """Over the whole list."""
    found = by_account(flags).order_by().aggregate(count=Count("account_id"), total=Sum("stake"))
    return Sums(found["count"], found["total"] or Decimal(0))


def count_by_rule(user: User) -> list[tuple[str, str, int]]:
    """What is asked for, its name, and how many open flags it has; rules without any are left out."""
    counts = dict(Flag.objects.visible_to(user).open().order_by().values_list("rule").annotate(Count("pk")))
    rules = FlagRule.objects.filter(pk__in=[pk for pk in counts if pk])
    named = [(str(rule.pk), rule.name, counts[rule.pk]) for rule in rules]
    return [*named, (BY_HAND, "By hand", counts[None])] if None in counts else named


def load_rows(account_ids: Sequence[int], user: User, rates: Mapping[str, Decimal]) -> list[Row]:
    """The accounts in their order. Six queries, however many they are; the reader sees all of them."""
    accounts = Account.objects.select_related("owner", "segment").in_bulk(account_ids)
    rows = {pk: Row(accounts[pk]) for pk in account_ids if pk in accounts}
    flags = Flag.objects.open().filter(account__in=account_ids).select_related("rule", "flagged_by")
    for flag in flags.order_by("flagged_at", "pk"):
        rows[flag.account_id].flags.append(show_flag(flag))
    _add_stakes(rows, user, rates)
    tasks = Task.objects.open().filter(account__in=account_ids).select_related("owner")
    for task in tasks.order_by("account_id", "due_on", "pk").distinct("account_id"):
        rows[task.account_id].task = task
    watched = Watch.objects.filter(user=user, account__in=account_ids).values_list("account", flat=True)
    for pk in watched:
        rows[pk].is_watched = True
    writable = Account.objects.editable_by(user).filter(pk__in=account_ids).order_by().values_list("pk", flat=True)
    for pk in writable:
        rows[pk].may_write = True
    return list(rows.values())


def _add_stakes(rows: Mapping[int, Row], user: User, rates: Mapping[str, Decimal]) -> None:
    """Baseline x (1 - probability) of open renewals, and the first decision that is to come."""
    open_rows = Renewal.objects.visible_to(user).open().filter(account__in=list(rows), is_excluded=False).order_by()
    rate = Case(*(When(currency=name, then=Value(rate)) for name, rate in rates.items()), default=Value(Decimal(0)))
    lost = Round(F("baseline_amount") * (1 - Cast("score__probability", AMOUNT)) * rate, 2, output_field=AMOUNT)
    found = open_rows.values_list("account").annotate(lost=Sum(lost), first=Min("decision_on"))
    for pk, amount, decision_on in found:
        rows[pk].stake_amount, rows[pk].next_decision_on = (amount or Decimal(0)).quantize(CENT), decision_on


@dataclass(frozen=True)
class ClearedFlag:
    shown: ShownFlag
    how: str
    by: str


def read_cleared(user: User, pages: Pages) -> list[ClearedFlag]:
    """The newest first: a page and one more."""
    flags = Flag.objects.visible_to(user).cleared().select_related("account", "rule", "flagged_by", "cleared_by")
    found = flags.order_by("-cleared_at", "-pk")[pages.rows]
    return [ClearedFlag(show_flag(flag), say_cleared(flag), str(flag.cleared_by or "Rule")) for flag in found]


def watches_of(user: User, team: Team | None) -> QuerySet[Watch]:
    """A person's own, or a team's; only accounts that the reader sees (still)."""
    watches = Watch.objects.filter(team=team) if team else Watch.objects.filter(user=user)
    visible = Account.objects.visible_to(user).order_by().values("pk")
    return watches.filter(account__in=visible).select_related("added_by").order_by("-added_at", "-pk")
