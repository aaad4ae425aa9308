"""Whether a reader sees the account of a row, asked row by row."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, OuterRef, Q, Subquery, Value

from accounts.models import User, owners_visible_to
from renewals.models import Renewal


def is_account_visible(user: User) -> Q:
    """For rows with an `account`: its owner, or that of one of its renewals, is one of the reader's scope.

    A subquery of one value, for the planner would otherwise collect the accounts of the whole scope first: here a page
    of a list in the order of an index looks at its own rows and at no other.
    """
    if user.sees_all:
        return Q()
    owners = owners_visible_to(user).order_by().values("pk")
    through: Any = (
        Renewal.objects.filter(account=OuterRef("account"), owner__in=owners).order_by().values(seen=Value(True))
    )
    return Q(account__owner__in=owners) | Q(Subquery(through[:1], output_field=BooleanField()))
