"""What one is told: the bell, the list, and the page of how one wants to be told."""

from __future__ import annotations

import json
import zoneinfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import signed_in
from accounts.models import get_company
from engagement.alerts.forms import PreferenceForm, WishesForm
from engagement.alerts.reads import MOST_UNREAD, SHOWN, as_told, count_unread, find_alerts, read_wishes
from engagement.alerts.services import mark_read, mute_rule, save_wishes
from engagement.alerts.services import unmute as take_mute_back
from engagement.models import Alert, AlertMute, AlertPreference, AlertRule

PAGE_SIZE = 50
INVALID = 422


@require_GET
def alerts(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    shown = request.GET.get("show", "unread")
    shown = shown if shown in SHOWN else "unread"
    kind = request.GET.get("kind", "")
    kind = kind if kind in AlertRule.Kind.values else ""
    page = Paginator(find_alerts(user, shown=shown, kind=kind), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [as_told(alert, company) for alert in page],
        "shown": shown,
        "lists": SHOWN.items(),
        "kind": kind,
        "kind_label": AlertRule.Kind(kind).label if kind else "",
        "kinds": AlertRule.Kind.choices,
        "unread_count": count_unread(user),
        "most_unread": MOST_UNREAD,
    }
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        return render(request, "alerts/list.html", context)


@require_GET
@never_cache
def unread(request: HttpRequest) -> HttpResponse:
    """The bell's number, which open pages ask for every half minute; blank where it is 0."""
    count = count_unread(signed_in(request))
    return render(request, "alerts/_count.html", {"count": count, "most": MOST_UNREAD})


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """One alert (`alert`), or all of them."""
    text = request.POST.get("alert", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404("That is no alert.")
    mark_read(user=signed_in(request), alert_id=int(text) if text else None)
    return _back(request)


@require_POST
def mute(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    alert = get_object_or_404(Alert.objects.visible_to(user).select_related("rule", "account"), pk=pk)
    if not mute_rule(user=user, alert=alert):
        raise Http404("This alert is about no account.")
    messages.success(request, f"“{alert.rule}” is silent for {alert.account}. Your settings list it.")
    return _back(request)


@require_POST
def unmute(request: HttpRequest, pk: int) -> HttpResponse:
    if not take_mute_back(user=signed_in(request), mute_id=pk):
        raise Http404("This is not silent for you.")
    messages.success(request, "You are told of it again.")
    return redirect("alerts:settings")


def _back(request: HttpRequest) -> HttpResponse:
    if request.headers.get("X-Requested-With") == "fetch" or request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"alerts:changed": {}})})
    address = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return redirect(address if is_ours else "alerts:list")


@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    user, company = signed_in(request), get_company()
    rules = list(AlertRule.objects.filter(is_active=True).select_related("segment"))
    preference = AlertPreference.objects.filter(user=user).first() or AlertPreference(user=user)
    hours = PreferenceForm(request.POST or None, instance=preference)
    form = WishesForm(request.POST or None, rules=rules, wishes=read_wishes(user, rules))
    is_bound = request.method == "POST"
    if is_bound and hours.is_valid() and form.is_valid():
        save_wishes(user=user, preference=hours.save(commit=False), wishes=form.wishes())
        messages.success(request, "What you are told, and when, is saved.")
        return redirect("alerts:settings")
    context = {
        "hours": hours,
        "form": form,
        "mutes": AlertMute.objects.filter(user=user).select_related("rule", "account"),
        "zone": company.time_zone,
    }
    return render(request, "alerts/settings.html", context, status=INVALID if is_bound else 200)
