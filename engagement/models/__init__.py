"""What to do about it: flags, plans, tasks, alerts and what leaves the house because of them."""

from engagement.models.alerts import (
    Alert,
    AlertMute,
    AlertPass,
    AlertPreference,
    AlertRule,
    GroundedRule,
    Notification,
    RiskMark,
    Subscription,
)
from engagement.models.coverage import CoverageTerms
from engagement.models.feedback import FeedbackTheme
from engagement.models.feedback_sums import FeedbackAccount, FeedbackCell
from engagement.models.flags import Flag, FlagPass, FlagRule, Watch
from engagement.models.mail import CustomerMail, MailImage, MailTemplate, NoticeRule, OutgoingMail
from engagement.models.monitoring import MonitoringRule
from engagement.models.plans import (
    PeerStanding,
    Plan,
    PlanKind,
    PlanPass,
    PlanStep,
    Playbook,
    PlaybookStep,
    PlaybookVersion,
)
from engagement.models.tasks import Task
from engagement.models.webhooks import Event, WebhookDelivery, WebhookEndpoint, WebhookMark

__all__ = [
    "Alert",
    "AlertMute",
    "AlertPass",
    "AlertPreference",
    "AlertRule",
    "CoverageTerms",
    "CustomerMail",
    "Event",
    "FeedbackAccount",
    "FeedbackCell",
    "FeedbackTheme",
    "Flag",
    "FlagPass",
    "FlagRule",
    "GroundedRule",
    "MailImage",
    "MailTemplate",
    "MonitoringRule",
    "NoticeRule",
    "Notification",
    "OutgoingMail",
    "PeerStanding",
    "Plan",
    "PlanKind",
    "PlanPass",
    "PlanStep",
    "Playbook",
    "PlaybookStep",
    "PlaybookVersion",
    "RiskMark",
    "Subscription",
    "Task",
    "Watch",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMark",
]
