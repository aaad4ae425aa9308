"""Plans over HTTP: the list, one plan, starting and closing, and whether they work."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import get_visible_account, signed_in
from accounts.exchange import read_rates
from accounts.models import User, get_company
from accounts.paging import PAGE_SIZE, read_pages
from accounts.strip import Total
from accounts.templatetags.money import compact_money
from accounts.touches.reading import read_touches
from engagement.models.plans import Plan, PlanKind
from engagement.plans import services
from engagement.plans.access import get_editable_plan, get_visible_plan
from engagement.plans.effect import Effect, read_effect
from engagement.plans.forms import CloseForm, OwnerForm, StartForm, choosable_versions
from engagement.plans.reading import (
    STATES,
    WHOSE,
    Asked,
    count_overdue,
    find_plans,
    load_rows,
    plans_of_renewal,
    read_plan,
)
from engagement.plans.services import PlanRefused
from engagement.plans.starting import STRETCH_NAMES
from engagement.plans.verdict import read_comparison, verdict
from renewals.access import get_editable_renewal, get_visible_renewal
from renewals.models import Renewal

CONFLICT, INVALID = 409, 422


@require_GET
def plans(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    as_of, asked = company.today(), _asked(request)
    pages = read_pages(request)
    found = find_plans(user, asked, as_of=as_of)
    rows = load_rows(found[pages.rows], as_of=as_of)
    rates = read_rates(as_of=as_of, reporting_currency=company.reporting_currency)
    summed = read_effect(found, rates)
    context = {
        "rows": rows[:PAGE_SIZE],
        "totals": _totals(summed, count_overdue(found, as_of=as_of), company.reporting_currency),
        "effect": summed,
        "asked": asked,
        "whose": _whose_of(user),
        "kinds": PlanKind.choices,
        "states": STATES,
        "as_of": as_of,
        "pages": pages.of(len(rows)),
    }
    return render(request, "plans/list.html", context)


def _whose_of(user: User) -> dict[str, str]:
    """Whose plans a user can ask for; a viewer has none, and not everybody has a team."""
    has = {"mine": user.role != User.Role.VIEWER, "team": user.team_id is not None}
    return {code: label for code, label in WHOSE.items() if has[code]}


def _asked(request: HttpRequest) -> Asked:
    def one_of(name: str, known: Any, default: str = "") -> str:
        value = request.GET.get(name, default)
        return value if value in known else default

    return Asked(one_of("whose", WHOSE), one_of("kind", PlanKind.values), one_of("state", STATES, "open"))


def _totals(effect: Effect, overdue_count: int, currency: str) -> list[Total]:
    without = f"; without a rate: {', '.join(effect.without_rate)}" if effect.without_rate else ""
    change = effect.change_amount
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return [
        Total("Plans", f"{effect.plan_count:,}", "of these filters"),
        Total("Overdue steps", f"{overdue_count:,}", "of open ones", href="?state=overdue" if overdue_count else ""),
        Total("Collected, before", compact_money(effect.before_amount, currency), "expected at the start",
              f"Expected to be collected when each plan began, which is frozen{without}"),
        Total("Collected, now", compact_money(effect.now_amount, currency), "expected or booked",
              f"Booked where renewed, nothing where lost, expected while open{without}"),
        Total("Change", f"{sign}{compact_money(abs(change), currency)}", "since the start",
              "What changed, whatever changed it: whether the plans did, is told under Did it work"),
    ]  # fmt: skip


@require_GET
def effect(request: HttpRequest) -> HttpResponse:
    """Whether plans work, by kind: against like renewals without one."""
    user = signed_in(request)
    found = [(kind, read_comparison(user, kind)) for kind in PlanKind]
    told = [(kind, comparison, verdict(comparison)) for kind, comparison in found]
    context = {"told": told, "stretches": dict(enumerate(STRETCH_NAMES)), "as_of": get_company().today()}
    return render(request, "plans/effect.html", context)


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, get_visible_plan(signed_in(request), pk))


def show(
    request: HttpRequest, plan: Plan, *, status: int = 200, refused: tuple[int, str] | None = None, **more: Any
) -> HttpResponse:
    """The plan with its steps. `refused`: the number of a step, 0 for the plan, and why what was asked is not done."""
    user, company, now = signed_in(request), get_company(), timezone.now()
    as_of = company.today(now)
    shown = read_plan(plan, user, as_of=as_of)
    context = {
        "plan": plan,
        "shown": shown,
        "row": shown.row,
        "refused": refused,
        "as_of": as_of,
        "close_form": CloseForm() if shown.may_edit else None,
        "owner_form": OwnerForm(plan=plan, initial={"owner": plan.owner_id}) if shown.may_edit else None,
        **read_touches(get_visible_account(user, plan.account_id), user, company, now=now),
        **more,
    }
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        return render(request, "plans/page.html", context, status=status)


@require_GET
def of_renewal(request: HttpRequest, renewal_id: int) -> HttpResponse:
    """The plans of a renewal, for its drawer and page."""
    user = signed_in(request)
    renewal = get_visible_renewal(user, renewal_id)
    context = {
        "renewal": renewal,
        "rows": plans_of_renewal(renewal.pk, user, as_of=get_company().today()),
        "may_start": renewal.outcome == Renewal.Outcome.OPEN
        and Renewal.objects.editable_by(user).filter(pk=renewal.pk).exists(),
    }
    return render(request, "plans/_of_renewal.html", context)


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, renewal_id: int) -> HttpResponse:
    user = signed_in(request)
    get_editable_renewal(user, renewal_id)
    joined = Renewal.objects.select_related("account", "contract", "owner", "score")
    renewal = get_object_or_404(joined, pk=renewal_id)
    form = StartForm(request.POST or None, versions=choosable_versions(renewal.account.segment_id))
    if form.is_valid():
        try:
            version = form.cleaned_data["version"]
            plan = services.start_plan(user=user, renewal=renewal, version=version, as_of=get_company().today())
        except PlanRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"The {plan.get_kind_display().lower()} plan is started.")
            return redirect("plans:page", plan.pk)
    context = {"form": form, "renewal": renewal, "cancel_url": reverse("renewals:row", args=[renewal_id])}
    return render(request, "plans/start.html", context, status=INVALID if form.is_bound else 200)


@require_POST
def owner(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    plan = get_editable_plan(user, pk)
    form = OwnerForm(request.POST, plan=plan)
    if not form.is_valid():
        return show(request, plan, status=INVALID, owner_form=form)
    try:
        services.set_owner(user=user, plan_id=pk, owner=form.cleaned_data["owner"])
    except PlanRefused as refused:
        return show(request, plan, status=CONFLICT, refused=(0, str(refused)))
    messages.success(request, f"{form.cleaned_data['owner']} answers for the plan.")
    return redirect("plans:page", pk)


@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    plan = get_editable_plan(user, pk)
    form = CloseForm(request.POST)
    if not form.is_valid():
        return show(request, plan, status=INVALID, close_form=form)
    try:
        services.close_plan(user=user, plan_id=pk, **form.cleaned_data)
    except PlanRefused as refused:
        return show(request, plan, status=CONFLICT, refused=(0, str(refused)))
    messages.success(request, "The plan is closed.")
    return redirect("plans:page", pk)
