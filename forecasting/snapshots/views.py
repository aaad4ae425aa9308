"""Calls: the list, one of them, a freeze by hand, and the proof that it is what history says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import role_required, signed_in
from accounts.models import User, get_company
from accounts.templatetags.money import currency_sign
from forecasting.models import Snapshot
from forecasting.periods import Period, first_day, month_number, period_of
from forecasting.scopes.scope import Scope, get_scope, read_pills
from forecasting.snapshots import CallRefused, freeze_snapshot, read_call_lines, read_standing, verify_snapshot
from forecasting.snapshots.forms import FreezeForm
from forecasting.snapshots.page import expected_by_row, list_calls, owner_totals, read_rows, scope_lines

freezing_allowed = role_required(User.Role.ADMIN, User.Role.MANAGER)
CALLS_PER_PAGE = 24


@require_GET
def calls(request: HttpRequest) -> HttpResponse:
    return _list(request, FreezeForm(company=get_company()))


def _list(request: HttpRequest, form: FreezeForm, *, status: int = 200) -> HttpResponse:
    user = signed_in(request)
    scope = get_scope(user, request.GET, page="forecasting:calls")
    page = Paginator(Snapshot.objects.select_related("made_by"), CALLS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "scope": scope,
        "pills": read_pills(user, scope),
        "page": page,
        "calls": list_calls(list(page.object_list), scope),
        "form": form,
        "may_freeze": user.role in {User.Role.ADMIN, User.Role.MANAGER},
        "month_url": scope.url(by="month"),
        "quarter_url": scope.url(by=None),
        "query": request.GET.urlencode(),
    }
    return render(request, "forecasting/snapshots/calls.html", context, status=status)


@require_POST
@freezing_allowed
def freeze_call(request: HttpRequest) -> HttpResponse:
    form = FreezeForm(request.POST, company=get_company())
    if form.is_valid():
        try:
            snapshot = freeze_snapshot(
                reason=Snapshot.Reason.HAND,
                user=signed_in(request),
                note=form.cleaned_data["note"],
                moment=form.cleaned_data["on"],
            )
        except CallRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Frozen: {snapshot.row_count:,} renewals as at {snapshot.as_of_on:%d %b %Y}.")
            return redirect("forecasting:call", snapshot.pk)
    return _list(request, form, status=422)


@require_GET
def call(request: HttpRequest, pk: int) -> HttpResponse:
    return _one(request, get_object_or_404(Snapshot.objects.select_related("made_by"), pk=pk))


@require_POST
@freezing_allowed
def verify_call(request: HttpRequest, pk: int) -> HttpResponse:
    snapshot = get_object_or_404(Snapshot, pk=pk)
    try:
        found = verify_snapshot(snapshot)
    except CallRefused as refused:
        messages.warning(request, str(refused))
        return redirect("forecasting:call", pk)
    if found:
        messages.error(request, f"Drawn again from history, it differs: {' '.join(found)}")
    else:
        messages.success(request, f"Drawn again from history: all {snapshot.row_count:,} renewals and lines are equal.")
    return redirect("forecasting:call", pk)


def _one(request: HttpRequest, snapshot: Snapshot) -> HttpResponse:
    user, company = signed_in(request), get_company()
    scope = get_scope(user, request.GET, page="forecasting:calls", own=("period",))
    standing, lines = read_standing(snapshot), read_call_lines(snapshot)
    by_month = scope_lines(lines, standing, scope)
    period = asked_period(request, scope, snapshot.as_of_on, snapshot.fiscal_start)
    line = by_month.get(month_number(period.starts_on))
    total = line.expected_amount if line else Decimal(0)
    places, cents = expected_by_row(standing, scope, period, total)
    number = page_number(request.GET.get("page", "1"))
    rows, has_more, rest = read_rows(user, standing, places, cents, page=number)
    context: dict[str, Any] = {
        "snapshot": snapshot,
        "scope": scope,
        "pills": [],
        "currency_sign": currency_sign(snapshot.reporting_currency),
        "currency": snapshot.reporting_currency,
        "periods": [
            (Period(scope.grain, first_day(month)).label(snapshot.fiscal_start), first_day(month), by_month[month])
            for month in sorted(by_month)
        ],
        "period": period,
        "period_label": period.label(snapshot.fiscal_start),
        "line": line,
        "total": total,
        "owners": owner_totals(standing, places, cents),
        "rows": rows,
        "rest": rest,
        "page": number,
        "has_more": has_more,
        "may_verify": user.role in {User.Role.ADMIN, User.Role.MANAGER},
        "today": company.today(),
    }
    return render(request, "forecasting/snapshots/call.html", context)


def asked_period(request: HttpRequest, scope: Scope, day: dt.date, fiscal_start: int) -> Period:
    """The period that the address names by any of its days, or the one that a day is in."""
    text = request.GET.get("period")
    if text:
        try:
            day = dt.date.fromisoformat(text)
        except ValueError as error:
            raise Http404(f"There is no period {text!r}.") from error
    return period_of(scope.grain, day, fiscal_start)


def page_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text)):
        raise Http404(f"There is no page {text!r}.")
    return int(text)
