"""Stages, segments, industries, offers, churn reasons, custom attributes: one page for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import admin_required, signed_in
from accounts.forms import posted
from accounts.seen import reconciled
from renewals.models import Stage
from renewals.rules import services
from renewals.rules.list_forms import LISTS, List
from renewals.rules.views.answers import is_for_dialog, render_form, saved

DIRECTIONS = {"up": -1, "down": 1}


@dataclass(frozen=True)
class ItemRow:
    item: Model
    cells: list[str]
    use: str  # in words; blank where nothing uses it


@admin_required
def lists(request: HttpRequest, slug: str = "stages") -> HttpResponse:
    """The rows of one list with how often each is used, and a form to add one."""
    kind = _list(slug)
    form = kind.form(posted(request))
    if form.is_valid():
        item = form.save(commit=False)
        run_id = services.save_item(by=signed_in(request), item=item, is_scored=kind.is_scored)
        return saved(request, f"{kind.one.capitalize()} {item} is added.", reverse("rules:list", args=[slug]), run_id)
    items = list(kind.model._default_manager.all())
    uses = kind.uses([item.pk for item in items])
    rows = [
        ItemRow(
            item,
            [text(item) for _, text in kind.columns],
            ", ".join(services.counted(counts[item.pk], words) for words, counts in uses.items() if item.pk in counts),
        )
        for item in items
    ]
    context = {"kind": kind, "lists": LISTS.values(), "rows": rows, "form": form}
    return render_form(request, "rules/lists.html", context, is_invalid=form.is_bound)


@admin_required
def edit_item(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    kind = _list(slug)
    item = get_object_or_404(kind.model, pk=pk)
    name = str(item)
    form, is_stale = reconciled(request, lambda data: kind.form(data, instance=item, auto_id="edit_%s"))
    if form.is_valid():
        is_scored = kind.is_scored and bool(set(form.changed_data) - {"name"})
        run_id = services.save_item(by=signed_in(request), item=form.save(commit=False), is_scored=is_scored)
        return saved(request, f"{item} is saved.", reverse("rules:list", args=[slug]), run_id)
    template = "rules/_item_dialog.html" if is_for_dialog(request) else "rules/item.html"
    context = {"kind": kind, "form": form, "name": name, "pk": pk}
    return render_form(request, template, context, is_invalid=form.is_bound, is_stale=is_stale)


@require_POST
@admin_required
def delete_item(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    kind = _list(slug)
    item = get_object_or_404(kind.model, pk=pk)
    uses = {words: counts.get(pk, 0) for words, counts in kind.uses([pk]).items()}
    try:
        run_id = services.delete_item(by=signed_in(request), item=item, uses=uses, is_scored=kind.is_scored)
    except services.StillInUse as refusal:
        messages.error(request, str(refusal))
        return redirect("rules:list", slug)
    return saved(request, f"{kind.one.capitalize()} {item} is deleted.", reverse("rules:list", args=[slug]), run_id)


@require_POST
@admin_required
def move_stage(request: HttpRequest, pk: int, direction: str) -> HttpResponse:
    stage = get_object_or_404(Stage, pk=pk)
    if direction not in DIRECTIONS:
        raise Http404("A stage moves up or down.")
    run_id = services.move_stage(by=signed_in(request), stage_id=pk, steps=DIRECTIONS[direction])
    if run_id is None:
        return redirect("rules:list", "stages")
    return saved(request, f"{stage} is moved {direction}.", reverse("rules:list", args=["stages"]), run_id)


def _list(slug: str) -> List:
    if slug not in LISTS:
        raise Http404(f"There is no list {slug}.")
    return LISTS[slug]
