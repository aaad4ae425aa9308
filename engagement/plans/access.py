"""One door to a plan: 404 for those who may not know of it, 403 for those who may only look."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from accounts.models import User
from engagement.models.plans import Plan, PlanStep
from renewals.access import may_edit

NOT_EDITABLE = "You may look at this plan; only who edits its renewal changes it."
NOT_YOURS = "You may look at this step; only its owner, and who edits the renewal, works on it."


def get_visible_plan(user: User, pk: int) -> Plan:
    rows = Plan.objects.visible_to(user).select_related(
        "renewal__owner__team", "renewal__contract", "renewal__stage", "renewal__offer", "renewal__score",
        "account__segment", "account__owner", "owner", "version__playbook", "created_by", "closed_by", "start_segment",
    )  # fmt: skip
    return get_object_or_404(rows, pk=pk)


def may_edit_plan(user: User, plan: Plan) -> bool:
    return may_edit(user, plan.renewal)


def get_editable_plan(user: User, pk: int) -> Plan:
    plan = get_visible_plan(user, pk)
    if not may_edit_plan(user, plan):
        raise PermissionDenied(NOT_EDITABLE)
    return plan


def get_visible_step(user: User, plan_id: int, number: int) -> PlanStep:
    plan = get_visible_plan(user, plan_id)
    steps = PlanStep.objects.select_related("task__owner", "task__done_by", "asks__stage")
    step = get_object_or_404(steps, plan=plan, number=number)
    step.plan = plan
    return step


def may_work_on(user: User, step: PlanStep) -> bool:
    """Who has to do it, and who edits the renewal."""
    is_theirs = step.task.owner_id == user.pk and user.role != User.Role.VIEWER
    return is_theirs or may_edit_plan(user, step.plan)


def get_workable_step(user: User, plan_id: int, number: int) -> PlanStep:
    step = get_visible_step(user, plan_id, number)
    if not may_work_on(user, step):
        raise PermissionDenied(NOT_YOURS)
    return step
