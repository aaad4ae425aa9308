"""Scorecards: of everybody that the reader may know of, and of one."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from dashboards.frame import Content, Frame, show_dashboard
from dashboards.scorecards.page import build_tiles, build_totals, read_cards, words


@require_GET
def scorecards(request: HttpRequest) -> HttpResponse:
    return show_dashboard(
        request, "dashboards:scorecards", "Scorecards", build_scorecards, is_personal=True, is_of_rows=True
    )


@require_GET
def scorecard(request: HttpRequest, pk: int) -> HttpResponse:
    """The card of one, at an address that can be written by hand."""
    query = {name: str(value) for name, value in request.GET.items() if name != "team"} | {"owner": str(pk)}
    return redirect(f"{reverse('dashboards:scorecards')}?{urlencode(query)}")


def build_scorecards(frame: Frame) -> Content:
    cards = read_cards(frame)
    return Content(build_totals(cards), words(cards), build_tiles(cards), cards.listed)
