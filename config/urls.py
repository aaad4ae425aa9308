"""Every address of the site. Each one has its row in tests/test_permissions.py."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """For load balancers and compose: 200 when this process can reach its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="renewals:table"), name="home"),
    path("healthz", healthz, name="healthz"),
    path("sign/", include("allauth.account.urls")),
    path("people/", include("accounts.urls")),
    path("touches/", include("accounts.touches.urls")),
    path("contacts/", include("accounts.touches.contact_urls")),
    path("renewals/", include("renewals.drawer.urls")),
    path("renewals/", include("renewals.live.urls")),
    path("renewals/paste/", include("renewals.paste.urls")),
    path("renewals/", include("renewals.urls")),
    path("views/", include("renewals.saved_views.urls")),
    path("notes/", include("renewals.drawer.note_urls")),
    path("bulk/", include("renewals.bulk.urls")),
    path("exports/", include("renewals.exports.urls")),
    path("queue/", include("renewals.queue.urls")),
    path("imports/", include("renewals.imports.urls")),
    path("rules/", include("renewals.rules.urls")),
    path("quality/", include("renewals.quality.urls")),
    path("forecast/", include("forecasting.urls")),
    path("history/", include("renewals.history.urls")),
    path("dashboards/", include("dashboards.urls")),
    path("", include("engagement.urls")),
]
