"""Whether a step of a plan can be done: what it waits for, its checks, and what has to have come of it.

Facts are looked up where they are kept (touches, offer, stage, confidence); nobody's word stands for them.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from accounts.models import Touch, get_company
from engagement.models.plans import PlanStep, PlaybookStep
from engagement.models.tasks import Task
from renewals.table.columns import DATE

Outcome = PlaybookStep.Outcome
FACTS = frozenset({Outcome.TOUCH, Outcome.OFFER, Outcome.STAGE, Outcome.CONFIDENCE})


@dataclass(frozen=True)
class Readiness:
    """`reasons`: why the step cannot be done now; `fact`: what was found of a fact that it asks for, in words."""

    reasons: list[str] = field(default_factory=list)
    fact: str = ""

    @property
    def is_ready(self) -> bool:
        return not self.reasons


def read_readiness(steps: Sequence[PlanStep]) -> dict[int, Readiness]:
    """By id of the step, without what only its answer can say. The steps come with task, asks, plan and renewal.

    Two queries, and one more where a touch is asked for.
    """
    plans = {step.plan_id for step in steps}
    open_ones = PlanStep.objects.filter(plan__in=plans).open().values_list("plan_id", "number", "task__title")
    waiting = {(plan, number): title for plan, number, title in open_ones}
    touches = _newest_touches({step.account_id for step in steps if step.asks.outcome == Outcome.TOUCH})
    return {step.pk: _readiness(step, waiting, touches.get(step.account_id)) for step in steps}


def _newest_touches(account_ids: Collection[int]) -> dict[int, Touch]:
    if not account_ids:
        return {}
    newest = Touch.objects.filter(account__in=account_ids).order_by("account_id", "-happened_at", "-pk")
    return {touch.account_id: touch for touch in newest.distinct("account_id")}


def _readiness(step: PlanStep, waiting: dict[tuple[int, int], str], touch: Touch | None) -> Readiness:
    reasons = [
        f"It waits for “{waiting[step.plan_id, number]}”."
        for number in step.asks.waits_for
        if (step.plan_id, number) in waiting
    ]
    left = [text for place, text in enumerate(step.asks.checks) if place not in step.checked]
    if left:
        reasons.append(f"Not checked yet: {'; '.join(left)}.")
    fact, missing = _fact(step, touch)
    return Readiness([*reasons, *([missing] if missing else [])], fact)


def _fact(step: PlanStep, touch: Touch | None) -> tuple[str, str]:
    """(what was found, what is missing); both blank where no fact is asked for."""
    renewal, wanted = step.plan.renewal, step.asks.stage
    match step.asks.outcome:
        case Outcome.TOUCH:
            since = step.plan.started_on
            if touch and (day := _day_of(touch)) >= since:
                return f"{touch.get_kind_display()} on {day:{DATE}}", ""
            return "", f"No touch is logged since {since:{DATE}}."
        case Outcome.OFFER:
            return (str(renewal.offer), "") if renewal.offer else ("", "The renewal has no offer yet.")
        case Outcome.CONFIDENCE:
            known = renewal.confidence is not None
            return (f"{renewal.confidence}%", "") if known else ("", "The renewal has no confidence yet.")
        case Outcome.STAGE if wanted:
            if renewal.stage.position >= wanted.position:
                return str(renewal.stage), ""
            return "", f"The renewal is at {renewal.stage}, and has to reach {wanted}."
    return "", ""


def _day_of(touch: Touch) -> dt.date:
    return touch.happened_at.astimezone(zoneinfo.ZoneInfo(get_company().time_zone)).date()


def refusals(tasks: Sequence[Task], outcome: str) -> dict[int, str]:
    """By id of the task, why the step of a plan that it is cannot be done with this outcome; whoever finishes tasks
    asks here first, so that a step is done in the list of tasks as it is in its plan."""
    ids = [task.pk for task in tasks if task.kind == Task.Kind.PLAN and not task.done_at]
    steps = load_steps(ids)
    ready = read_readiness(steps)
    found: dict[int, str] = {}
    for step in steps:
        reasons = [*ready[step.pk].reasons, *_answer_problems(step, outcome)]
        if step.plan.closed_at:
            reasons.insert(0, "Its plan is closed.")
        if reasons:
            found[step.task_id] = " ".join(reasons)
    return found


def _answer_problems(step: PlanStep, outcome: str) -> list[str]:
    if step.asks.outcome == Outcome.CHOICE and outcome not in step.asks.choices:
        return [f"The answer is one of {', '.join(step.asks.choices)}."]
    if step.asks.outcome == Outcome.TEXT and not outcome.strip():
        return ["It is done with what came of it, in words."]
    return []


def load_steps(task_ids: Collection[int]) -> list[PlanStep]:
    """Steps with all that their readiness is judged by. One query, none without ids."""
    if not task_ids:
        return []
    joined = PlanStep.objects.select_related(
        "task", "asks__stage", "plan__renewal__stage", "plan__renewal__offer", "plan__renewal__owner"
    )
    return list(joined.filter(task__in=task_ids))
