from django.urls import path

from renewals.rules.views import company, lists, timing, weights

app_name = "rules"
urlpatterns = [
    path("timing/", timing.timing, name="timing"),
    path("timing/new/", timing.new_policy, name="new_policy"),
    path("timing/accounts/", timing.find_accounts, name="find_accounts"),
    path("timing/<int:pk>/new/", timing.new_version, name="new_version"),
    path("timing/versions/<int:pk>/delete/", timing.delete_version, name="delete_version"),
    path("weights/", weights.weights, name="weights"),
    path("weights/outcomes/", weights.weights_outcomes, name="weights_outcomes"),
    path("weights/shared/<int:segment_id>/", weights.share_weights, name="share_weights"),
    path("weights/<int:pk>/restore/", weights.restore_weights, name="restore_weights"),
    path("factors/new/<int:attribute_id>/", weights.new_factor, name="new_factor"),
    path("factors/<int:pk>/", weights.edit_factor, name="edit_factor"),
    path("lists/", lists.lists, name="lists"),
    path("lists/<slug:slug>/", lists.lists, name="list"),
    path("lists/<slug:slug>/<int:pk>/", lists.edit_item, name="edit_item"),
    path("lists/<slug:slug>/<int:pk>/delete/", lists.delete_item, name="delete_item"),
    path("lists/stages/<int:pk>/<slug:direction>/", lists.move_stage, name="move_stage"),
    path("company/", company.company, name="company"),
    path("company/rates/", company.add_rate, name="add_rate"),
    path("company/rates/<int:pk>/delete/", company.delete_rate, name="delete_rate"),
]
