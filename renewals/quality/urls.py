from django.urls import path

from renewals.quality import rule_views, views

app_name = "quality"
urlpatterns = [
    path("", views.worklist, name="list"),
    path("summary/", views.summary, name="summary"),
    path("renewals/<int:pk>/", views.row, name="row"),
    path("renewals/<int:pk>/fix/<int:rule_id>/", views.fix, name="fix"),
    path("accounts/", views.accounts, name="accounts"),
    path("trend/", views.trend, name="trend"),
    path("rules/", rule_views.rules, name="rules"),
    path("rules/new/<slug:condition>/", rule_views.new_rule, name="new_rule"),
    path("rules/<int:pk>/", rule_views.edit_rule, name="edit_rule"),
]
