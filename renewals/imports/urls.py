"""Addresses of the import pages."""

from django.urls import path

from renewals.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.list_imports, name="list"),
    path("blank/<slug:name>.csv", views.blank_file, name="blank"),
    path("<int:pk>/", views.show_batch, name="batch"),
    path("<int:pk>/progress/", views.show_progress, name="progress"),
    path("<int:pk>/reading/", views.read_again, name="reading"),
    path("<int:pk>/mapping/", views.choose_mapping, name="mapping"),
    path("<int:pk>/columns/", views.edit_columns, name="columns"),
    path("<int:pk>/confirm/", views.confirm, name="confirm"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/findings/", views.list_findings, name="findings"),
    path("<int:pk>/to-fix.csv", views.download_rows_to_fix, name="fix"),
]
