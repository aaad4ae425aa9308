"""What capacity is reckoned by, over HTTP: terms, absences and holidays, planned new customers."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import admin_required, signed_in
from accounts.forms import posted
from accounts.models import Segment, User, get_company
from dashboards.capacity.forms import AbsenceForm, HolidayForm, PlanForm, TermsForm
from dashboards.capacity.services import (
    absent_people_of,
    add_absence,
    add_holiday,
    plan_customers,
    remove_absence,
    remove_holiday,
    save_terms,
)
from dashboards.models import Absence, Holiday, PlannedCustomers
from dashboards.rollups.work import read_hours, read_terms
from renewals.models import Stage

INVALID = 422


@require_http_methods(["GET", "POST"])
@admin_required
def terms(request: HttpRequest) -> HttpResponse:
    form = TermsForm(
        posted(request),
        instance=read_terms(),
        segments=list(Segment.objects.all()),
        stages=list(Stage.objects.all()),
        hours=read_hours(),
    )
    if form.is_valid():
        save_terms(by=signed_in(request), terms=form.terms(), hours=form.hours())
        messages.success(request, "What work takes is kept.")
        return redirect("dashboards:capacity")
    return render(request, "dashboards/capacity/terms.html", {"form": form}, status=_status(form.is_bound))


def _status(is_bound: bool) -> int:
    return INVALID if is_bound else 200


@require_http_methods(["GET", "POST"])
def absences(request: HttpRequest) -> HttpResponse:
    """Who is away from today on; a POST adds an absence."""
    user = signed_in(request)
    people = absent_people_of(user)
    if request.method == "POST" and not people:
        raise PermissionDenied("Your role keeps no absences.")
    form = AbsenceForm(posted(request), people=people)
    if form.is_valid():
        given = form.cleaned_data
        add_absence(
            by=user,
            person=given["person"],
            first_on=given["first_on"],
            last_on=given["last_on"],
            note=given["note"],
        )
        messages.success(request, "The absence is kept.")
        return redirect("dashboards:absences")
    return _show_absences(request, form, HolidayForm(), _status(form.is_bound))


def _show_absences(request: HttpRequest, form: AbsenceForm, holiday_form: HolidayForm, status: int) -> HttpResponse:
    user, today = signed_in(request), get_company().today()
    shown = Absence.objects.visible_to(user).filter(last_on__gte=today).select_related("person")
    context = {
        "form": form,
        "holiday_form": holiday_form,
        "absences": shown,
        "editable": set(Absence.objects.editable_by(user).filter(last_on__gte=today).values_list("pk", flat=True)),
        "holidays": Holiday.objects.filter(on__gte=today),
        "may_add": user.role in (User.Role.ADMIN, User.Role.MANAGER, User.Role.REP),
        "is_admin": user.is_admin,
    }
    return render(request, "dashboards/capacity/absences.html", context, status=status)


@require_POST
def remove_one_absence(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    remove_absence(by=user, absence=get_object_or_404(Absence.objects.visible_to(user), pk=pk))
    messages.success(request, "The absence is removed.")
    return redirect("dashboards:absences")


@require_POST
@admin_required
def holidays(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    form = HolidayForm(request.POST)
    if form.is_valid():
        add_holiday(by=user, on=form.cleaned_data["on"], name=form.cleaned_data["name"])
        messages.success(request, "The holiday is kept.")
        return redirect("dashboards:absences")
    return _show_absences(request, AbsenceForm(people=absent_people_of(user)), form, INVALID)


@require_POST
@admin_required
def remove_one_holiday(request: HttpRequest, pk: int) -> HttpResponse:
    remove_holiday(by=signed_in(request), holiday=get_object_or_404(Holiday, pk=pk))
    messages.success(request, "The holiday is removed.")
    return redirect("dashboards:absences")


@require_http_methods(["GET", "POST"])
def customers(request: HttpRequest) -> HttpResponse:
    """New customers that sales and marketing aim at, by month; a POST of an admin sets a month."""
    return _save_customers(request) if request.method == "POST" else _show_customers(request, PlanForm(), 200)


@admin_required
def _save_customers(request: HttpRequest) -> HttpResponse:
    form = PlanForm(request.POST)
    if not form.is_valid():
        return _show_customers(request, form, INVALID)
    given = form.cleaned_data
    plan_customers(
        by=signed_in(request),
        month_on=given["month"],
        sales_count=given["sales_count"],
        marketing_count=given["marketing_count"],
    )
    messages.success(request, f"The plan of {given['month']:%b %Y} is kept.")
    return redirect("dashboards:planned_customers")


def _show_customers(request: HttpRequest, form: PlanForm, status: int) -> HttpResponse:
    since = get_company().today().replace(day=1)
    terms = read_terms()
    plans = [
        (plan, plan.count * terms.onboarding_hours) for plan in PlannedCustomers.objects.filter(month_on__gte=since)
    ]
    context = {"form": form, "plans": plans, "terms": terms, "is_admin": signed_in(request).is_admin}
    return render(request, "dashboards/capacity/customers.html", context, status=status)
