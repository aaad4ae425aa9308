"""The page of targets: read by whoever sees the forecast, written by managers for their team and by admins."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import signed_in
from accounts.models import Team, get_company
from accounts.templatetags.money import exact_money
from forecasting.periods import Grain
from forecasting.targets.page import (
    YEARS_AROUND,
    TargetsForm,
    build_rows,
    fiscal_year,
    labels,
    read_expected,
    read_grid,
    read_present,
)
from forecasting.targets.services import StaleTargets, save_targets

INVALID, STALE = 422, 409


@require_http_methods(["GET", "POST"])
def targets(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    grid = read_grid(user, request.GET.dict(), company)
    if request.method == "POST" and not grid.is_editable:
        raise PermissionDenied("Targets are set by managers, for their own team, and by admins.")
    form = TargetsForm(request.POST if request.method == "POST" else None, grid=grid, present=read_present(grid))
    status = 200
    if form.is_bound:
        status = INVALID
        if form.is_valid():
            try:
                count = save_targets(by=user, grain=grid.grain, asked=form.asked())
            except StaleTargets as stale:
                status = STALE
                for name, held in form.cells.items():
                    if held in stale.present:
                        now = stale.present[held]
                        text = exact_money(now, company.reporting_currency) if now is not None else "blank"
                        form.add_error(name, f"Somebody made it {text} meanwhile. Reload the page to see it.")
            else:
                told = f"{count} target{'' if count == 1 else 's'} saved." if count else "Nothing was changed."
                messages.success(request, told)
                return redirect(request.get_full_path())
    present_year = fiscal_year(company.today(), company.fiscal_year_start_month)
    context = {
        "grid": grid,
        "form": form,
        "rows": build_rows(grid, form, read_expected(grid)),
        "labels": labels(grid.periods, company.fiscal_year_start_month),
        "grains": Grain.choices,
        "years": range(present_year - YEARS_AROUND, present_year + YEARS_AROUND + 1),
        "teams": Team.objects.all() if user.sees_all else [],
        "currency": company.reporting_currency,
        "as_of": company.today(),
    }
    return render(request, "forecasting/targets/page.html", context, status=status)
