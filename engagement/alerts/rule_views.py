"""The admin's pages of alert rules: what each asks, how it was, and what a change would have done, before its save."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import admin_required, signed_in
from accounts.models import Segment, User, get_company
from engagement.alerts.causes import CAUSES, parameters_of
from engagement.alerts.forms import RuleForm
from engagement.alerts.preview import preview_rule
from engagement.alerts.services import save_rule
from engagement.models import AlertRule

INVALID = 422
VERSIONS_SHOWN = 20
FIRED_WITHIN = dt.timedelta(days=30)


@dataclass(frozen=True)
class Version:
    """How a rule was until a moment, and who changed it then."""

    until: dt.datetime
    by: str
    text: str
    is_active: bool


@require_GET
@admin_required
def rules(request: HttpRequest) -> HttpResponse:
    lately = Q(alerts__fired_at__gt=timezone.now() - FIRED_WITHIN, alerts__is_quiet=False)
    counted = AlertRule.objects.select_related("segment").annotate(
        fired_count=Count("alerts", filter=lately), open_count=Count("alerts", filter=Q(alerts__ended_at__isnull=True))
    )
    context = {
        "rows": [(rule, describe(rule), CAUSES[rule.kind].icon) for rule in counted.order_by("name")],
        "kinds": [(kind, AlertRule.Kind(kind).label, cause.explanation) for kind, cause in CAUSES.items()],
    }
    return render(request, "alerts/rules.html", context)


@require_http_methods(["GET", "POST"])
@admin_required
def new_rule(request: HttpRequest, kind: str) -> HttpResponse:
    if kind not in CAUSES:
        raise Http404(f"There is no kind of alert {kind!r}.")
    return _edit(request, AlertRule(kind=kind))


@require_http_methods(["GET", "POST"])
@admin_required
def edit_rule(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(AlertRule, pk=pk))


def _edit(request: HttpRequest, rule: AlertRule) -> HttpResponse:
    """The form, what the rule would have done, then the save."""
    company, now = get_company(), timezone.now()
    title = f"Alert rule: {rule.name}" if rule.pk else f"New alert rule: {AlertRule.Kind(rule.kind).label}"
    before = AlertRule.objects.filter(pk=rule.pk).first() if rule.pk else None
    form = RuleForm(request.POST or None, instance=rule)
    is_valid = form.is_bound and form.is_valid()
    if is_valid and request.POST.get("confirm") == "yes":
        save_rule(by=signed_in(request), rule=form.save(commit=False))
        messages.success(
            request, f"Alert rule {rule} is saved. What is already so is recorded without telling anybody."
        )
        return redirect("alerts:rules")
    context: dict[str, Any] = {"form": form, "rule": rule, "title": title, "cause": form.cause}
    if is_valid:
        context["found"] = preview_rule(rule, company=company, now=now)
        context["found_before"] = preview_rule(before, company=company, now=now) if before else None
    else:
        context["versions"] = read_versions(rule) if rule.pk else []
    with timezone.override(zoneinfo.ZoneInfo(company.time_zone)):
        return render(request, "alerts/rule.html", context, status=INVALID if form.is_bound and not is_valid else 200)


def describe(rule: AlertRule) -> str:
    """The rule's limits and scope in words: "Points down: 20, Within days: 7; Enterprise only"."""
    limits = parameters_of(rule)
    texts = [f"{one.label}: {limits[one.name]}" for one in CAUSES[rule.kind].parameters if limits[one.name] is not None]
    scope = [f"{rule.segment} only"] if rule.segment else []
    scope += [f"from {rule.least_amount:,.0f}"] if rule.least_amount is not None else []
    return "; ".join([", ".join(texts), *scope])


def read_versions(rule: AlertRule) -> list[Version]:
    """The rule as it was before each of its changes, the newest first. Two queries."""
    events = rule.events.filter(pgh_label="before_update").order_by("-pgh_id")[:VERSIONS_SHOWN]  # type: ignore[attr-defined]
    found = list(events)
    authors = User.objects.in_bulk({int(event.pgh_context["user"]) for event in found if _author(event) is not None})
    segments = Segment.objects.in_bulk({event.segment_id for event in found if event.segment_id})
    return [
        Version(
            event.pgh_created_at,
            str(authors.get(_author(event) or 0, "Somebody")),
            describe(
                AlertRule(
                    kind=rule.kind,
                    parameters=event.parameters,
                    segment=segments.get(event.segment_id),
                    least_amount=event.least_amount,
                )
            ),
            event.is_active,
        )
        for event in found
    ]


def _author(event: Any) -> int | None:
    user = (event.pgh_context or {}).get("user")
    return None if user is None else int(user)
