from django.urls import path

from engagement.mail import rule_views, views

app_name = "mail"
urlpatterns = [
    path("", views.mails, name="list"),
    path("of/<int:renewal_id>/", views.of_renewal, name="of_renewal"),
    path("of/<int:renewal_id>/write/", views.write, name="write"),
    path("<int:pk>/dismiss/", views.dismiss, name="dismiss"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/retry/", views.retry, name="retry"),
    path("rules/", rule_views.rules, name="rules"),
    path("rules/notices/", rule_views.notices, name="notices"),
    path("rules/templates/new/", rule_views.new_template, name="new_template"),
    path("rules/templates/<int:pk>/", rule_views.edit_template, name="edit_template"),
]
