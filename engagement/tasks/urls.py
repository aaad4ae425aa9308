from django.urls import path

from engagement.tasks import list_views, views, workload_views

app_name = "tasks"
urlpatterns = [
    path("", list_views.task_list, name="list"),
    path("totals/", list_views.totals, name="totals"),
    path("every/", list_views.every, name="every"),
    path("new/", views.new, name="new"),
    path("new/accounts/", views.accounts, name="accounts"),
    path("bulk/", views.bulk, name="bulk"),
    path("workload/", workload_views.show, name="workload"),
    path("undo/<uuid:batch_id>/", views.undo, name="undo"),
    path("of/<int:account_id>/", views.section, name="section"),
    path("of/<int:account_id>/add/", views.add, name="add"),
    path("<int:pk>/", views.edit, name="task"),
    path("<int:pk>/done/", views.finish, name="finish"),
    path("<int:pk>/minutes/", views.minutes, name="minutes"),
    path("<int:pk>/reopen/", views.reopen, name="reopen"),
    path("<int:pk>/snooze/", views.snooze, name="snooze"),
]
