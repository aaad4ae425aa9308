from django.urls import path

from forecasting.reps import views

urlpatterns = [
    path("", views.reps, name="reps"),
    path("disagreement/", views.disagreements, name="disagreements"),
]
