"""Stands before renewals.urls, whose `renewals:row` names the same address as `drawer:detail`."""

from django.urls import path

from renewals.drawer import note_views, views
from renewals.overrides import views as override_views

app_name = "drawer"
urlpatterns = [
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/save/", views.save, name="save"),
    path("<int:pk>/notes/", note_views.add, name="add_note"),
    path("<int:pk>/pin/", override_views.pin, name="pin"),
    path("<int:pk>/unpin/", override_views.unpin, name="unpin"),
    path("options/<slug:field>/", views.options, name="options"),
]
