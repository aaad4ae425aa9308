"""Every address of what is done about renewals at risk."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("engagement.account_page.urls")),
    path("", include("engagement.support.urls")),
    path("", include("engagement.payments.urls")),
    path("feedback/", include("engagement.feedback.urls")),
    path("mail/", include("engagement.mail.urls")),
    path("plans/", include("engagement.plans.urls")),
    path("playbooks/", include("engagement.plans.playbook_urls")),
    path("", include("engagement.flags.urls")),
    path("tasks/", include("engagement.tasks.urls")),
    path("alerts/", include("engagement.alerts.urls")),
    path("unmonitored/", include("engagement.monitoring.urls")),
    path("health/", include("engagement.health.urls")),
    path("coverage/", include("engagement.coverage.urls")),
    path("webhooks/", include("engagement.webhooks.urls")),
]
