"""What opens beside the totals: made when it is opened, so that the strip does not wait for it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from renewals.parts.sums import read_parts
from renewals.table.matching import read_matching


@require_GET
def parts(request: HttpRequest) -> HttpResponse:
    company, _, matching = read_matching(signed_in(request), request.GET)
    currency = company.reporting_currency
    found = read_parts(matching, as_of=company.today(), reporting_currency=currency)
    return render(request, "renewals/_parts.html", {"parts": found, "currency": currency})
