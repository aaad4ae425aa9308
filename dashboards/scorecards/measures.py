"""What else a rep is held to, as it is today: calls, trust in the data, flagged and unmonitored accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db.models import Count, Exists, OuterRef, Sum

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
    """Of the open renewals of an owner. An account with open renewals of two owners is both's."""

    baseline: Decimal = Decimal(0)
    broken: Decimal = Decimal(0)
    account_counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ACCOUNTS, 0))

    @property
    def trust_rate(self) -> Decimal | None:
        return 1 - self.broken / self.baseline if self.baseline else None


def read_hygiene(frame: Frame) -> dict[int, Hygiene]:
    """By owner, of what the reader sees: as it is kept by owner, or, in a segment or a slice, of the rows."""
    if frame.scope.segment or frame.scope.slice:
        return read_raw_hygiene(frame)
    keep_work(as_of=frame.as_of)
    rates = read_rates(as_of=frame.company.today(), reporting_currency=frame.currency)
    found: dict[int, Hygiene] = {}
    counts = [f"{name}_count" for name in ACCOUNTS]
    rows = OwnerWork.objects.visible_to(frame.user).exclude(pk=NOBODY)
    for owner, cents, *numbers in rows.values_list("pk", "open_cents", *counts):
        one = found[owner] = Hygiene(account_counts=dict(zip(ACCOUNTS, numbers, strict=True)))
        for currency, (baseline, broken) in cents.items():
            if currency in rates:
                one.baseline += baseline * rates[currency] / 100
                one.broken += broken * rates[currency] / 100
    return found


def read_raw_hygiene(frame: Frame) -> dict[int, Hygiene]:
    """The same of the rows, in the frame's segment and slice. Five statements, however many owners."""
    found: dict[int, Hygiene] = defaultdict(Hygiene)
    today, segment = frame.company.today(), frame.scope.segment
    part = sliced(frame.scope.slice)
    rates = read_rates(as_of=today, reporting_currency=frame.currency)
    scope = {"account__segment": segment} if segment else {}
    # Whoever the page is about: their peers stand beside them.
    rows = Renewal.objects.visible_to(frame.user).open().order_by()
    rows = rows.filter(part, is_excluded=False, owner__isnull=False, **scope)
    sums = rows.values_list("owner", "currency").annotate(
        baseline=Sum("baseline_amount"), broken=Sum("baseline_amount", filter=BROKEN, default=Decimal(0))
    )
    for owner, currency, baseline, broken in sums:
        if currency in rates:
            found[owner].baseline += baseline * rates[currency]
            found[owner].broken += broken * rates[currency]
    flagged = rows.filter(Exists(Flag.objects.open().filter(account=OuterRef("account"))))
    terms = read_terms()
    silent, both = (
        unmonitored_renewals(frame.user, terms, as_of=today, reason=reason).filter(part, owner__isnull=False, **scope)
        for reason in ("", "flag")
    )
    for name, renewals in (("flagged", flagged), ("silent", silent), ("both", both)):
        for owner, count in renewals.order_by().values_list("owner").annotate(count=Count("account", distinct=True)):
            found[owner].account_counts[name] = count
    return dict(found)


def add_hygiene(ones: Collection[Hygiene]) -> Hygiene:
    return Hygiene(
        sum((one.baseline for one in ones), Decimal(0)),
        sum((one.broken for one in ones), Decimal(0)),
        {name: sum(one.account_counts[name] for one in ones) for name in ACCOUNTS},
    )
