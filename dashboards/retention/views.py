"""Retention: how much was kept, counted in which way, and why that changed."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboards.frame import read_frame, show_dashboard
from dashboards.retention.page import build_tiles, build_totals, words


@require_GET
def retention(request: HttpRequest) -> HttpResponse:
    frame = read_frame(request, "dashboards:retention")
    if not frame.has_figures:
        return show_dashboard(request, frame, "dashboards/page.html", lambda: [], title="Retention")
    totals = frame.totals()
    chosen = frame.chosen(totals)
    return show_dashboard(
        request,
        frame,
        "dashboards/page.html",
        lambda: build_tiles(frame, totals, chosen),
        title="Retention",
        totals=build_totals(frame, chosen),
        words=words(frame, chosen),
    )
