"""The list of accounts with unusual support."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from accounts.models import get_company
from engagement.support.reads import SHOWN_ROWS, read_unusual

KINDS = {
    "": "All",
    "ending": "Leaving or exporting",
    "severe": "Severe open",
    "reopened": "Reopened",
    "reporters": "Several reporters",
    "silence": "Silence",
}


@require_GET
def unusual(request: HttpRequest) -> HttpResponse:
    company = get_company()
    as_of, code = company.today(), request.GET.get("kind", "")
    code = code if code in KINDS else ""
    context = {
        "as_of": as_of,
        "kinds": [(label, f"?kind={name}" if name else "?", name == code) for name, label in KINDS.items()],
        "found": read_unusual(signed_in(request), as_of=as_of, code=code),
        "currency": company.reporting_currency,
        "shown_rows": SHOWN_ROWS,
    }
    return render(request, "support/unusual.html", context)
