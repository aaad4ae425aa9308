"""What the pages show of plans: a page of the list, one plan step by step, those of an account or a renewal."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db.models import Exists, F, OuterRef, Q

from accounts.models import User
from engagement.models.plans import Plan, PlanKind, PlanQuerySet, PlanStep, PlanStepQuerySet, PlaybookStep
from engagement.plans.access import may_edit_plan, may_work_on
from engagement.plans.effect import amounts_of, collected_now
from engagement.plans.fields import fill
from engagement.plans.gate import Readiness, read_readiness

WHOSE: Final = {"mine": "Mine", "team": "My team’s"}
STATES: Final = {"open": "Open", "overdue": "With overdue steps", "closed": "Closed", "all": "All"}
JOINED: Final = ("account", "renewal__owner", "renewal__contract", "owner", "version__playbook")


@dataclass(frozen=True)
class Asked:
    """The filters of the list, as its address has them."""

    whose: str = ""
    kind: str = ""
    state: str = "open"

    @property
    def is_plain(self) -> bool:
        return self == Asked()


def find_plans(user: User, asked: Asked, *, as_of: dt.date) -> PlanQuerySet:
    """Those a user sees, by filter, the nearest decision first; closed ones by when they were closed."""
    plans = Plan.objects.visible_to(user)
    if asked.whose == "mine":
        plans = plans.of_person(user)
    elif asked.whose == "team" and user.team_id is not None:
        plans = plans.filter(renewal__owner__team=user.team_id)
    if asked.kind in PlanKind.values:
        plans = plans.filter(kind=asked.kind)
    if asked.state == "overdue":
        plans = plans.open().filter(Exists(_overdue(as_of).filter(plan=OuterRef("pk"))))
    elif asked.state == "closed":
        plans = plans.closed()
    elif asked.state != "all":
        plans = plans.open()
    if asked.state in {"closed", "all"}:
        return plans.order_by(F("closed_at").desc(nulls_first=True), "-pk")
    return plans.order_by("renewal__decision_on", "pk")


def _overdue(as_of: dt.date) -> PlanStepQuerySet:
    return PlanStep.objects.open().filter(task__due_on__lt=as_of)


def count_overdue(plans: PlanQuerySet, *, as_of: dt.date) -> int:
    """Open steps of these plans whose day is past."""
    return _overdue(as_of).filter(plan__in=plans.order_by().values("pk")).count()


@dataclass
class PlanRow:
    """A plan with how far it is; amounts in its renewal's currency."""

    plan: Plan
    before_amount: Decimal
    now_amount: Decimal
    step_count: int = 0
    done_count: int = 0
    overdue_count: int = 0
    next_step: PlanStep | None = None

    @property
    def done_percent(self) -> int:
        return 100 * self.done_count // self.step_count if self.step_count else 0

    @property
    def change_amount(self) -> Decimal:
        return self.now_amount - self.before_amount


def load_rows(plans: PlanQuerySet, *, as_of: dt.date) -> list[PlanRow]:
    """In their order. Two queries."""
    found = list(plans.select_related(*JOINED).annotate(now_cents=collected_now()))
    rows = {plan.pk: PlanRow(plan, *amounts_of(plan)) for plan in found}
    steps = PlanStep.objects.filter(plan__in=rows).select_related("task__owner", "asks").order_by("position", "number")
    by_plan: defaultdict[int, list[PlanStep]] = defaultdict(list)
    for step in steps:
        by_plan[step.plan_id].append(step)
    for pk, row in rows.items():
        _count(row, by_plan[pk], as_of)
    return list(rows.values())


def _count(row: PlanRow, steps: Sequence[PlanStep], as_of: dt.date) -> None:
    open_ones = [step for step in steps if step.task.done_at is None]
    waiting = {step.number for step in open_ones}
    row.step_count = len(steps)
    row.done_count = sum(step.task.done_at is not None and not step.is_dropped for step in steps)
    row.overdue_count = sum(step.task.due_on < as_of for step in open_ones)
    free = [step for step in open_ones if not waiting & set(step.asks.waits_for)]
    row.next_step = next(iter(free or open_ones), None)


@dataclass(frozen=True)
class ShownStep:
    """A step as the page of its plan shows it. `state`: done, dropped, ready, waiting."""

    step: PlanStep
    state: str
    is_next: bool
    is_overdue: bool
    may_work: bool
    guidance: str
    readiness: Readiness
    checks: list[tuple[int, str, bool]] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ShownPlan:
    row: PlanRow
    steps: list[ShownStep]
    may_edit: bool
    is_decided: bool  # and still open: it closes by itself within a minute


def read_plan(plan: Plan, user: User, *, as_of: dt.date) -> ShownPlan:
    """One that came by `access.get_visible_plan`. Five queries."""
    steps = list(
        plan.steps.select_related("task__owner", "task__done_by", "asks__stage", "asks__person").order_by(
            "position", "number"
        )
    )
    for step in steps:
        step.plan = plan
    plan.now_cents = Plan.objects.values_list(collected_now(), flat=True).get(pk=plan.pk)  # type: ignore[attr-defined]
    row = PlanRow(plan, *amounts_of(plan))
    _count(row, steps, as_of)
    ready = read_readiness(steps)
    titles = {step.number: step.task.title for step in steps if step.task.done_at is None}
    shown = [_shown(step, ready[step.pk], titles, row, user, as_of) for step in steps]
    is_decided = plan.is_open and plan.renewal.outcome != plan.renewal.Outcome.OPEN
    return ShownPlan(row, shown, plan.is_open and may_edit_plan(user, plan), is_decided)


def _shown(
    step: PlanStep, readiness: Readiness, titles: dict[int, str], row: PlanRow, user: User, as_of: dt.date
) -> ShownStep:
    waits_for = [titles[number] for number in step.asks.waits_for if number in titles]
    state = "waiting" if waits_for else "ready"
    if step.task.done_at:
        state = "dropped" if step.is_dropped else "done"
    return ShownStep(
        step=step,
        state=state,
        is_next=row.next_step is not None and row.next_step.pk == step.pk,
        is_overdue=step.task.done_at is None and step.task.due_on < as_of,
        may_work=row.plan.is_open and may_work_on(user, step),
        guidance=fill(step.asks.guidance, row.plan.renewal),
        readiness=readiness,
        checks=[(place, text, place in step.checked) for place, text in enumerate(step.asks.checks)],
        waits_for=waits_for,
    )


def plans_of_account(account_id: int, user: User, *, as_of: dt.date, limit: int = 10) -> list[PlanRow]:
    """The open ones first, then the newest. Two queries."""
    plans = Plan.objects.visible_to(user).filter(account=account_id)
    return load_rows(plans.order_by(F("closed_at").desc(nulls_first=True), "-pk")[:limit], as_of=as_of)


def plans_of_renewal(renewal_id: int, user: User, *, as_of: dt.date) -> list[PlanRow]:
    """Those of the renewal, and an open one that protects its account by another of its renewals."""
    own = Q(renewal=renewal_id)
    protects = Q(closed_at__isnull=True, kind=PlanKind.PROTECT, account__renewals=renewal_id)
    plans = Plan.objects.visible_to(user).filter(own | protects).distinct()
    return load_rows(plans.order_by(F("closed_at").desc(nulls_first=True), "-pk")[:10], as_of=as_of)


def outcome_words(step: PlaybookStep) -> str:
    """What has to come of a step, in words."""
    match step.outcome:
        case PlaybookStep.Outcome.CHOICE:
            return f"One of: {', '.join(step.choices)}"
        case PlaybookStep.Outcome.STAGE:
            return f"The renewal has reached {step.stage}"
        case PlaybookStep.Outcome.NONE:
            return ""
    return str(PlaybookStep.Outcome(step.outcome).label)
