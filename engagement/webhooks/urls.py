from django.urls import path

from engagement.webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.endpoints, name="list"),
    path("new/", views.add, name="add"),
    path("<int:pk>/", views.endpoint, name="endpoint"),
    path("<int:pk>/secret/", views.rotate, name="rotate"),
    path("<int:pk>/pause/", views.pause, name="pause"),
    path("<int:pk>/resume/", views.resume, name="resume"),
    path("<int:pk>/test/", views.test, name="test"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("deliveries/<int:pk>/replay/", views.replay, name="replay"),
]
