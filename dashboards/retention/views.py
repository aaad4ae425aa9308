"""Retention: how much was kept, counted in which way, and why that changed."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboards.frame import Content, Frame, show_dashboard
from dashboards.retention.page import build_tiles, build_totals, words


@require_GET
def retention(request: HttpRequest) -> HttpResponse:
    return show_dashboard(request, "dashboards:retention", "Retention", build_retention)


def build_retention(frame: Frame) -> Content:
    totals = frame.totals()
    chosen = frame.chosen(totals)
    return Content(build_totals(frame, chosen), words(frame, chosen), build_tiles(frame, totals, chosen))
