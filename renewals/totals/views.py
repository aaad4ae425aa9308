"""The strip over the table, and what opens beside it. The rows of the page never wait for either."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from renewals.table.matching import read_matching
from renewals.totals import strip
from renewals.totals.parts import read_parts


@require_GET
def totals(request: HttpRequest) -> HttpResponse:
    company, _, matching = read_matching(signed_in(request), request.GET)
    currency = company.reporting_currency
    found = strip.read_totals(matching, as_of=company.today(), reporting_currency=currency)
    context = {
        "totals": strip.describe(found, currency),
        "notes": strip.notes(found, currency),
        "count": found.count,
    }
    return render(request, "renewals/_totals.html", context)


@require_GET
def parts(request: HttpRequest) -> HttpResponse:
    """By booking type and currency: made when it is opened."""
    company, _, matching = read_matching(signed_in(request), request.GET)
    currency = company.reporting_currency
    found = read_parts(matching, as_of=company.today(), reporting_currency=currency)
    return render(request, "renewals/_parts.html", {"parts": found, "currency": currency})
