from django.urls import include, path

from forecasting.overview import views

app_name = "forecasting"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("run/", views.request_run, name="request_run"),
    path("run/status/", views.run_status, name="run_status"),
    path("runs/", views.runs, name="runs"),
    path("calls/", include("forecasting.snapshots.urls")),
    path("bridge/", include("forecasting.bridge.urls")),
    path("mrr/", include("forecasting.mrr.urls")),
    path("scenarios/", include("forecasting.scenarios.urls")),
    path("accuracy/", include("forecasting.accuracy.urls")),
    path("reps/", include("forecasting.reps.urls")),
    path("model/", include("forecasting.learning.urls")),
    path("targets/", include("forecasting.targets.urls")),
]
