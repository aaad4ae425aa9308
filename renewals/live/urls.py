from django.urls import path

from renewals.live import views

app_name = "live"
urlpatterns = [path("changes/", views.changes, name="changes")]
