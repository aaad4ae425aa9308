"""What if, over HTTP: build a scenario, see what it comes to, keep it, compare, share, and promote it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import role_required, signed_in
from accounts.forms import posted
from accounts.models import User, get_company
from forecasting.models import Scenario
from forecasting.scenarios import promote as promoting
from forecasting.scenarios import services
from forecasting.scenarios.book import read_scenario_book
from forecasting.scenarios.draft import Card, Reader, blank_card, cards_of, check_cards, moved, read_cards
from forecasting.scenarios.forms import ScenarioForm
from forecasting.scenarios.pages import (
    MOST_COMPARED,
    UNSAVED,
    asked_card,
    column_of,
    draft_context,
    figures_context,
    grain_of,
    read_reader,
)
from forecasting.scenarios.shifts import MOST_SHIFTS, Kind, Shift
from renewals.forms import Editing
from renewals.saved_views.forms import readers_of
from renewals.saved_views.services import may_change

editors_only = role_required(User.Role.ADMIN, User.Role.MANAGER, User.Role.REP)


def _get_scenario(user: User, pk: int) -> Scenario:
    return get_object_or_404(Scenario.objects.visible_to(user).select_related("team", "owner"), pk=pk)


def _get_own_to_change(user: User, pk: int) -> Scenario:
    scenario = _get_scenario(user, pk)
    if not may_change(user, scenario):
        raise PermissionDenied(services.NOT_YOURS)
    return scenario


def _nothing_yet(request: HttpRequest) -> HttpResponse:
    return render(request, "forecasting/scenarios/nothing.html")


@require_GET
def list_scenarios(request: HttpRequest) -> HttpResponse:
    """Every scenario that this person can open."""
    user = signed_in(request)
    scenarios = Scenario.objects.visible_to(user).select_related("team", "owner").order_by("visibility", "name", "pk")
    rows = [(scenario, may_change(user, scenario)) for scenario in scenarios]
    return render(request, "forecasting/scenarios/list.html", {"rows": rows, "most_compared": MOST_COMPARED})


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A scenario that nobody has kept yet. A POST without `do=save` computes, and writes nothing."""
    reader = read_reader(request)
    if reader is None:
        return _nothing_yet(request)
    asked = asked_card(request.GET)
    cards = _posted_cards(request, reader) if request.method == "POST" else [asked] if asked else []
    form = ScenarioForm(posted(request) if _is_saving(request) else None, user=reader.user, initial=PRIVATE)
    status = 200
    if _is_saving(request):
        status = 422
        if _all_right(cards) and form.is_valid():
            try:
                kept = services.keep_scenario(
                    by=reader.user,
                    name=form.cleaned_data["name"],
                    visibility=form.visibility,
                    team=form.team,
                    shifts=_shifts(cards),
                )
            except services.ScenarioRefused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"Scenario “{kept}” is saved.")
                return redirect(kept)
    own = [one for one in Scenario.objects.visible_to(reader.user) if may_change(reader.user, one)] if asked else []
    context = {"form": form, "own": own, "query_string": request.GET.urlencode()}
    return _show_draft(request, reader, cards, context, name=UNSAVED, status=status)


PRIVATE = {"readers": "private"}


@require_http_methods(["GET", "POST"])
def scenario(request: HttpRequest, pk: int) -> HttpResponse:
    """A kept scenario. Whoever sees it may shift it further on the page; who may change it saves that."""
    user = signed_in(request)
    kept = _get_scenario(user, pk)
    if _is_saving(request) and not may_change(user, kept):
        raise PermissionDenied(services.NOT_YOURS)
    reader = read_reader(request)
    if reader is None:
        return _nothing_yet(request)
    problem, status = "", 200
    if request.method == "POST":
        cards = _posted_cards(request, reader)
    else:
        asked = asked_card(request.GET)
        cards = [*cards_of(kept.shifts), *([asked] if asked else [])]
    if _is_saving(request):
        status = 422
        if _all_right(cards):
            seen_at = _moment(request.POST.get("seen", ""))
            try:
                services.save_shifts(by=user, scenario_id=pk, shifts=_shifts(cards), seen_at=seen_at)
            except services.StaleScenario as stale:
                problem, status = f"{stale} Open it again to see it as it is now.", 409
            except Scenario.DoesNotExist:
                problem, status = f"“{kept}” was deleted meanwhile. Save this as a new scenario.", 409
            else:
                messages.success(request, f"Scenario “{kept}” is saved.")
                return redirect(kept)
    context = {
        "scenario": kept,
        "problem": problem,
        "seen": request.POST.get("seen") or kept.updated_at.isoformat(),
        "may_change": may_change(user, kept),
        "may_promote": user.role != User.Role.VIEWER,
    }
    return _show_draft(request, reader, cards, context, name=kept.name, status=status)


def _is_saving(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("do") == "save"


def _editing(reader: Reader) -> Editing:
    return Editing(reader.user, reader.company.today())


def _posted_cards(request: HttpRequest, reader: Reader) -> list[Card]:
    """The cards of the form, after what its button asked for: one added, taken away, or moved."""
    cards = read_cards(request.POST)
    do, _, number = request.POST.get("do", "").partition(":")
    at = int(number) if re.fullmatch(r"[0-9]{1,2}", number) else -1
    if do == "add" and len(cards) < MOST_SHIFTS:
        kind = request.POST.get("add-kind", "")
        rows = request.POST.get("add-address", "").strip() or request.POST.get("add-rows", "")
        cards.append(blank_card(Kind(kind) if kind in list(Kind) else Kind.LIKELIHOOD, rows.replace("\x00", "")))
    elif do == "remove" and 0 <= at < len(cards):
        del cards[at]
    elif do in ("earlier", "later"):
        cards = moved(cards, at, -1 if do == "earlier" else 1)
    return check_cards(cards, _editing(reader))


def _all_right(cards: Sequence[Card]) -> bool:
    return all(card.shift is not None for card in cards)


def _shifts(cards: Sequence[Card]) -> list[Shift]:
    return [card.shift for card in cards if card.shift is not None]


def _show_draft(
    request: HttpRequest, reader: Reader, cards: Sequence[Card], context: dict[str, Any], *, name: str, status: int
) -> HttpResponse:
    grain = grain_of(request.POST if request.method == "POST" else request.GET)
    cards = check_cards(cards, _editing(reader))
    context |= draft_context(cards, reader, grain, name) | {"is_added": request.POST.get("do") == "add"}
    return render(request, "forecasting/scenarios/scenario.html", context, status=status)


@require_http_methods(["GET", "POST"])
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Name and readers."""
    user = signed_in(request)
    kept = _get_own_to_change(user, pk)
    initial = {"name": kept.name, "readers": readers_of(kept)}
    form = ScenarioForm(posted(request), user=user, scenario=kept, initial=initial)
    status = 422 if form.errors else 200
    if form.is_valid():
        try:
            services.change_scenario(
                by=user,
                scenario_id=kept.pk,
                name=form.cleaned_data["name"],
                visibility=form.visibility,
                team=form.team,
                seen_at=_moment(request.POST.get("seen", "")),
            )
        except (services.StaleScenario, services.ScenarioRefused) as refused:
            status = 409
            form.add_error(None, f"{refused} Open this form again to see it as it is now.")
        else:
            messages.success(request, f"Scenario “{form.cleaned_data['name']}” is saved.")
            return redirect("forecasting:scenarios:list")
    context = {"form": form, "scenario": kept, "seen": request.POST.get("seen") or kept.updated_at.isoformat()}
    return render(request, "forecasting/scenarios/share.html", context, status=status)


@require_POST
def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    try:
        copy = services.duplicate_scenario(by=user, scenario=_get_scenario(user, pk))
    except services.ScenarioRefused as refused:
        messages.error(request, str(refused))
        return redirect("forecasting:scenarios:list")
    messages.success(request, f"“{copy}” is a copy of your own.")
    return redirect(copy)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    kept = _get_own_to_change(user, pk)
    try:
        name = services.delete_scenario(by=user, scenario_id=kept.pk)
    except Scenario.DoesNotExist:
        name = kept.name  # somebody was faster
    messages.success(request, f"Scenario “{name}” is deleted.")
    return redirect("forecasting:scenarios:list")


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """The book as it is beside up to three scenarios."""
    reader = read_reader(request)
    if reader is None:
        return _nothing_yet(request)
    texts = list(dict.fromkeys(request.GET.getlist("s")))
    if len(texts) > MOST_COMPARED or not all(re.fullmatch(r"[0-9]{1,18}", text) for text in texts):
        raise Http404(f"Up to {MOST_COMPARED} scenarios are compared, by their numbers.")
    chosen = [_get_scenario(reader.user, int(text)) for text in texts]
    columns = [column_of(one, reader) for one in chosen]
    grain = grain_of(request.GET)
    context = figures_context([column for column, _ in columns], reader, grain) | {
        "compared": [(one, cards) for one, (_, cards) in zip(chosen, columns, strict=True)],
        "numbers": texts,
    }
    return render(request, "forecasting/scenarios/compare.html", context)


@require_http_methods(["GET", "POST"])
@editors_only
def promote(request: HttpRequest, pk: int) -> HttpResponse:
    """What of a scenario people can write, and what not; sent, it becomes a bulk edit that waits for a yes."""
    user, company = signed_in(request), get_company()
    kept = _get_scenario(user, pk)
    # Of this moment: what is written over must be what was computed from.
    book = read_scenario_book(user, company, is_fresh=True)
    if book is None:
        return _nothing_yet(request)
    reader = Reader(user, company, book)
    _, cards = column_of(kept, reader)
    promotion = promoting.read_promotion(cards, reader)
    if request.method == "POST" and promotion.values:
        edit = promoting.promote(name=kept.name, promotion=promotion, reader=reader)
        return redirect("bulk:edit", pk=edit.pk)
    context = {
        "scenario": kept,
        "promotion": promotion,
        "count": len(promotion.values),
        "back_url": reverse("forecasting:scenarios:scenario", args=[pk]),
    }
    return render(
        request, "forecasting/scenarios/promote.html", context, status=422 if request.method == "POST" else 200
    )


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None
