from django.urls import path

from forecasting.mrr import views

urlpatterns = [
    path("", views.mrr, name="mrr"),
    path("rows/", views.mrr_rows, name="mrr_rows"),
    path("mrr.<str:suffix>", views.mrr_file, name="mrr_file"),
]
