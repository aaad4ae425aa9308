from django.urls import path

from engagement.support import views

app_name = "support"
urlpatterns = [
    path("support/", views.unusual, name="list"),
]
