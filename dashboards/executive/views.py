"""The executive page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboards.executive.page import (
    NOT_THEN,
    build_totals,
    most_tile,
    outlook_tile,
    rates_tile,
    read_outlook,
    read_six,
    risk_tile,
    six_tile,
    words,
)
from dashboards.frame import Content, Frame, show_dashboard


@require_GET
def executive(request: HttpRequest) -> HttpResponse:
    return show_dashboard(request, "dashboards:executive", "Executive", build_executive, is_personal=True)


def build_executive(frame: Frame) -> Content:
    totals = frame.totals()
    if frame.past is not None:
        return Content([], f"Forecasts and risk: {NOT_THEN}", [rates_tile(frame, totals)])
    outlook = read_outlook(frame)
    six = read_six(frame, outlook, totals, frame.chosen(totals))
    tiles = [outlook_tile(frame, outlook), rates_tile(frame, totals), risk_tile(frame), most_tile(frame),
             six_tile(frame, six)]  # fmt: skip
    return Content(build_totals(frame, six), words(six), tiles)
