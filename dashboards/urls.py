"""Every address of the dashboards."""

from django.urls import path
from django.views.generic import RedirectView

from dashboards.explain.views import explain_figure
from dashboards.forecast.views import forecast
from dashboards.retention.views import retention
from dashboards.scorecards.views import scorecard, scorecards
from dashboards.timing.views import timing

app_name = "dashboards"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dashboards:retention", query_string=True), name="home"),
    path("forecast/", forecast, name="forecast"),
    path("retention/", retention, name="retention"),
    path("timing/", timing, name="timing"),
    path("scorecards/", scorecards, name="scorecards"),
    path("scorecards/<int:pk>/", scorecard, name="scorecard"),
    path("explain/<slug:key>/", explain_figure, name="explain"),
]
