"""The payments of an account."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import get_visible_account, signed_in
from accounts.models import get_company
from engagement.payments.reads import read_payments


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
    }
    return render(request, "payments/page.html", context)
