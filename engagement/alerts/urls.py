from django.urls import path

from engagement.alerts import rule_views, views

app_name = "alerts"
urlpatterns = [
    path("", views.alerts, name="list"),
    path("unread/", views.unread, name="unread"),
    path("read/", views.read, name="read"),
    path("<int:pk>/mute/", views.mute, name="mute"),
    path("settings/", views.settings, name="settings"),
    path("settings/<int:pk>/unmute/", views.unmute, name="unmute"),
    path("rules/", rule_views.rules, name="rules"),
    path("rules/new/<slug:kind>/", rule_views.new_rule, name="new_rule"),
    path("rules/<int:pk>/", rule_views.edit_rule, name="edit_rule"),
]
