"""Risk: what is open and may go, how well its accounts are, and why what went was lost."""

from itertools import pairwise

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboards.frame import Content, Frame, show_dashboard
from dashboards.risk.page import build_tiles, build_totals, words
from dashboards.risk.reading import read_lost, read_open


@require_GET
def risk(request: HttpRequest) -> HttpResponse:
    return show_dashboard(request, "dashboards:risk", "Risk", build_risk, is_of_rows=True)


def build_risk(frame: Frame) -> Content:
    totals = frame.totals()
    chosen = frame.chosen(totals)
    before = next((one for one, later in pairwise(totals) if later is chosen), None)
    book, lost = read_open(frame), read_lost(frame, before, chosen)
    return Content(
        build_totals(frame, chosen, book),
        words(frame, chosen, book, lost),
        build_tiles(frame, before, chosen, book, lost),
    )
