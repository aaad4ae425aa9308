"""Human and model: the page of reps, and the list of renewals on which the two disagree."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from accounts.models import get_company
from forecasting.frames.calls import HORIZONS
from forecasting.reps.disagreement import POINTS, SIDES, find_disagreements, read_asked
from forecasting.reps.page import calibration_figure, judge_overrides, read_horizon, read_records, totals_of
from renewals.access import may_edit
from renewals.models import Override
from renewals.overrides.forms import PinForm

PAGE_SIZE = 50


@require_GET
def reps(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    records = read_records(user, read_horizon(request.GET))
    asked = read_asked({})
    context = {
        "records": records,
        "totals": totals_of(records, judge_overrides(user)),
        "horizons": [(days, f"{days} days" if days else "the day") for days in HORIZONS],
        "rows": [*([records.average] if records.average else []), *records.rows],
        "chart": calibration_figure(records.average),
        "disagreement_count": find_disagreements(user, asked).count(),
        "points": asked.points,
    }
    return render(request, "forecasting/reps/reps.html", context)


@require_GET
def disagreements(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    asked = read_asked(request.GET.dict())
    page = Paginator(find_disagreements(user, asked), PAGE_SIZE).get_page(request.GET.get("page"))
    as_of = company.today()
    standing = Override.objects.standing(as_of).filter(renewal__in=[row.pk for row in page]).select_related("pinned_by")
    pins = {one.renewal_id: one for one in standing}
    context = {
        "asked": asked,
        "page": page,
        "rows": [(row, pins.get(row.pk), may_edit(user, row)) for row in page],
        "points": [(points, asked.url(points=points)) for points in POINTS],
        "sides": [(name, label, asked.url(side=name)) for name, label in SIDES.items()],
        "mine_url": asked.url(owner="" if asked.is_mine else "me"),
        "here": request.get_full_path(),
        "pin_form": PinForm(as_of=as_of, auto_id=False),
        "as_of": as_of,
    }
    return render(request, "forecasting/reps/disagreements.html", context)
