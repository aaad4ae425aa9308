"""A person's calendar address: made, shown once, taken back; and what a calendar program reads there."""

from __future__ import annotations

import hashlib
import zoneinfo

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.access import role_required, signed_in
from accounts.models import User, get_company
from renewals.models.feeds import CalendarFeed
from renewals.queue.feeds import DAYS_AHEAD, DAYS_BACK, build_calendar, find_owner, make_feed, revoke_feed

# Whoever can own renewals.
owners_only = role_required(User.Role.REP, User.Role.MANAGER, User.Role.ADMIN)
SECONDS_FRESH = 900


@require_GET
@owners_only
def feed_page(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@owners_only
def make(request: HttpRequest) -> HttpResponse:
    """The answer is the only page that ever shows the address; it is neither kept nor cached."""
    token = make_feed(user=signed_in(request))
    return _page(request, url=request.build_absolute_uri(reverse("queue:feed", args=[token])))


@require_POST
@owners_only
def revoke(request: HttpRequest) -> HttpResponse:
    if revoke_feed(user=signed_in(request)):
        messages.success(request, "The calendar address no longer works.")
    return redirect("queue:feed_page")


@never_cache
def _page(request: HttpRequest, *, url: str = "") -> HttpResponse:
    feed = CalendarFeed.objects.filter(user=signed_in(request)).first()
    context = {"feed": feed, "url": url, "days_back": DAYS_BACK, "days_ahead": DAYS_AHEAD}
    with timezone.override(zoneinfo.ZoneInfo(get_company().time_zone)):
        return render(request, "queue/feed.html", context)


@login_not_required
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The token is the permission. A wrong one, a revoked one and one of somebody who left are the same 404."""
    owner = find_owner(token)
    if owner is None:
        raise Http404
    body = build_calendar(
        owner,
        get_company(),
        host=request.get_host(),
        url_of=lambda renewal: request.build_absolute_uri(reverse("renewals:row", args=[renewal.pk])),
    )
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={SECONDS_FRESH}"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="renewals.ics"'
    return HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)
