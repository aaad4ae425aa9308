from django.urls import path

from renewals.table import views
from renewals.totals import views as totals

app_name = "renewals"
urlpatterns = [
    path("", views.table, name="table"),
    path("totals/", totals.totals, name="totals"),
    path("totals/parts/", totals.parts, name="parts"),
    path("patterns/", views.patterns, name="patterns"),
    path("filters/<slug:name>/", views.filter_menu, name="filter"),
    path("choices/<slug:field>/", views.choices, name="choices"),
    path("<int:pk>/", views.row, name="row"),
    path("<int:pk>/<slug:field>/", views.cell, name="cell"),
]
