"""Timing: when orders come, against when they were due."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboards.frame import Content, Frame, show_dashboard
from dashboards.timing.page import build_tiles, build_totals, words


@require_GET
def timing(request: HttpRequest) -> HttpResponse:
    return show_dashboard(request, "dashboards:timing", "Timing", build_timing)


def build_timing(frame: Frame) -> Content:
    totals = frame.totals()
    chosen = frame.chosen(totals)
    return Content(build_totals(frame, totals, chosen), words(frame, chosen), build_tiles(frame, totals, chosen))
