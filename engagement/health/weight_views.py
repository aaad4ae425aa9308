"""The admin's pages of health: weights and bands by segment, with what they would change, and custom signals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import admin_required, signed_in
from accounts.forms import posted
from accounts.models import HealthFactor, HealthWeightVersion, Segment, get_company
from accounts.segments import read_segment, segment_name
from accounts.signal_weights import find_unweighed, propose_weight
from engagement.health import services
from engagement.health.forms import FactorForm, HealthWeightsForm
from forecasting.health.preview import preview_weights

VERSIONS_SHOWN = 30
INVALID = 422
LATER = "Every account that it is about is judged anew within a minute."


@dataclass(frozen=True)
class FactorRow:
    factor: HealthFactor
    field: BoundField
    share: float  # per cent of the shown weights
    is_proposed: bool = False  # nobody has weighed it yet: the field holds what could be saved


@dataclass(frozen=True)
class VersionRow:
    version: HealthWeightVersion
    changes: list[str]  # against the version before it
    is_in_force: bool


@require_http_methods(["GET", "POST"])
@admin_required
def weights(request: HttpRequest) -> HttpResponse:
    """A POST shows first what would change; one with `confirm` saves."""
    segment = read_segment(request)
    factors = list(HealthFactor.objects.all())
    own = HealthWeightVersion.objects.filter(segment=segment).select_related("created_by")
    versions = list(own[: VERSIONS_SHOWN + 1])
    has_own = bool(versions and versions[0].weights)
    shared = HealthWeightVersion.objects.filter(segment=None).first() or HealthWeightVersion(weights={})
    current = versions[0] if has_own else shared
    proposed, unweighed = propose_weight(current.weights), {one.factor.key for one in find_unweighed(factors)}
    unweighed -= set(current.weights)
    initial = {
        f"weight-{factor.key}": current.weights.get(factor.key, proposed if factor.key in unweighed else 0)
        for factor in factors
    }
    initial |= {"healthy_from": current.healthy_from, "watch_from": current.watch_from}
    form = HealthWeightsForm(posted(request), factors=factors, initial=initial)
    if form.is_valid() and "back" not in request.POST:
        return _save(request, segment, form) if "confirm" in request.POST else _preview(request, segment, form)
    shown = {factor.key: initial[f"weight-{factor.key}"] for factor in factors}
    total = sum(shown.values())
    context = {
        "form": form,
        "rows": [
            FactorRow(factor, form[f"weight-{factor.key}"], _share(shown[factor.key], total), factor.key in unweighed)
            for factor in factors
        ],
        "unweighed": [factor for factor in factors if factor.key in unweighed],
        "total": total,
        "segment": segment,
        "segment_name": segment_name(segment),
        "segments": Segment.objects.all(),
        "is_borrowed": segment is not None and not has_own,
        "versions": _version_rows(versions, factors)[:VERSIONS_SHOWN],
    }
    is_invalid = form.is_bound and "back" not in request.POST
    return render(request, "health/weights.html", context, status=INVALID if is_invalid else 200)


def _share(weight: float, total: float) -> float:
    return 100 * weight / total if total else 0.0


def _preview(request: HttpRequest, segment: Segment | None, form: HealthWeightsForm) -> HttpResponse:
    given = form.cleaned_data
    context = {
        "preview": preview_weights(
            segment=segment,
            weights=form.weights(),
            healthy_from=given["healthy_from"],
            watch_from=given["watch_from"],
            as_of=get_company().today(),
        ),
        "form": form,
        "segment": segment,
        "segment_name": segment_name(segment),
        "url": _url(segment),
    }
    return render(request, "health/preview.html", context)


def _save(request: HttpRequest, segment: Segment | None, form: HealthWeightsForm) -> HttpResponse:
    given = form.cleaned_data
    services.save_weights(
        by=signed_in(request),
        segment=segment,
        weights=form.weights(),
        healthy_from=given["healthy_from"],
        watch_from=given["watch_from"],
    )
    return _saved(request, f"New health weights for {segment_name(segment)}. {LATER}", _url(segment))


@require_POST
@admin_required
def restore_weights(request: HttpRequest, pk: int) -> HttpResponse:
    version = get_object_or_404(HealthWeightVersion.objects.exclude(weights={}).select_related("segment"), pk=pk)
    # As they were: signals that came later are left for somebody to weigh.
    keys = HealthFactor.objects.filter(key__in=version.weights).values_list("key", flat=True)
    services.save_weights(
        by=signed_in(request),
        segment=version.segment,
        weights={key: version.weights[key] for key in keys},
        healthy_from=version.healthy_from,
        watch_from=version.watch_from,
    )
    text = f"The health weights of {version.created_at:%d %b %Y, %H:%M} are in force again. {LATER}"
    return _saved(request, text, _url(version.segment))


@require_POST
@admin_required
def share_weights(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Hand a segment back to the weights of the others."""
    segment = get_object_or_404(Segment, pk=segment_id)
    services.share_weights(by=signed_in(request), segment=segment)
    return _saved(request, f"{segment} uses the health weights of the other segments again. {LATER}", _url(segment))


@require_http_methods(["GET", "POST"])
@admin_required
def new_factor(request: HttpRequest) -> HttpResponse:
    form = FactorForm(posted(request))
    if form.is_valid():
        try:
            factor = services.add_factor(by=signed_in(request), factor=form.save(commit=False))
        except IntegrityError:
            form.add_error("key", "Somebody made a signal of this key just now.")
        else:
            text = f"{factor} is a signal now. It counts once its weight is saved: one is proposed here."
            return _saved(request, text, f"{reverse('health:weights')}#weight-{factor.key}")
    return _show_factor(request, form, None)


@require_http_methods(["GET", "POST"])
@admin_required
def edit_factor(request: HttpRequest, pk: int) -> HttpResponse:
    factor = get_object_or_404(HealthFactor, pk=pk)
    form = FactorForm(posted(request), instance=factor)
    if form.is_valid():
        services.update_factor(by=signed_in(request), factor=factor, values=form.values())
        return _saved(request, f"{factor} is saved. {LATER}", reverse("health:weights"))
    return _show_factor(request, form, factor)


def _show_factor(request: HttpRequest, form: FactorForm, factor: HealthFactor | None) -> HttpResponse:
    unweighed = find_unweighed([factor]) if factor else []
    context: dict[str, Any] = {"form": form, "factor": factor, "unweighed": unweighed}
    return render(request, "health/factor.html", context, status=INVALID if form.is_bound else 200)


def _saved(request: HttpRequest, text: str, url: str) -> HttpResponse:
    messages.success(request, text)
    return redirect(url)


def _url(segment: Segment | None) -> str:
    return reverse("health:weights") + (f"?segment={segment.pk}" if segment else "")


def _version_rows(versions: list[HealthWeightVersion], factors: list[HealthFactor]) -> list[VersionRow]:
    labels = {factor.key: factor.label for factor in factors}
    befores = zip_longest(versions, versions[1:])
    return [
        VersionRow(version, _changes(before, version, labels), is_in_force=place == 0)
        for place, (version, before) in enumerate(befores)
    ]


def _changes(before: HealthWeightVersion | None, after: HealthWeightVersion, labels: dict[str, str]) -> list[str]:
    if not after.weights:
        return ["the weights of the other segments"]
    if before is None or not before.weights:
        return []
    found = [
        f"{label} {before.weights.get(key, 0):g} → {after.weights.get(key, 0):g}"
        for key, label in labels.items()
        if before.weights.get(key, 0) != after.weights.get(key, 0)
    ]
    bounds = (("healthy", before.healthy_from, after.healthy_from), ("watch", before.watch_from, after.watch_from))
    return found + [f"{name} from {old} → {new}" for name, old, new in bounds if old != new]
