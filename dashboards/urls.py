"""Every address of the dashboards."""

from django.urls import path
from django.views.generic import RedirectView

from dashboards.capacity import settings_views
from dashboards.capacity.views import capacity, capacity_sum
from dashboards.executive.views import executive, executive_mail, send_executive_mail
from dashboards.explain.views import explain_figure
from dashboards.forecast.views import forecast
from dashboards.learning_curve.views import learning_curve
from dashboards.retention.views import retention
from dashboards.review.views import review
from dashboards.risk.views import risk
from dashboards.scorecards.views import scorecard, scorecards
from dashboards.timing.views import timing

app_name = "dashboards"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dashboards:retention", query_string=True), name="home"),
    path("executive/", executive, name="executive"),
    path("executive/mail/", executive_mail, name="executive_mail"),
    path("executive/mail/now/", send_executive_mail, name="send_executive_mail"),
    path("forecast/", forecast, name="forecast"),
    path("retention/", retention, name="retention"),
    path("timing/", timing, name="timing"),
    path("risk/", risk, name="risk"),
    path("review/", review, name="review"),
    path("scorecards/", scorecards, name="scorecards"),
    path("scorecards/<int:pk>/", scorecard, name="scorecard"),
    path("capacity/", capacity, name="capacity"),
    path("capacity/sum/", capacity_sum, name="capacity_sum"),
    path("capacity/hours/", settings_views.terms, name="capacity_terms"),
    path("capacity/absences/", settings_views.absences, name="absences"),
    path("capacity/absences/<int:pk>/remove/", settings_views.remove_one_absence, name="remove_absence"),
    path("capacity/holidays/", settings_views.holidays, name="holidays"),
    path("capacity/holidays/<int:pk>/remove/", settings_views.remove_one_holiday, name="remove_holiday"),
    path("capacity/customers/", settings_views.customers, name="planned_customers"),
    path("learning-curve/", learning_curve, name="learning_curve"),
    path("explain/<slug:key>/", explain_figure, name="explain"),
]
