from django.urls import path

from forecasting.bridge import views

urlpatterns = [
    path("", views.bridge, name="bridge"),
    path("rows/", views.bridge_rows, name="bridge_rows"),
]
