"""Forecast: what each period is expected to bring, against its target, last year, and how it fills up."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboards.forecast.page import build_tiles, build_totals, words
from dashboards.forecast.reading import chosen_of, read_outlook
from dashboards.frame import Content, Frame, show_dashboard


@require_GET
def forecast(request: HttpRequest) -> HttpResponse:
    return show_dashboard(request, "dashboards:forecast", "Forecast", build_forecast, is_of_rows=True)


def build_forecast(frame: Frame) -> Content:
    outlook = read_outlook(frame)
    chosen = chosen_of(frame, outlook.periods)
    return Content(
        build_totals(frame, outlook, chosen), words(frame, outlook, chosen), build_tiles(frame, outlook, chosen)
    )
