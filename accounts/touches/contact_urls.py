from django.urls import path

from accounts.touches import contact_views

app_name = "contacts"
urlpatterns = [
    path("of/<int:account_id>/add/", contact_views.add, name="add"),
    path("<int:pk>/", contact_views.edit, name="edit"),
    path("<int:pk>/delete/", contact_views.delete, name="delete"),
]
