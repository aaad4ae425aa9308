from django.urls import path

from engagement.plans import playbook_views as views

app_name = "playbooks"
urlpatterns = [
    path("", views.playbooks, name="list"),
    path("new/", views.edit, name="new"),
    path("upload/", views.upload, name="upload"),
    path("<int:pk>/", views.edit, name="edit"),
    path("<int:pk>/file/", views.download, name="file"),
    path("<int:pk>/use/", views.use, name="use"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
