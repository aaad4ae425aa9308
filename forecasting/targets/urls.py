from django.urls import path

from forecasting.targets import views

urlpatterns = [path("", views.targets, name="targets")]
