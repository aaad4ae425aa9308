from django.urls import path

from engagement.health import views, weight_views

app_name = "health"
urlpatterns = [
    path("", views.health_list, name="list"),
    path("backtest/", views.backtest, name="backtest"),
    path("signals/", views.post_signals, name="post_signals"),
    path("accounts/<int:pk>/sentiment/", views.sentiment, name="sentiment"),
    path("weights/", weight_views.weights, name="weights"),
    path("weights/shared/<int:segment_id>/", weight_views.share_weights, name="share_weights"),
    path("weights/<int:pk>/restore/", weight_views.restore_weights, name="restore_weights"),
    path("factors/new/", weight_views.new_factor, name="new_factor"),
    path("factors/<int:pk>/", weight_views.edit_factor, name="edit_factor"),
]
