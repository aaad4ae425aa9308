"""The forecast page, and the recompute behind it."""

from calendar import month_name

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import role_required, signed_in
from accounts.models import Company, User, get_company
from accounts.templatetags.money import currency_sign
from forecasting import services
from forecasting.as_at import InvalidMoment, known_since, parse_moment
from forecasting.as_at.overview import read_overview
from forecasting.models import Run
from forecasting.overview.at_risk import read_at_risk
from forecasting.overview.basis import describe_basis
from forecasting.overview.charts import build_charts
from forecasting.overview.dashboard import ATTRIBUTIONS, build_totals, current_of, read_periods, window_url
from forecasting.scopes.parts import part_pills, told_of
from forecasting.scopes.scope import Grain, Scope, get_scope, read_pills
from forecasting.status import read_status, runs_without_tables

recompute_allowed = role_required(User.Role.ADMIN, User.Role.MANAGER)
RUNS_PER_PAGE = 30


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    scope = get_scope(user, request.GET, own=("as_at",), is_sliced=True)
    if request.GET.get("as_at"):
        return overview_as_at(request, user, scope, company)
    today = company.today()
    status = read_status()
    attribution = ATTRIBUTIONS[company.Attribution(company.attribution)]
    context = {
        "scope": scope,
        "company": company,
        "today": today,
        "status": status,
        "pills": [*read_pills(user, scope), *part_pills(scope, company)],
        "told_of_part": told_of(scope),
        "attribution": attribution,
        "currency_sign": currency_sign(company.reporting_currency),
        "month_url": scope.url(by=Grain.MONTH),
        "quarter_url": scope.url(by=None),
        "fiscal_year_month": month_name[company.fiscal_year_start_month],
        "may_recompute": user.role in {User.Role.ADMIN, User.Role.MANAGER},
    }
    if status.published is not None:
        periods = read_periods(user, scope, company, today=today)
        at_risk = read_at_risk(user, scope, company, today=today)
        context |= {
            "totals": build_totals(scope, company, periods, at_risk),
            "basis": describe_basis(status.published, current_of(periods), company.reporting_currency),
            "charts": build_charts(scope, company.reporting_currency, attribution, periods, at_risk),
            "at_risk": at_risk,
            "window_url": window_url(scope, at_risk),
        }
    return render(request, "forecasting/overview.html", context)


def overview_as_at(request: HttpRequest, user: User, scope: Scope, company: Company) -> HttpResponse:
    """The page as it stood: every figure of it is drawn from the book as at that moment."""
    context: dict[str, object] = {"scope": scope, "now_url": scope.url(as_at=None), "today": company.today()}
    try:
        asked = parse_moment(request.GET["as_at"], company)
    except InvalidMoment as error:
        context |= {"error": str(error), "company": company}
        return render(request, "forecasting/as_at.html", context, status=422)
    since = known_since()
    if since is None or asked.moment < since.at:
        context |= {"asked": asked, "company": company, "since": since, "is_unknown": True}
        return render(request, "forecasting/as_at.html", context)
    found = read_overview(user, scope, asked)
    then, currency = found.company, found.company.reporting_currency
    attribution = ATTRIBUTIONS[then.Attribution(then.attribution)]
    context |= {
        "asked": asked,
        "company": then,
        "run_id": found.book.run_id,
        "pills": [*read_pills(user, scope), *part_pills(scope, company)],
        "told_of_part": told_of(scope),
        "attribution": attribution,
        "currency_sign": currency_sign(currency),
        "month_url": scope.url(by=Grain.MONTH),
        "quarter_url": scope.url(by=None),
        "totals": build_totals(scope, then, found.periods, found.at_risk),
        "charts": build_charts(scope, currency, attribution, found.periods, found.at_risk),
        "at_risk": found.at_risk,
        "window_url": window_url(scope, found.at_risk),
    }
    return render(request, "forecasting/as_at.html", context)


@require_POST
@recompute_allowed
def request_run(request: HttpRequest) -> HttpResponse:
    services.request_run(reason=Run.Reason.DEMAND, user=signed_in(request))
    if request.headers.get("HX-Request"):
        return run_status_answer(request)
    messages.info(request, "The recompute is on its way; the numbers stay as they are until it is published.")
    return redirect("forecasting:overview")


@require_GET
def run_status(request: HttpRequest) -> HttpResponse:
    """The status line, which asks for itself again while a run is on its way."""
    return run_status_answer(request)


def run_status_answer(request: HttpRequest) -> HttpResponse:
    # What the page was drawn from: a run that was published since is offered, not forced on somebody who reads.
    shown = request.GET.get("shown", request.POST.get("shown", ""))
    return render(request, "forecasting/_run_status.html", {"status": read_status(), "shown": shown})


@require_GET
@recompute_allowed
def runs(request: HttpRequest) -> HttpResponse:
    page = Paginator(runs_without_tables(), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "forecasting/runs.html", {"page": page, "status": read_status()})
