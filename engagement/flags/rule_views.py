"""The admin's pages of flag rules: what each asks, what it flags, and what a change would flag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import admin_required, signed_in
from accounts.models import get_company
from engagement.flags.evaluate import preview_conditions
from engagement.flags.forms import RuleForm
from engagement.flags.measures import say_conditions
from engagement.flags.services import save_rule
from engagement.models.flags import Flag, FlagPass, FlagRule

INVALID = 422


@dataclass(frozen=True)
class RuleRow:
    rule: FlagRule
    asks: str
    count: int


@require_GET
@admin_required
def rules(request: HttpRequest) -> HttpResponse:
    counts = dict(Flag.objects.open().order_by().values_list("rule").annotate(Count("pk")))
    rows = [RuleRow(rule, say_conditions(rule.conditions), counts.get(rule.pk, 0)) for rule in FlagRule.objects.all()]
    context = {"rows": rows, "last_pass": FlagPass.objects.filter(pk=1).first()}
    return render(request, "flags/rules.html", context)


@require_http_methods(["GET", "POST"])
@admin_required
def new_rule(request: HttpRequest) -> HttpResponse:
    return _edit(request, FlagRule())


@require_http_methods(["GET", "POST"])
@admin_required
def edit_rule(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(FlagRule, pk=pk))


def _edit(request: HttpRequest, rule: FlagRule) -> HttpResponse:
    """The form, then what the rule would flag, then the save."""
    form = RuleForm(request.POST or None, instance=rule)
    context: dict[str, Any] = {"form": form, "rule": rule}
    if not form.is_valid():
        return render(request, "flags/rule.html", context, status=INVALID if form.is_bound else 200)
    if request.POST.get("confirm") == "yes":
        save_rule(by=signed_in(request), rule=form.save(commit=False), now=timezone.now())
        messages.success(request, f"“{rule}” is saved; the book is judged by it within seconds.")
        return redirect("flags:rules")
    company = get_company()
    context |= {
        "found": preview_conditions(rule.conditions, as_of=company.today()),
        "flagged_count": Flag.objects.open().filter(rule=rule).count() if rule.pk else 0,
        "asks": say_conditions(rule.conditions),
        "currency": company.reporting_currency,
        "today": company.today(),
    }
    return render(request, "flags/rule_preview.html", context)
