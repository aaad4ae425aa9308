from django.apps import AppConfig


class EngagementConfig(AppConfig):
    name = "engagement"

    def ready(self) -> None:
        from engagement.models import FeedbackTheme, MonitoringRule
        from renewals.history.kinds import add_kind

        noun, nouns = "rule of the unmonitored", "rules of the unmonitored"
        add_kind("monitoring_rule", MonitoringRule, noun, nouns, is_rule=True, reads=("segment",))
        add_kind("feedback_theme", FeedbackTheme, "theme of feedback", "themes of feedback", is_rule=True)
