from django.urls import path

from engagement.feedback import views

app_name = "feedback"
urlpatterns = [
    path("", views.board, name="board"),
    path("unsorted/", views.unsorted, name="unsorted"),
    path("themes.csv", views.board_file, name="board_file"),
    path("new/", views.create, name="create"),
    path("<int:pk>/", views.theme, name="theme"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/move/", views.move, name="move"),
    path("<int:pk>/delete/", views.delete, name="delete"),
    path("<int:pk>/tickets.csv", views.tickets_file, name="tickets_file"),
]
