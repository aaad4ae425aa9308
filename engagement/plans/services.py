"""Writes to plans and their steps. Each locks the plan first, is one transaction and one batch in history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from config.history import recorded_as
from engagement.models.plans import Plan, PlanStep, Playbook, PlaybookStep, PlaybookVersion
from engagement.models.tasks import Task
from engagement.plans.access import NOT_EDITABLE, may_edit_plan
from engagement.plans.gate import load_steps, read_readiness
from engagement.plans.passes import drop_steps
from engagement.plans.starting import start_for
from engagement.tasks import services as tasks
from engagement.tasks.services import NewTask, TaskRefused
from renewals.access import may_edit
from renewals.models import Renewal
from renewals.table.columns import DATE

BY_HAND = (Plan.Outcome.REACHED, Plan.Outcome.MISSED, Plan.Outcome.DROPPED)
NOTE_LENGTH = 1000


class PlanRefused(ValueError):
    """This cannot be done with a plan; the message says why, `field` names what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def start_plan(*, user: User, renewal: Renewal, version: PlaybookVersion, as_of: dt.date) -> Plan:
    """Start a plan by hand.

    Raises:
        PlanRefused: the renewal is decided or not scored yet, the playbook is retired, or a plan of its kind is open.
        PermissionDenied: the user may not edit the renewal.
    """
    if not may_edit(user, renewal):
        raise PermissionDenied("A plan is started by who edits the renewal.")
    if renewal.outcome != Renewal.Outcome.OPEN:
        raise PlanRefused("renewal", f"It is decided: {renewal.get_outcome_display().lower()}.")
    if not hasattr(renewal, "score"):
        raise PlanRefused("renewal", "It is not scored yet, so nothing could be said of what the plan did.")
    if version.playbook.use == Playbook.Use.RETIRED:
        raise PlanRefused("playbook", f"{version.playbook} is not used any more.")
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        started = start_for(
            renewal_id=renewal.pk, account_id=renewal.account_id, version_id=version.pk, as_of=as_of, user_id=user.pk
        )
        if started is None:
            kind = version.playbook.get_kind_display().lower()
            raise PlanRefused("playbook", f"There is an open {kind} plan already; close that one first.")
    return Plan.objects.get(pk=started)


def set_owner(*, user: User, plan_id: int, owner: User) -> Plan:
    """Who answers for the plan; the steps keep theirs. Raises PlanRefused: they cannot have it."""
    with _changed(user, plan_id) as plan:
        _require_able(owner, plan)
        plan.owner = owner
        plan.save(update_fields=["owner"])
    return plan


def close_plan(*, user: User, plan_id: int, outcome: str, note: str = "") -> Plan:
    """Close it by hand, with what came of it; open steps are dropped."""
    note = note.replace("\x00", "").strip()
    if outcome not in BY_HAND:
        raise PlanRefused("outcome", f"{outcome or 'Nothing'} is none of {', '.join(one.label for one in BY_HAND)}.")
    if len(note) > NOTE_LENGTH:
        raise PlanRefused("note", f"At most {NOTE_LENGTH:,} characters fit here, not {len(note):,}.")
    with _changed(user, plan_id) as plan:
        now = timezone.now()
        plan.closed_at, plan.closed_by, plan.outcome, plan.outcome_note = now, user, outcome, note
        plan.save(update_fields=["closed_at", "closed_by", "outcome", "outcome_note"])
        drop_steps(plan_ids=[plan.pk], user_id=user.pk, words="Dropped: the plan was closed.", now=now)
    return plan


def add_step(*, user: User, plan_id: int, values: Mapping[str, Any]) -> PlanStep:
    """A step of this plan alone, at its end. `values`: title, guidance, owner, due_on, outcome.

    Raises: PlanRefused, TaskRefused, PermissionDenied.
    """
    with _changed(user, plan_id) as plan:
        _require_day(values["due_on"], plan)
        _require_able(values["owner"], plan)
        last = plan.steps.aggregate(number=Max("number"), position=Max("position"))
        number = (last["number"] or 0) + 1
        asks = PlaybookStep.objects.create(
            number=number, title=values["title"][:160], guidance=values.get("guidance", ""),
            outcome=values.get("outcome") or PlaybookStep.Outcome.NONE, days=0,
        )  # fmt: skip
        is_text = asks.outcome == PlaybookStep.Outcome.TEXT
        new = NewTask(
            account_id=plan.account_id, renewal_id=plan.renewal_id, title=values["title"], due_on=values["due_on"],
            owner_id=values["owner"].pk, kind=Task.Kind.PLAN,
            required_outcome="What came of it" if is_text else "",
        )  # fmt: skip
        (task,) = tasks.create_tasks(user=user, tasks=[new])
        return PlanStep.objects.create(
            plan=plan, account_id=plan.account_id, task=task, asks=asks, number=number,
            position=(last["position"] or 0) + 1,
        )  # fmt: skip


def edit_step(*, user: User, plan_id: int, number: int, values: Mapping[str, Any]) -> PlanStep:
    """Title, owner and day of an open step. Raises: PlanRefused, TaskRefused, PermissionDenied."""
    with _changed(user, plan_id) as plan:
        step = _open_step(plan, number)
        if values["due_on"] != step.task.due_on:
            _require_day(values["due_on"], plan)
        if values["owner"].pk != step.task.owner_id:
            _require_able(values["owner"], plan)
        kept = {name: values[name] for name in ("title", "owner", "due_on")}
        step.task = tasks.edit_task(user=user, task=step.task, values=kept)
        return step


def remove_step(*, user: User, plan_id: int, number: int) -> str:
    """Take an open step out of a plan; its title. Steps that waited for it wait no more."""
    with _changed(user, plan_id) as plan:
        step = _open_step(plan, number)
        if plan.steps.count() == 1:
            raise PlanRefused("step", "A plan has one step at least; close the plan instead.")
        step.task.delete()  # the step goes with it
        return step.task.title


def move_step(*, user: User, plan_id: int, number: int, by: int) -> None:
    """One place up (-1) or down (1). Raises PlanRefused: a step would come before one that it waits for."""
    with _changed(user, plan_id) as plan:
        steps = list(plan.steps.select_related("asks", "task").order_by("position", "number"))
        place = next((index for index, step in enumerate(steps) if step.number == number), None)
        if place is None:
            raise PlanRefused("step", "There is no such step any more.")
        other = place + by
        if not 0 <= other < len(steps):
            return
        first, second = steps[min(place, other)], steps[max(place, other)]
        if first.number in second.asks.waits_for:
            raise PlanRefused("step", f"“{second.task}” waits for “{first.task}”, and cannot come before it.")
        steps[place], steps[other] = steps[other], steps[place]
        for position, step in enumerate(steps, 1):
            step.position = position
        PlanStep.objects.bulk_update([step for step in steps if step in (first, second)], ["position"])


def tick_checks(*, user: User, step: PlanStep, checked: set[int]) -> PlanStep:
    """Which of the checks hold. Who may: `access.may_work_on`."""
    with _working(user, step) as locked:
        locked.checked = sorted(place for place in checked if 0 <= place < len(locked.asks.checks))
        locked.save(update_fields=["checked"])
    return locked


def finish_step(
    *,
    user: User,
    step: PlanStep,
    outcome: str = "",
    checked: set[int] | None = None,
    spent_minutes: int | None = None,
) -> PlanStep:
    """Mark a step as done. A fact that it asks for is looked up, and is its outcome; how long it took may be unknown.

    Raises:
        TaskRefused: it waits for another step, a check or a fact is missing, or the answer is none that it asks for.
    """
    with _working(user, step) as locked:
        if checked is not None:
            locked.checked = sorted(place for place in checked if 0 <= place < len(locked.asks.checks))
            locked.save(update_fields=["checked"])
        (known,) = load_steps([locked.task_id])
        fact = read_readiness([known])[known.pk].fact
        done = tasks.finish_task(user=user, task=locked.task, outcome=fact or outcome, spent_minutes=spent_minutes)
        (locked.task,) = done.tasks
    return locked


def reopen_step(*, user: User, step: PlanStep) -> PlanStep:
    """Make a step open again that was done by mistake. Raises TaskRefused: it is open."""
    with _working(user, step, is_done=True) as locked:
        (locked.task,) = tasks.reopen_task(user=user, task=locked.task).tasks
    return locked


@contextmanager
def _changed(user: User, plan_id: int) -> Iterator[Plan]:
    """The plan, locked until the transaction ends, which begins here; it has to be open and the user's to change."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        plan = _lock(plan_id)
        if not may_edit_plan(user, plan):
            raise PermissionDenied(NOT_EDITABLE)
        yield plan


@contextmanager
def _working(user: User, step: PlanStep, *, is_done: bool = False) -> Iterator[PlanStep]:
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        plan = _lock(step.plan_id)
        locked = PlanStep.objects.select_related("task", "asks").get(pk=step.pk)
        locked.plan = plan
        if locked.task.done_at and not is_done:
            raise TaskRefused("outcome", f"{locked.task} is done already.")
        yield locked


def _lock(plan_id: int) -> Plan:
    plan = Plan.objects.select_for_update(no_key=True).get(pk=plan_id)
    if plan.closed_at:
        raise PlanRefused("plan", f"The plan is closed: {plan.get_outcome_display().lower()}.")
    plan.renewal = Renewal.objects.select_related("owner").get(pk=plan.renewal_id)
    return plan


def _open_step(plan: Plan, number: int) -> PlanStep:
    step = PlanStep.objects.select_related("task", "asks").filter(plan=plan, number=number).first()
    if step is None:
        raise PlanRefused("step", "There is no such step any more.")
    if step.task.done_at:
        raise PlanRefused("step", f"“{step.task}” is done already.")
    step.plan = plan
    return step


def _require_day(due_on: dt.date, plan: Plan) -> None:
    if due_on < plan.started_on:
        raise PlanRefused("due_on", f"{due_on:{DATE}} is before the plan's start, {plan.started_on:{DATE}}.")


def _require_able(owner: User, plan: Plan) -> None:
    if not owner.is_active or owner.role == User.Role.VIEWER:
        raise PlanRefused("owner", f"{owner} {'only looks' if owner.is_active else 'has left'}.")
    if not Renewal.objects.visible_to(owner).filter(pk=plan.renewal_id).exists():
        raise PlanRefused("owner", f"{owner} does not see this renewal.")
