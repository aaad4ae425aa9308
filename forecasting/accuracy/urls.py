from django.urls import path

from forecasting.accuracy import views

urlpatterns = [
    path("", views.accuracy, name="accuracy"),
    path("run/", views.request_new, name="request_backtest"),
    path("status/", views.accuracy_status, name="accuracy_status"),
    path("calls/<int:pk>/", views.accuracy_call, name="accuracy_call"),
]
