from django.urls import path

from engagement.monitoring import views

app_name = "monitoring"
urlpatterns = [
    path("", views.unmonitored, name="list"),
    path("rules/", views.rules, name="rules"),
]
