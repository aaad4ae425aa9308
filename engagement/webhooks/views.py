"""Webhooks: the pages of admins."""

from __future__ import annotations

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import admin_required, signed_in
from engagement.models import Event, WebhookDelivery, WebhookEndpoint
from engagement.webhooks import services
from engagement.webhooks.forms import EndpointForm
from engagement.webhooks.sending import PAUSED_AFTER

INVALID = 422
PAGE_SIZE = 50
LABELS = dict(Event.choices)
STATES = dict(WebhookDelivery.State.choices)


@require_GET
@admin_required
def endpoints(request: HttpRequest) -> HttpResponse:
    waiting = Count("deliveries", filter=Q(deliveries__state=WebhookDelivery.State.WAITING))
    rows = WebhookEndpoint.objects.annotate(waiting_count=waiting, delivered_at=Max("deliveries__delivered_at"))
    listed = [(row, [LABELS.get(name, name) for name in row.event_names]) for row in rows]
    return render(request, "webhooks/list.html", {"rows": listed, "paused_after": PAUSED_AFTER})


@require_http_methods(["GET", "POST"])
@admin_required
@never_cache
def add(request: HttpRequest) -> HttpResponse:
    form = EndpointForm(request.POST or None)
    if form.is_valid():
        secret = services.add_endpoint(user=signed_in(request), endpoint=form.instance)
        return render(request, "webhooks/secret.html", {"endpoint": form.instance, "secret": secret, "is_new": True})
    return render(request, "webhooks/add.html", {"form": form}, status=INVALID if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@admin_required
def endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """Its settings, and the log of what it was sent."""
    row = _endpoint(pk)
    form = EndpointForm(request.POST or None, instance=row)
    if form.is_valid():
        services.save_endpoint(user=signed_in(request), endpoint=form.instance)
        messages.success(request, f"{form.instance} is saved.")
        return redirect("webhooks:endpoint", pk)
    state = request.GET.get("state", "")
    log = WebhookDelivery.objects.filter(endpoint=pk, **({"state": state} if state in STATES else {}))
    page = Paginator(log, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "endpoint": _endpoint(pk),
        "form": form,
        "page": page,
        "rows": [(each, LABELS.get(each.event, "Test"), _pretty(each)) for each in page],
        "state": state,
        "states": STATES,
    }
    return render(request, "webhooks/endpoint.html", context, status=INVALID if form.is_bound else 200)


@require_POST
@admin_required
@never_cache
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    row = _endpoint(pk)
    secret = services.rotate_secret(user=signed_in(request), endpoint=row)
    return render(request, "webhooks/secret.html", {"endpoint": row, "secret": secret, "is_new": False})


@require_POST
@admin_required
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    row = _endpoint(pk)
    services.pause_endpoint(user=signed_in(request), endpoint=row, now=timezone.now())
    return _back(request, pk, f"{row} is paused. What happens meanwhile is kept.")


@require_POST
@admin_required
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    row = _endpoint(pk)
    services.resume_endpoint(user=signed_in(request), endpoint=row, now=timezone.now())
    return _back(request, pk, f"{row} is resumed. What has waited is sent within seconds.")


@require_POST
@admin_required
def test(request: HttpRequest, pk: int) -> HttpResponse:
    services.send_test(user=signed_in(request), endpoint=_endpoint(pk))
    return _back(request, pk, "A test is queued; the log below tells what came of it within seconds.")


@require_POST
@admin_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = _endpoint(pk)
    services.delete_endpoint(user=signed_in(request), endpoint=row)
    messages.success(request, f"{row} is deleted, with its log.")
    return redirect("webhooks:list")


@require_POST
@admin_required
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    delivery = get_object_or_404(WebhookDelivery, pk=pk)
    is_queued = services.replay_delivery(delivery=delivery, now=timezone.now())
    text = "It is sent again within seconds, under the same id." if is_queued else "It waits to be sent already."
    return _back(request, delivery.endpoint_id, text)


def _endpoint(pk: int) -> WebhookEndpoint:
    return get_object_or_404(WebhookEndpoint, pk=pk)


def _back(request: HttpRequest, pk: int, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("webhooks:endpoint", pk)


def _pretty(delivery: WebhookDelivery) -> str:
    return json.dumps(delivery.payload, indent=2, ensure_ascii=False)
