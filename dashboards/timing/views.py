"""Timing: when orders come, against when they were due."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboards.frame import read_frame, show_dashboard
from dashboards.timing.page import build_tiles, build_totals, words


@require_GET
def timing(request: HttpRequest) -> HttpResponse:
    frame = read_frame(request, "dashboards:timing")
    if not frame.has_figures:
        return show_dashboard(request, frame, "dashboards/page.html", lambda: [], title="Timing")
    totals = frame.totals()
    chosen = frame.chosen(totals)
    return show_dashboard(
        request,
        frame,
        "dashboards/page.html",
        lambda: build_tiles(frame, totals, chosen),
        title="Timing",
        totals=build_totals(frame, totals, chosen),
        words=words(frame, chosen),
    )
