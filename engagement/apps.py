from django.apps import AppConfig


class EngagementConfig(AppConfig):
    name = "engagement"

    def ready(self) -> None:
        from accounts.models import HealthFactor
        from engagement.models import (
            AlertRule,
            FeedbackTheme,
            Flag,
            FlagRule,
            MailTemplate,
            MonitoringRule,
            NoticeRule,
            Plan,
            PlanStep,
            Playbook,
            Task,
            Watch,
            WebhookEndpoint,
        )
        from engagement.models.coverage import CoverageTerms
        from renewals.history.kinds import add_kind

        noun, nouns = "rule of the unmonitored", "rules of the unmonitored"
        add_kind("monitoring_rule", MonitoringRule, noun, nouns, is_rule=True, reads=("segment",))
        add_kind("health_factor", HealthFactor, "signal of health", "signals of health", is_rule=True)
        noun = "terms of coverage"
        add_kind("coverage_terms", CoverageTerms, noun, noun, is_rule=True, reads=("segment",))
        add_kind("feedback_theme", FeedbackTheme, "theme of feedback", "themes of feedback", is_rule=True)
        add_kind("playbook", Playbook, "playbook", "playbooks", is_rule=True)
        add_kind("plan", Plan, "plan", "plans", hangs_on="renewal", reads=("account",))
        add_kind("plan_step", PlanStep, "step of a plan", "steps of plans", hangs_on="account", reads=("task",))
        add_kind("flag_rule", FlagRule, "flag rule", "flag rules", is_rule=True)
        add_kind("flag", Flag, "flag", "flags", hangs_on="account", reads=("rule",))
        add_kind("watch", Watch, "watch", "watches", hangs_on="account", reads=("user", "team", "account"))
        add_kind("task", Task, "task", "tasks", hangs_on="account")
        add_kind("alert_rule", AlertRule, "alert rule", "alert rules", is_rule=True)
        add_kind("mail_template", MailTemplate, "template for mail", "templates for mail", is_rule=True)
        add_kind("notice_rule", NoticeRule, "rule of notices", "rules of notices", is_rule=True)
        add_kind("webhook", WebhookEndpoint, "webhook", "webhooks", is_rule=True, is_for_admins=True)
