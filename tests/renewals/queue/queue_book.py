"""Auto-renewing contracts around 21 Nov 2026, each with its own decision date."""

import datetime as dt
from decimal import Decimal
from typing import Any

from accounts.models import Account, User
from renewals.models import Contract, Renewal
from tests.cast import make_account, make_renewal

TODAY = dt.date(2026, 11, 21)


def in_days(days: int) -> dt.date:
    return TODAY + dt.timedelta(days=days)


def make_decision(
    owner: User | None, days: int, *, notice_days: int = 60, contract: dict[str, Any] | None = None, **fields: Any
) -> Renewal:
    """An open renewal whose customer has to say no in so many days; `contract` are columns of its contract."""
    renewal = make_renewal(owner=owner, due_on=in_days(days + notice_days), notice_days=notice_days, **fields)
    Contract.objects.filter(pk=renewal.contract_id).update(
        **{"is_auto_renewing": True, "notice_days": notice_days, **(contract or {})}
    )
    return Renewal.objects.select_related("account", "contract").get(pk=renewal.pk)


def make_contract(account: Account, number: str, ends_on: dt.date) -> Contract:
    return Contract.objects.create(
        account=account, number=number, starts_on=ends_on - dt.timedelta(days=364), ends_on=ends_on, currency="EUR",
        recurring_amount=Decimal(5000),
    )  # fmt: skip


__all__ = ["TODAY", "in_days", "make_account", "make_contract", "make_decision"]
