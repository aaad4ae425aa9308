from django.urls import path

from renewals.bulk import views

app_name = "bulk"
urlpatterns = [
    path("", views.new, name="new"),
    path("file/", views.edited_file, name="file"),
    path("<int:pk>/", views.show, name="edit"),
    path("<int:pk>/confirm/", views.confirm, name="confirm"),
    path("<int:pk>/discard/", views.discard, name="discard"),
    path("<int:pk>/rows.csv", views.results, name="results"),
]
