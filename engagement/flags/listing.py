"""The lists of flags and watched accounts: an account a row, with why, what is at stake, and what happens next."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import Case, DecimalField, Exists, F, Min, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Round

from accounts.models import Account, Team, User
from accounts.paging import Pages
from engagement.flags.measures import say_ended, say_measured
from engagement.models.flags import Flag, FlagRule, Watch
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


@dataclass(frozen=True)
class Sums:
    """What a reader sees of the open flags: over the whole list how many accounts and what is at stake; and of all that
    is seen, how many flags each rule has."""

    account_count: int
    stake_amount: Decimal
    rules: list[tuple[str, str, int]]  # what is asked for, its name, how many; rules without any are left out


# Who may see what is asked once, whatever is said of it.
READ_SUMS: Final = """
WITH seen (account_id, rule_id, stake_amount, is_asked) AS MATERIALIZED ({seen}),
listed AS (SELECT account_id, max(stake_amount) AS stake FROM seen WHERE is_asked GROUP BY account_id)
SELECT count(*), coalesce(sum(stake), 0), (SELECT json_object_agg(rule, count)::text
    FROM (SELECT coalesce(rule_id, 0) AS rule, count(*) AS count FROM seen GROUP BY 1) counted) FROM listed
"""


def find_flagged(user: User, pages: Pages, *, is_mine: bool = False, what: str = "") -> list[int]:
    """A page of flagged accounts and one more, the most at stake first: of their own accounts and renewals, of one rule
    (`what` is its id) or by hand, where asked. From an index that holds their order."""
    flags = Flag.objects.visible_one_by_one(user).open().filter(_asked(user, is_mine=is_mine, what=what))
    # An account is where the flag with the most at stake is, which is nearly always the same of all its flags.
    ahead = Q(stake_amount__gt=OuterRef("stake_amount")) | Q(
        stake_amount=OuterRef("stake_amount"), pk__lt=OuterRef("pk")
    )
    if not what:
        flags = flags.exclude(Exists(Flag.objects.open().filter(ahead, account=OuterRef("account"))))
    return list(flags.order_by("-stake_amount", "account", "pk").values_list("account", flat=True)[pages.rows])


def read_sums(user: User, *, is_mine: bool = False, what: str = "") -> Sums:
    """Of the same. Two statements."""
    asked = _asked(user, is_mine=is_mine, what=what)
    is_asked = Case(When(asked, then=Value(True)), default=Value(False)) if asked else Value(True)
    seen = Flag.objects.visible_to(user).open().order_by().annotate(is_asked=is_asked)
    statement, params = seen.values_list("account_id", "rule_id", "stake_amount", "is_asked").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(READ_SUMS.format(seen=statement), params)
        count, stake, counted = cursor.fetchone() or (0, Decimal(0), None)
    counts = {int(rule): number for rule, number in json.loads(counted or "{}").items()}
    rules = [(str(rule.pk), rule.name, counts[rule.pk]) for rule in FlagRule.objects.filter(pk__in=set(counts) - {0})]
    by_hand = [(BY_HAND, "By hand", counts[0])] if 0 in counts else []
    return Sums(count, stake, [*rules, *by_hand])


def _asked(user: User, *, is_mine: bool, what: str) -> Q:
    asked = Q()
    if is_mine:
        own = Renewal.objects.open().filter(owner=user).order_by().values("account")
        asked = Q(account__owner=user) | Q(account__in=own)
    if what == BY_HAND:
        asked &= Q(rule__isnull=True)
    elif what:
        asked &= Q(rule=int(what))
    return asked


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
    writable = Account.objects.editable_by(user, among=account_ids).order_by().values_list("pk", flat=True)
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
