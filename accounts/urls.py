from django.urls import path

from accounts import views

app_name = "people"
urlpatterns = [
    path("", views.users, name="users"),
    path("new/", views.new_user, name="new_user"),
    path("<int:pk>/", views.edit_user, name="edit_user"),
    path("<int:pk>/password/", views.reset_password, name="reset_password"),
    path("<int:pk>/deactivate/", views.deactivate_user, name="deactivate_user"),
    path("<int:pk>/activate/", views.activate_user, name="activate_user"),
    path("teams/", views.teams, name="teams"),
    path("teams/<int:pk>/", views.edit_team, name="edit_team"),
    path("teams/<int:pk>/delete/", views.delete_team, name="delete_team"),
]
