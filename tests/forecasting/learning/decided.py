"""Books of decided renewals whose truth is known."""

import datetime as dt
from typing import Any

import numpy as np
from django.utils import timezone

from accounts.models import Account, AccountSignal, Segment, User
from renewals.models import Contract, Renewal, Stage

AS_OF = dt.date(2026, 11, 21)


def make_decided(count: int, *, seed: int = 0, signal: float = 0.0, **fields: Any) -> list[Renewal]:
    """`count` decided renewals of as many accounts, due over the two years that end four months before AS_OF.

    Two segments renew at 90 and 60 %; with `signal`, each step of usage from -0.4 to 0.4 moves the log-odds by it.
    """
    rng = np.random.default_rng(seed)
    segments = [Segment.objects.get_or_create(name=name)[0] for name in ("Enterprise", "Small")]
    stage = Stage.objects.order_by("position").first()
    assert stage is not None
    of_small = rng.random(count) < 0.5
    usage = rng.uniform(-0.4, 0.4, count).round(3)
    log_odds = np.where(of_small, 0.4, 2.2) + signal * usage / 0.4
    came = rng.random(count) < 1 / (1 + np.exp(-log_odds))
    due = [AS_OF - dt.timedelta(days=120 + int(730 * at / max(count, 1))) for at in range(count)]
    accounts = Account.objects.bulk_create(
        Account(name=f"Customer {at}", segment=segments[int(of_small[at])], **fields) for at in range(count)
    )
    contracts = Contract.objects.bulk_create(
        Contract(
            account=account,
            number=f"D-{at}",
            starts_on=due[at] - dt.timedelta(days=364),
            ends_on=due[at],
            currency="EUR",
            recurring_amount=12_000,
        )
        for at, account in enumerate(accounts)
    )
    if signal:
        AccountSignal.objects.bulk_create(
            AccountSignal(
                account=account, measured_on=due[at] - dt.timedelta(days=days), usage_change_rate=float(usage[at])
            )
            for at, account in enumerate(accounts)
            for days in (60, 130)  # known on each day that a renewal is looked at
        )
    return Renewal.objects.bulk_create(
        Renewal(
            contract=contracts[at],
            account=account,
            due_on=due[at],
            currency="EUR",
            baseline_amount=12_000,
            stage=stage,
            **_outcome(bool(came[at]), due[at]),
        )
        for at, account in enumerate(accounts)
    )


def _outcome(came: bool, due_on: dt.date) -> dict[str, Any]:
    if came:
        return {"outcome": "renewed", "ordered_on": due_on, "final_amount": 12_000}
    return {"outcome": "lost", "declined_on": due_on, "final_amount": 0}


def open_renewal(owner: User | None = None, *, segment: str = "Enterprise", **account: Any) -> Renewal:
    from tests.cast import make_account, make_renewal

    held = make_account(owner=owner, segment=Segment.objects.get(name=segment), **account)
    return make_renewal(owner=owner, account=held, due_on=AS_OF + dt.timedelta(days=80))


def backdate(model: Any, pk: int, days: int) -> None:
    """As if the row had been made that many days before AS_OF, past history's triggers."""
    moment = timezone.make_aware(dt.datetime.combine(AS_OF - dt.timedelta(days=days), dt.time()))
    model.objects.filter(pk=pk).update(created_at=moment)
