"""Payments in total, and those of an account."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import get_visible_account, signed_in
from accounts.models import get_company
from engagement.payments.overview import SHOWN_ROWS, read_collected, read_troubles
from engagement.payments.reads import read_payments
from forecasting.engine.payments import FEWEST_DEFAULTS, FEWEST_INVOICES
from forecasting.frames.payments import read_payment_terms


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    user, company = signed_in(request), get_company()
    account = get_visible_account(user, pk)
    as_of = company.today()
    context = {
        "account": account,
        "as_of": as_of,
        "currency": company.reporting_currency,
        "payments": read_payments(account, user, as_of=as_of),
        "fewest_invoices": FEWEST_INVOICES,
        "fewest_defaults": FEWEST_DEFAULTS,
    }
    return render(request, "payments/page.html", context)


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    as_of = company.today()
    troubles = read_troubles(user, as_of=as_of)
    context = {
        "as_of": as_of,
        "currency": company.reporting_currency,
        "collected": read_collected(user, company, today=as_of),
        "terms": read_payment_terms(),
        "fewest_invoices": FEWEST_INVOICES,
        "fewest_defaults": FEWEST_DEFAULTS,
        "troubles": troubles[:SHOWN_ROWS],
        "trouble_count": len(troubles),
        "overdue_amount": sum(row.overdue_amount for row in troubles),
        "expected_amount": sum(row.expected_amount for row in troubles),
        "lost_amount": sum(row.lost_amount for row in troubles),
        "without_rate": sorted(set().union(*(row.without_rate for row in troubles))),
    }
    return render(request, "payments/overview.html", context)
