"""What to do about it: flags, plans, tasks, alerts and what leaves the house because of them."""

from engagement.models.feedback import FeedbackTheme
from engagement.models.flags import Flag, FlagPass, FlagRule, Watch
from engagement.models.mail import OutgoingMail
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
from engagement.models.webhooks import Event, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Event",
    "FeedbackTheme",
    "Flag",
    "FlagPass",
    "FlagRule",
    "MonitoringRule",
    "OutgoingMail",
    "PeerStanding",
    "Plan",
    "PlanKind",
    "PlanPass",
    "PlanStep",
    "Playbook",
    "PlaybookStep",
    "PlaybookVersion",
    "Task",
    "Watch",
    "WebhookDelivery",
    "WebhookEndpoint",
]
