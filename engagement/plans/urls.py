from django.urls import path

from engagement.plans import step_views, views

app_name = "plans"
urlpatterns = [
    path("", views.plans, name="list"),
    path("effect/", views.effect, name="effect"),
    path("of/<int:renewal_id>/", views.of_renewal, name="of_renewal"),
    path("start/<int:renewal_id>/", views.start, name="start"),
    path("<int:pk>/", views.page, name="page"),
    path("<int:pk>/owner/", views.owner, name="owner"),
    path("<int:pk>/close/", views.close, name="close"),
    path("<int:pk>/steps/add/", step_views.add, name="add_step"),
    path("<int:pk>/steps/<int:number>/edit/", step_views.edit, name="edit_step"),
    path("<int:pk>/steps/<int:number>/check/", step_views.check, name="check"),
    path("<int:pk>/steps/<int:number>/finish/", step_views.finish, name="finish"),
    path("<int:pk>/steps/<int:number>/reopen/", step_views.reopen, name="reopen"),
    path("<int:pk>/steps/<int:number>/remove/", step_views.remove, name="remove_step"),
    path("<int:pk>/steps/<int:number>/move/<slug:direction>/", step_views.move, name="move_step"),
]
