from django.urls import path

from forecasting.scenarios import views

app_name = "scenarios"
urlpatterns = [
    path("", views.list_scenarios, name="list"),
    path("new/", views.new, name="new"),
    path("compare/", views.compare, name="compare"),
    path("<int:pk>/", views.scenario, name="scenario"),
    path("<int:pk>/share/", views.share, name="share"),
    path("<int:pk>/duplicate/", views.duplicate, name="duplicate"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/promote/", views.promote, name="promote"),
]
