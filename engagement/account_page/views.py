"""The account page."""

from __future__ import annotations

import zoneinfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import get_visible_account, signed_in
from accounts.models import get_company
from accounts.touches.reading import read_touches


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    user, company, now = signed_in(request), get_company(), timezone.now()
    account = get_visible_account(user, pk)
    context = {"as_of": company.today(now), **read_touches(account, user, company, now=now)}
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        return render(request, "account_page/page.html", context)
