"""Risk weights by segment, and the factors that weigh custom attributes."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from accounts.access import admin_required, signed_in
from accounts.forms import posted
from accounts.models import Account, AttributeDefinition, Segment
from accounts.seen import reconciled
from accounts.segments import read_segment, segment_name
from renewals.models import Renewal, RiskFactor, RiskWeightVersion
from renewals.rules import services
from renewals.rules.forms import FactorForm, WeightsForm
from renewals.rules.views.answers import render_form, saved
from renewals.scoring import scoring

VERSIONS_SHOWN = 30
KNOWN_CATEGORIES = 50


@dataclass(frozen=True)
class FactorRow:
    factor: RiskFactor
    field: BoundField
    share: float  # per cent of the shown weights
    before: float | None = None  # the weight in force, where a suggested one is shown


@dataclass(frozen=True)
class VersionRow:
    version: RiskWeightVersion
    changes: list[str]  # against the version before it
    is_in_force: bool


@admin_required
def weights(request: HttpRequest) -> HttpResponse:
    segment = read_segment(request)
    factors = list(RiskFactor.objects.select_related("attribute"))
    versions = list(
        RiskWeightVersion.objects.filter(segment=segment).select_related("created_by")[: VERSIONS_SHOWN + 1]
    )
    has_own = bool(versions and versions[0].weights)
    in_force = versions[0] if has_own else RiskWeightVersion.objects.filter(segment=None).first()
    current = in_force.weights if in_force else {}
    initial = {factor.key: current.get(factor.key, 0) for factor in factors}
    suggested = (
        scoring().judge_weights(segment.pk if segment else None).suggested if "suggested" in request.GET else None
    )
    if suggested:
        initial = {key: suggested.get(key, weight) for key, weight in initial.items()}
    form = WeightsForm(posted(request), factors=factors, initial=initial)
    if form.is_valid():
        run_id = services.save_weights(by=signed_in(request), segment=segment, weights=form.weights())
        return saved(request, f"New weights for {segment_name(segment)}.", _url(segment), run_id)
    total = sum(initial.values())
    context = {
        "form": form,
        "rows": [
            FactorRow(
                factor,
                form[factor.key],
                100 * initial[factor.key] / total if total else 0,
                current.get(factor.key, 0) if suggested else None,
            )
            for factor in factors
        ],
        "is_suggested": suggested is not None,
        "total": total,
        "segment": segment,
        "segment_name": segment_name(segment),
        "segments": Segment.objects.all(),
        "is_borrowed": segment is not None and not has_own,
        "versions": _version_rows(versions, factors)[:VERSIONS_SHOWN],
        "unweighed": AttributeDefinition.objects.filter(riskfactor=None),
    }
    return render_form(request, "rules/weights.html", context, is_invalid=form.is_bound)


@require_GET
@admin_required
def weights_outcomes(request: HttpRequest) -> HttpResponse:
    """The weights against what came: a part of the page that is asked for by itself, because it takes a moment."""
    segment = read_segment(request)
    query = urlencode({"segment": segment.pk if segment else "", "suggested": 1})
    context = {
        "judgement": scoring().judge_weights(segment.pk if segment else None),
        "suggested_url": f"{reverse('rules:weights')}?{query}",
    }
    return render(request, "rules/_outcomes.html", context)


@require_POST
@admin_required
def restore_weights(request: HttpRequest, pk: int) -> HttpResponse:
    version = get_object_or_404(RiskWeightVersion.objects.exclude(weights={}).select_related("segment"), pk=pk)
    # As they were, and 0 for factors that came later.
    keys = RiskFactor.objects.values_list("key", flat=True)
    old = {key: version.weights.get(key, 0) for key in keys}
    run_id = services.save_weights(by=signed_in(request), segment=version.segment, weights=old)
    text = (
        f"The weights of {version.created_at:%d %b %Y, %H:%M} are in force again for {segment_name(version.segment)}."
    )
    return saved(request, text, _url(version.segment), run_id)


@require_POST
@admin_required
def share_weights(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Hand a segment back to the weights of the others."""
    segment = get_object_or_404(Segment, pk=segment_id)
    run_id = services.share_weights(by=signed_in(request), segment=segment)
    return saved(
        request,
        f"{segment} uses the weights of the other segments again.",
        _url(segment),
        run_id,
    )


@admin_required
def new_factor(request: HttpRequest, attribute_id: int) -> HttpResponse:
    attribute = get_object_or_404(AttributeDefinition.objects.filter(riskfactor=None), pk=attribute_id)
    factor = RiskFactor(key=attribute.key, label=attribute.label)
    form = FactorForm(posted(request), instance=factor, attribute=attribute, known=_known_categories(attribute))
    if form.is_valid():
        try:
            run_id = services.add_factor(by=signed_in(request), factor=form.save(commit=False))
        except IntegrityError:
            form.add_error(None, "Somebody made a factor of this attribute just now.")
        else:
            return saved(request, f"{factor} is a risk factor now; give it a weight.", reverse("rules:weights"), run_id)
    context = {"form": form, "attribute": attribute, "is_new": True}
    return render_form(request, "rules/factor.html", context, is_invalid=form.is_bound)


@admin_required
def edit_factor(request: HttpRequest, pk: int) -> HttpResponse:
    factors = RiskFactor.objects.filter(attribute__isnull=False).select_related("attribute")
    factor = get_object_or_404(factors, pk=pk)
    attribute = factor.attribute
    assert attribute is not None
    form, is_stale = reconciled(request, lambda data: FactorForm(data, instance=factor, attribute=attribute))
    if form.is_valid():
        run_id = services.update_factor(by=signed_in(request), factor=factor, values=form.values())
        return saved(request, f"{factor} is saved.", reverse("rules:weights"), run_id)
    context = {"form": form, "attribute": attribute, "is_new": False}
    return render_form(request, "rules/factor.html", context, is_invalid=form.is_bound, is_stale=is_stale)


def _url(segment: Segment | None) -> str:
    return reverse("rules:weights") + (f"?segment={segment.pk}" if segment else "")


def _version_rows(versions: list[RiskWeightVersion], factors: list[RiskFactor]) -> list[VersionRow]:
    labels = {factor.key: factor.label for factor in factors}
    rows = []
    for index, version in enumerate(versions):
        before = versions[index + 1].weights if index + 1 < len(versions) else None
        rows.append(VersionRow(version, _changes(before, version.weights, labels), is_in_force=index == 0))
    return rows


def _changes(before: dict[str, float] | None, after: dict[str, float], labels: dict[str, str]) -> list[str]:
    if not after:
        return ["the weights of the other segments"]
    if not before:
        return []
    return [
        f"{label} {before.get(key, 0):g} → {after.get(key, 0):g}"
        for key, label in labels.items()
        if before.get(key, 0) != after.get(key, 0)
    ]


def _known_categories(attribute: AttributeDefinition) -> list[str]:
    """Categories that accounts or renewals have now, to start from."""
    if attribute.kind != AttributeDefinition.Kind.CATEGORY:
        return []
    holder = Account if attribute.holder == AttributeDefinition.Holder.ACCOUNT else Renewal
    path = f"attributes__{attribute.key}"
    values = holder._default_manager.filter(attributes__has_key=attribute.key).order_by().values_list(path, flat=True)
    return sorted({str(value) for value in values.distinct()[:KNOWN_CATEGORIES] if value not in (None, "")})
