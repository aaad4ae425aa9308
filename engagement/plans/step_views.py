"""The steps of a plan over HTTP. Each answer is the page of the plan, at the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import signed_in
from engagement.models.plans import Plan
from engagement.plans import services
from engagement.plans.access import get_editable_plan, get_visible_plan, get_visible_step, get_workable_step
from engagement.plans.forms import AddStepForm, EditStepForm
from engagement.plans.services import PlanRefused
from engagement.plans.views import CONFLICT, INVALID, show
from engagement.tasks.forms import MinutesForm
from engagement.tasks.services import TaskRefused

DIRECTIONS = {"up": -1, "down": 1}


def _checked(request: HttpRequest) -> set[int]:
    return {
        int(text) for text in request.POST.getlist("checked") if text.isascii() and text.isdigit() and len(text) < 4
    }


def _spent_minutes(request: HttpRequest) -> int | None:
    form = MinutesForm(request.POST, prefix="took")
    if not form.is_valid():
        raise TaskRefused("spent_minutes", f"Minutes it took: {form.errors['spent_minutes'][0]}")
    minutes: int | None = form.cleaned_data["spent_minutes"]
    return minutes


def _home(pk: int, number: int) -> str:
    return f"{reverse('plans:page', args=[pk])}#step-{number}"


def _write(request: HttpRequest, pk: int, number: int, write: Callable[[], Any], text: str) -> HttpResponse:
    """Do it and go back to the step; where it is refused, the page says so there."""
    try:
        write()
    except (PlanRefused, TaskRefused) as refused:
        plan = get_visible_plan(signed_in(request), pk)
        is_stale = isinstance(refused, PlanRefused) or not plan.is_open
        answer = request.POST.get("outcome", "")
        status = CONFLICT if is_stale else INVALID
        return show(
            request, plan, status=status, refused=(number, str(refused)), typed=answer, ticked=_checked(request)
        )
    if text:
        messages.success(request, text)
    return redirect(_home(pk, number))


@require_POST
def check(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    user = signed_in(request)
    step = get_workable_step(user, pk, number)
    checked = _checked(request)
    return _write(
        request, pk, number, lambda: services.tick_checks(user=user, step=step, checked=checked), "The checks are kept."
    )


@require_POST
def finish(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    user = signed_in(request)
    step = get_workable_step(user, pk, number)
    outcome, checked = request.POST.get("outcome", ""), _checked(request)

    def write() -> None:
        spent = _spent_minutes(request)
        services.finish_step(user=user, step=step, outcome=outcome, checked=checked, spent_minutes=spent)

    return _write(request, pk, number, write, f"“{step.task}” is done.")


@require_POST
def reopen(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    user = signed_in(request)
    step = get_workable_step(user, pk, number)
    return _write(
        request, pk, number, lambda: services.reopen_step(user=user, step=step), f"“{step.task}” is open again."
    )


@require_POST
def remove(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    user = signed_in(request)
    get_editable_plan(user, pk)
    step = get_visible_step(user, pk, number)
    return _write(
        request, pk, number, lambda: services.remove_step(user=user, plan_id=pk, number=number),
        f"“{step.task}” is no part of the plan any more.",
    )  # fmt: skip


@require_POST
def move(request: HttpRequest, pk: int, number: int, direction: str) -> HttpResponse:
    if direction not in DIRECTIONS:
        raise Http404("A step moves up or down.")
    user = signed_in(request)
    get_editable_plan(user, pk)
    by = DIRECTIONS[direction]
    return _write(request, pk, number, lambda: services.move_step(user=user, plan_id=pk, number=number, by=by), "")


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    plan = get_editable_plan(user, pk)
    form = AddStepForm(request.POST or None, plan=plan, initial={"owner": plan.owner_id})
    if form.is_valid():
        try:
            step = services.add_step(user=user, plan_id=pk, values=form.cleaned_data)
        except (PlanRefused, TaskRefused) as refused:
            _refuse(form, refused)
        else:
            messages.success(request, f"“{step.task}” is part of the plan.")
            return redirect(_home(pk, step.number))
    return _render(request, plan, form, "New step")


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    user = signed_in(request)
    plan = get_editable_plan(user, pk)
    step = get_visible_step(user, pk, number)
    initial = {"title": step.task.title, "owner": step.task.owner_id, "due_on": step.task.due_on}
    form = EditStepForm(request.POST or None, plan=plan, initial=initial)
    if form.is_valid():
        try:
            services.edit_step(user=user, plan_id=pk, number=number, values=form.cleaned_data)
        except (PlanRefused, TaskRefused) as refused:
            _refuse(form, refused)
        else:
            messages.success(request, f"“{form.cleaned_data['title']}” is saved.")
            return redirect(_home(pk, number))
    return _render(request, plan, form, str(step.task))


def _refuse(form: EditStepForm, refused: PlanRefused | TaskRefused) -> None:
    form.add_error(refused.field if refused.field in form.fields else None, str(refused))


def _render(request: HttpRequest, plan: Plan, form: EditStepForm, title: str) -> HttpResponse:
    context = {"form": form, "plan": plan, "title": title, "cancel_url": reverse("plans:page", args=[plan.pk])}
    return render(request, "plans/step.html", context, status=INVALID if form.is_bound else 200)
