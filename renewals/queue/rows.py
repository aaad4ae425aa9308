"""The rows of the queue with what a rep has to know before the day: price terms, ramp, and what else ends then."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from accounts.models import Account, User
from renewals.models import Contract, Renewal, RenewalQuerySet, RenewalScore, RiskBand
from renewals.table.columns import RISK_TONES

# Contracts of the same family that end so many days before or after could end together.
CO_TERM_DAYS = 90
CO_TERMS_SHOWN = 3


@dataclass
class QueueRow:
    renewal: Renewal
    days_left: int  # below 0: the day is past
    co_terms: list[Contract] = field(default_factory=list)

    @property
    def is_past(self) -> bool:
        return self.days_left < 0

    @property
    def days_past(self) -> int:
        return -self.days_left

    @property
    def score(self) -> RenewalScore | None:
        return getattr(self.renewal, "score", None)

    @property
    def probability(self) -> float | None:
        return self.score.probability if self.score else None

    @property
    def risk(self) -> tuple[int, str] | None:
        """Whole points, and the tone of their band; None where nothing is known."""
        score = self.score
        if score is None or score.risk_score is None:
            return None
        return round(score.risk_score), RISK_TONES[RiskBand.of(score.risk_score)]

    @property
    def ramp(self) -> list[tuple[int, Decimal]]:
        """Contract year and its amount."""
        return list(enumerate(self.renewal.contract.ramp_amounts or [], start=1))

    @property
    def co_terms_shown(self) -> list[Contract]:
        return self.co_terms[:CO_TERMS_SHOWN]

    @property
    def co_terms_more(self) -> int:
        return max(len(self.co_terms) - CO_TERMS_SHOWN, 0)

    @property
    def is_price_locked(self) -> bool:
        """The price may not be raised for a term that begins after the due date."""
        locked_until_on = self.renewal.contract.price_locked_until_on
        return locked_until_on is not None and locked_until_on > self.renewal.due_on


def load_queue_rows(rows: RenewalQuerySet, user: User, *, as_of: dt.date) -> list[QueueRow]:
    """Three queries, however many rows; the caller has cut them to a page."""
    renewals = list(rows.select_related("account__segment", "contract", "owner", "stage", "score"))
    found = [QueueRow(renewal, (renewal.decision_on - as_of).days) for renewal in renewals]
    _join_co_terms(found, user)
    return found


def _join_co_terms(rows: Sequence[QueueRow], user: User) -> None:
    """Other contracts of the account's family, of those that this user may know of, that end close to the due date."""
    if not rows:
        return
    families = {_family(row.renewal.account) for row in rows}
    kin = dict(
        Account.objects.filter(Q(pk__in=families) | Q(family__in=families)).order_by().values_list("pk", "family_id")
    )
    days = [row.renewal.due_on for row in rows]
    reach = dt.timedelta(days=CO_TERM_DAYS)
    contracts = Contract.objects.visible_to(user).filter(
        account__in=list(kin), ends_on__gte=min(days) - reach, ends_on__lte=max(days) + reach
    )
    by_family: defaultdict[int, list[Contract]] = defaultdict(list)
    for contract in contracts.select_related("account").order_by("ends_on", "pk"):
        by_family[kin[contract.account_id] or contract.account_id].append(contract)
    for row in rows:
        row.co_terms = [
            contract
            for contract in by_family[_family(row.renewal.account)]
            if contract.pk != row.renewal.contract_id and abs(contract.ends_on - row.renewal.due_on) <= reach
        ]


def _family(account: Account) -> int:
    return account.family_id or account.pk
