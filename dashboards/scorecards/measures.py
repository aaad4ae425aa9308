"""What else a rep is held to, as it is today: calls, trust in the data, flagged and unmonitored accounts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Count, Exists, OuterRef, Sum, TextField
from django.db.models.functions import Cast

from accounts.exchange import read_rates
from dashboards.frame import Frame
from dashboards.models import OwnerWork
from dashboards.models.work import NOBODY
from dashboards.rollups.work import keep_work
from engagement.models.flags import Flag
from engagement.monitoring.unmonitored import read_terms, unmonitored_renewals
from forecasting.engine.calls import Tally, total
from forecasting.models import CallRecord
from forecasting.scopes.slices import sliced
from renewals.models import Renewal
from renewals.quality.trust import BROKEN

ACCOUNTS: Final = ("flagged", "silent", "both")
HORIZON: Final = 30  # days before the decision


def read_calls() -> dict[int, Tally]:
    """The closed calls of every rep, as they stood 30 days before the decision."""
    record = CallRecord.objects.first()
    stored = record.content.get(str(HORIZON), {}) if record else {}
    return {int(rep): Tally.from_dict(sums) for rep, sums in stored.items()}


def of_owners(tallies: Mapping[int, Tally], owners: Collection[int]) -> Tally:
    return total(tallies[pk] for pk in owners if pk in tallies)


@dataclass
class Hygiene:
    """Of the open renewals of an owner, or of several. An account with open renewals of two owners is both's."""

    rates: Mapping[str, Decimal]
    cents: Mapping[str, Sequence[int]]  # by currency: the baseline, and that of what breaks a rule of weight
    account_counts: dict[str, int]

    @property
    def baseline(self) -> Decimal:
        return self._converted(0)

    @property
    def broken(self) -> Decimal:
        return self._converted(1)

    def _converted(self, at: int) -> Decimal:
        known = (pair[at] * self.rates[one] / 100 for one, pair in self.cents.items() if one in self.rates)
        return sum(known, Decimal(0))

    @property
    def trust_rate(self) -> Decimal | None:
        baseline = self.baseline
        return 1 - self.broken / baseline if baseline else None


def read_hygiene(frame: Frame) -> dict[int, Hygiene]:
    """By owner, of what the reader sees: as it is kept by owner, or, in a segment or a slice, of the rows."""
    if frame.scope.segment or frame.scope.slice:
        return read_raw_hygiene(frame)
    keep_work(as_of=frame.as_of)
    rates = read_rates(as_of=frame.company.today(), reporting_currency=frame.currency)
    counts = [f"{name}_count" for name in ACCOUNTS]
    rows = OwnerWork.objects.visible_to(frame.user).exclude(pk=NOBODY)
    found = list(rows.values_list("pk", Cast("open_cents", TextField()), *counts))
    # Of hundreds of owners, read as one text.
    cents = json.loads(f"[{','.join(text for _, text, *_ in found)}]")
    return {
        owner: Hygiene(rates, own, dict(zip(ACCOUNTS, numbers, strict=True)))
        for (owner, _, *numbers), own in zip(found, cents, strict=True)
    }


def read_raw_hygiene(frame: Frame) -> dict[int, Hygiene]:
    """The same of the rows, in the frame's segment and slice. Five statements, however many owners."""
    today, segment = frame.company.today(), frame.scope.segment
    part = sliced(frame.scope.slice)
    rates = read_rates(as_of=today, reporting_currency=frame.currency)
    cents: dict[int, dict[str, Sequence[int]]] = defaultdict(dict)
    accounts: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(ACCOUNTS, 0))
    scope = {"account__segment": segment} if segment else {}
    # Whoever the page is about: their peers stand beside them.
    rows = Renewal.objects.visible_to(frame.user).open().order_by()
    rows = rows.filter(part, is_excluded=False, owner__isnull=False, **scope)
    sums = rows.values_list("owner", "currency").annotate(
        baseline=Sum("baseline_amount"), broken=Sum("baseline_amount", filter=BROKEN, default=Decimal(0))
    )
    for owner, currency, baseline, broken in sums:
        cents[owner][currency] = [int(100 * amount) for amount in (baseline, broken)]
    flagged = rows.filter(Exists(Flag.objects.open().filter(account=OuterRef("account"))))
    terms = read_terms()
    silent, both = (
        unmonitored_renewals(frame.user, terms, as_of=today, reason=reason).filter(part, owner__isnull=False, **scope)
        for reason in ("", "flag")
    )
    for name, renewals in (("flagged", flagged), ("silent", silent), ("both", both)):
        for owner, count in renewals.order_by().values_list("owner").annotate(count=Count("account", distinct=True)):
            accounts[owner][name] = count
    return {owner: Hygiene(rates, cents[owner], accounts[owner]) for owner in cents.keys() | accounts.keys()}


def add_hygiene(ones: Sequence[Hygiene]) -> Hygiene:
    cents: dict[str, list[int]] = {}
    for one in ones:
        for currency, (baseline, broken) in one.cents.items():
            own = cents.setdefault(currency, [0, 0])
            own[0] += baseline
            own[1] += broken
    counts = {name: sum(one.account_counts[name] for one in ones) for name in ACCOUNTS}
    return Hygiene(ones[0].rates if ones else {}, cents, counts)
