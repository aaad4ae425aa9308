"""The list of the unmonitored, and the admin's page of what counts as that."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import admin_required, signed_in
from accounts.exchange import read_rates
from accounts.models import Segment, get_company
from accounts.paging import PAGE_SIZE, read_pages
from engagement.models import MonitoringRule
from engagement.monitoring.forms import RulesForm
from engagement.monitoring.services import save_rules
from engagement.monitoring.unmonitored import (
    REASONS,
    by_account,
    load_unmonitored,
    read_sums,
    read_terms,
    unmonitored_renewals,
)

INVALID = 422


@require_GET
def unmonitored(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    as_of, currency, terms = company.today(), company.reporting_currency, read_terms()
    reason = request.GET.get("why", "")
    reason = reason if reason in REASONS else ""
    is_mine = request.GET.get("whose") == "mine"
    pages = read_pages(request)
    rates = read_rates(as_of=as_of, reporting_currency=currency)
    found = unmonitored_renewals(user, terms, as_of=as_of, reason=reason, is_mine=is_mine)
    rows = load_unmonitored(by_account(found, rates)[pages.rows], terms, as_of=as_of)
    context = {
        "rows": rows[:PAGE_SIZE],
        "pages": pages.of(len(rows)),
        "sums": read_sums(found, rates),
        "currency": currency,
        "terms": terms[None],
        "own_term_count": len(terms) - 1,
        "reasons": REASONS,
        "reason": reason,
        "is_mine": is_mine,
        "as_of": as_of,
    }
    return render(request, "monitoring/list.html", context)


@require_http_methods(["GET", "POST"])
@admin_required
def rules(request: HttpRequest) -> HttpResponse:
    own = {rule.segment_id for rule in MonitoringRule.objects.all()} | {None}
    terms = {pk: term for pk, term in read_terms().items() if pk in own}
    form = RulesForm(request.POST or None, segments=list(Segment.objects.all()), terms=terms)
    if form.is_valid():
        save_rules(by=signed_in(request), terms=form.terms())
        messages.success(request, "What counts as unmonitored is saved.")
        return redirect("monitoring:list")
    return render(request, "monitoring/rules.html", {"form": form}, status=INVALID if form.is_bound else 200)
