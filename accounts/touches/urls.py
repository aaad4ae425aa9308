from django.urls import path

from accounts.touches import views

app_name = "touches"
urlpatterns = [
    path("of/<int:account_id>/", views.section, name="section"),
    path("of/<int:account_id>/log/", views.log, name="log"),
    path("<int:pk>/", views.edit, name="edit"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/restore/", views.restore, name="restore"),
]
