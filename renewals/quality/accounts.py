"""Breaches that no renewal shows: contracts that ended without one, accounts that look like another."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import QuerySet

from accounts.models import Account, User
from renewals.models.quality import AccountBreach, AccountName

NAMED = 3


@dataclass(frozen=True)
class AccountRow:
    breach: AccountBreach
    look_alikes: list[Account] = field(default_factory=list)
    unnamed_count: int = 0  # more of them, or ones that this reader may not know of


def visible_breaches(user: User) -> QuerySet[AccountBreach]:
    breaches = AccountBreach.objects.filter(rule__is_active=True)
    return breaches if user.sees_all else breaches.filter(account__in=Account.objects.visible_to(user).values("pk"))


def load_account_rows(breaches: list[AccountBreach], user: User) -> list[AccountRow]:
    """With the accounts that look the same, of which only those are named that the user may see. Two queries."""
    alone = [breach.account_id for breach in breaches if breach.contract_id is None]
    keys = dict(AccountName.objects.filter(pk__in=alone).values_list("pk", "key"))
    by_key: dict[str, list[int]] = defaultdict(list)
    for pk, key in AccountName.objects.filter(key__in=set(keys.values())).order_by("pk").values_list("pk", "key"):
        by_key[key].append(pk)
    visible = Account.objects.visible_to(user).in_bulk([pk for pks in by_key.values() for pk in pks[: NAMED + 1]])
    rows = []
    for breach in breaches:
        key = keys.get(breach.account_id, "") if breach.contract_id is None else ""
        others = [pk for pk in by_key.get(key, []) if pk != breach.account_id]
        named = [visible[pk] for pk in others[:NAMED] if pk in visible]
        rows.append(AccountRow(breach, named, len(others) - len(named)))
    return rows
