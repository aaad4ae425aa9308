from django.urls import path

from renewals.exports import views

app_name = "exports"
urlpatterns = [
    path("", views.list_exports, name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.show, name="export"),
    path("<int:pk>/file/", views.download, name="file"),
]
