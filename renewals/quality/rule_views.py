"""The admin's pages of data rules: what each asks, what breaks it, and what a change would find, before it is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Func, SmallIntegerField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts.access import admin_required, signed_in
from accounts.models import get_company
from renewals.models.quality import AccountBreach, DataRule, RenewalQuality
from renewals.quality.conditions import CONDITIONS, is_of_renewals
from renewals.quality.failures import read_failure
from renewals.quality.forms import RuleForm
from renewals.quality.marks import ICONS, TONES, Severity
from renewals.quality.preview import preview_rule
from renewals.quality.services import save_rule
from renewals.rules.views.answers import render_form, saved


@dataclass(frozen=True)
class RuleRow:
    rule: DataRule
    tone: str
    icon: str
    parameters: str
    count: int
    url: str  # of the rows that break it


@admin_required
def rules(request: HttpRequest) -> HttpResponse:
    counts = _counts()
    rows = [
        RuleRow(
            rule,
            TONES[Severity(rule.severity)],
            ICONS[Severity(rule.severity)],
            describe_parameters(rule),
            counts.get(rule.pk, 0),
            f"{reverse('quality:list' if is_of_renewals(rule) else 'quality:accounts')}?rule={rule.pk}",
        )
        for rule in DataRule.objects.all()
    ]
    conditions = [(key, DataRule.Condition(key).label, one.explanation) for key, one in CONDITIONS.items()]
    context = {"rows": rows, "conditions": conditions, "failure": read_failure()}
    return render(request, "quality/rules.html", context)


@admin_required
def new_rule(request: HttpRequest, condition: str) -> HttpResponse:
    if condition not in CONDITIONS:
        raise Http404(f"There is no condition {condition}.")
    return _edit(request, DataRule(condition=condition))


@admin_required
def edit_rule(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(DataRule, pk=pk))


def _edit(request: HttpRequest, rule: DataRule) -> HttpResponse:
    """The form, then what the rule would find, then the save."""
    before = DataRule(condition=rule.condition, parameters=rule.parameters) if rule.pk else None
    title = f"Data rule: {rule.name}" if rule.pk else "New data rule"
    form = RuleForm(request.POST or None, instance=rule)
    context: dict[str, Any] = {"form": form, "rule": rule, "title": title, "condition": form.condition}
    if request.method != "POST" or not form.is_valid():
        return render_form(request, "quality/rule.html", context, is_invalid=form.is_bound)
    if request.POST.get("confirm") == "yes":
        run_id = save_rule(by=signed_in(request), rule=form.save(commit=False))
        return saved(request, f"Data rule {rule} is saved.", reverse("quality:rules"), run_id)
    company = get_company()
    today, currency = company.today(), company.reporting_currency
    context["found"] = preview_rule(rule, as_of=today, reporting_currency=currency)
    context["found_before"] = before and preview_rule(before, as_of=today, reporting_currency=currency)
    context |= {"today": today, "currency": currency, "is_of_renewals": is_of_renewals(rule)}
    return render(request, "quality/rule_preview.html", context)


def _counts() -> dict[int, int]:
    """How many rows break each rule, by the last evaluation."""
    broken: Any = Func(F("rule_ids"), function="unnest", output_field=SmallIntegerField())
    counts = dict(RenewalQuality.objects.values_list(broken).annotate(Count("pk")))
    counts.update(AccountBreach.objects.order_by().values_list("rule").annotate(Count("pk")))
    return counts


def describe_parameters(rule: DataRule) -> str:
    """The rule's parameters in words: "Days: 14, Asked of: Open renewals"."""
    texts = []
    for parameter in CONDITIONS[rule.condition].parameters if rule.condition in CONDITIONS else ():
        value = rule.parameters.get(parameter.name) if isinstance(rule.parameters, dict) else None
        if value is not None:
            texts.append(f"{parameter.label}: {dict(parameter.choices).get(value, value)}")
    return ", ".join(texts)
