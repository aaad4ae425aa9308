from django.urls import path

from renewals.queue import feed_views, views

app_name = "queue"
urlpatterns = [
    path("", views.queue, name="list"),
    path("totals/", views.totals, name="totals"),
    path("filters/<slug:name>/", views.filter_menu, name="filter"),
    path("calendar/", feed_views.feed_page, name="feed_page"),
    path("calendar/make/", feed_views.make, name="feed_make"),
    path("calendar/revoke/", feed_views.revoke, name="feed_revoke"),
    path("calendar/<str:token>.ics", feed_views.feed, name="feed"),
]
