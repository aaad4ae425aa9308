from django.urls import path

from renewals.saved_views import views

app_name = "saved_views"
urlpatterns = [
    path("", views.list_views, name="list"),
    path("new/", views.new, name="new"),
    path("display/", views.display, name="display"),
    path("subtotals/", views.subtotals, name="subtotals"),
    path("<int:pk>/", views.save, name="save"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
