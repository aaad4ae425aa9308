from django.urls import path

from engagement.flags import rule_views, views

app_name = "flags"
urlpatterns = [
    path("flags/", views.flag_list, name="list"),
    path("flags/sums/", views.sums, name="sums"),
    path("flags/cleared/", views.cleared, name="cleared"),
    path("watchlist/", views.watchlist, name="watchlist"),
    path("flags/rules/", rule_views.rules, name="rules"),
    path("flags/rules/new/", rule_views.new_rule, name="new_rule"),
    path("flags/rules/<int:pk>/", rule_views.edit_rule, name="edit_rule"),
    path("flags/of/<int:account_id>/", views.section, name="section"),
    path("flags/of/<int:account_id>/add/", views.add, name="add"),
    path("flags/<int:pk>/clear/", views.clear, name="clear"),
    path("flags/<int:pk>/reopen/", views.reopen, name="reopen"),
    path("watchlist/<int:account_id>/add/", views.watch, name="watch"),
    path("watchlist/<int:account_id>/remove/", views.unwatch, name="unwatch"),
]
