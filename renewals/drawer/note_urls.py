from django.urls import path

from renewals.drawer import note_views

app_name = "notes"
urlpatterns = [
    path("", note_views.mentions, name="list"),
    path("unread/", note_views.unread, name="unread"),
    path("read/", note_views.read, name="read"),
    path("<int:pk>/edit/", note_views.edit, name="edit"),
    path("<int:pk>/delete/", note_views.delete, name="delete"),
]
