from django.urls import path

from forecasting.learning import views

urlpatterns = [
    path("", views.model, name="model"),
    path("fit/", views.fit, name="fit"),
    path("status/", views.model_status, name="model_status"),
    path("settings/", views.settings, name="model_settings"),
]
