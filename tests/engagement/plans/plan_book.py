"""What tests of plans share: playbooks in use, scored renewals, and a published run."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import User, get_company
from engagement.models import Plan, Playbook, PlaybookVersion
from engagement.plans.drafts import PlaybookDraft, StepDraft
from engagement.plans.passes import apply_rules
from engagement.plans.playbooks import save_playbook
from forecasting.models import Run
from renewals.models import Renewal, RenewalScore
from renewals.scoring import scoring
from tests.cast import Cast, make_renewal

STEPS = [
    StepDraft("Call {account}", days=2, checks=["Prepared", "Agenda sent"], outcome="touch"),
    StepDraft("Agree on terms", due_from="due", days=-30, outcome="text", waits_for=[1]),
    StepDraft("Ask for {contract}", owner_is="manager", due_from="decision", days=-10, outcome="none", waits_for=[2]),
]


def today() -> dt.date:
    return get_company().today()


def make_playbook(cast: Cast, *, use: str = "rule", **fields: Any) -> PlaybookVersion:
    rule = {"name": "Renew", "kind": "renewal", "within_days": 180, "steps": STEPS, **fields}
    version = save_playbook(by=cast.admin, draft=PlaybookDraft(**rule))
    Playbook.objects.filter(pk=version.playbook_id).update(use=use)
    return version


def make_scored(owner: User | None, *, days: int = 100, risk: float | None = 10, **fields: Any) -> Renewal:
    """Due in so many days, of this risk; 12,000 EUR that come with 80 %."""
    row = make_renewal(owner=owner, due_on=today() + dt.timedelta(days=days), **fields)
    scoring().score_renewals([row.pk], as_of=today())
    RenewalScore.objects.filter(pk=row.pk).update(risk_score=risk, probability=0.8, mean_cents=1_200_000)
    return row


def publish() -> Run:
    return Run.objects.create(reason="demand", state="published", as_of_on=today(), published_at=timezone.now())


def run_rules() -> list[Plan]:
    """Publish, apply the rules; the plans that there are."""
    publish()
    apply_rules()
    return list(Plan.objects.order_by("pk"))


def decide(row: Renewal, outcome: str) -> None:
    values: dict[str, Any] = {"outcome": outcome, "final_amount": Decimal(0)}
    if outcome == "renewed":
        values |= {"ordered_on": today(), "final_amount": row.baseline_amount}
    if outcome == "open":
        values |= {"ordered_on": None, "final_amount": None}
    Renewal.objects.filter(pk=row.pk).update(**values)
    scoring().score_renewals([row.pk], as_of=today())
