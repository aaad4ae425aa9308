"""What customers asked of support."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q

from accounts.models.accounts import Account
from accounts.models.people import User
from config.history import track_history


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: User) -> TicketQuerySet:
        return self if user.sees_all else self.filter(account__in=Account.objects.visible_to(user))

    def severe(self) -> TicketQuerySet:
        return self.filter(severity__in=SEVERE)


# Tickets come from a support desk and are only imported; what made one stands in the import's step.
@track_history()
class Ticket(models.Model):
    """A request of a customer, as the support desk keeps it."""

    class Category(models.TextChoices):
        INSTALLATION = "installation", "Installation"
        TRAINING = "training", "Training"
        MAINTENANCE = "maintenance", "Maintenance"
        TROUBLESHOOTING = "troubleshooting", "Troubleshooting"
        UPGRADE = "upgrade", "Upgrade"
        ENDING_SERVICE = "ending_service", "Ending service"
        BUG = "bug", "Bug"
        DOCUMENTATION = "documentation", "Documentation"
        OTHER = "other", "Other"

    class Severity(models.TextChoices):
        LOW = "low", "Low"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High"
        URGENT = "urgent", "Urgent"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tickets", db_index=False)
    external_id = models.CharField("ticket id", max_length=80)
    category = models.CharField(max_length=15, choices=Category, default=Category.OTHER)
    severity = models.CharField(max_length=6, choices=Severity, default=Severity.NORMAL)
    opened_on = models.DateField()
    resolved_on = models.DateField(null=True, blank=True)
    reopened_count = models.PositiveIntegerField(default=0)
    reporter = models.CharField(max_length=120, blank=True)
    satisfaction_score = models.FloatField(null=True, blank=True)  # 1 to 5, what the customer said when it was resolved
    subject = models.CharField(max_length=200, blank=True)
    theme = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="ticket_external_id_once"),
            models.CheckConstraint(
                condition=Q(resolved_on__isnull=True) | Q(resolved_on__gte=F("opened_on")),
                name="ticket_resolved_after_opened",
                violation_error_message="A ticket is resolved on the day that it was opened or later.",
            ),
            models.CheckConstraint(
                condition=Q(satisfaction_score__isnull=True) | Q(satisfaction_score__gte=1, satisfaction_score__lte=5),
                name="ticket_satisfaction",
                violation_error_message="Satisfaction is from 1 to 5.",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-opened_on"], name="ticket_of_account"),
            models.Index(
                fields=["account"],
                name="ticket_severe_open",
                condition=Q(resolved_on__isnull=True, severity__in=("high", "urgent")),
            ),
            # Themes are found by the beginnings of words; a ticket without a word of its own is not in it at all.
            GinIndex(SearchVector("subject", "theme", config="simple"), name="ticket_words"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id}: {self.subject}" if self.subject else self.external_id

    @property
    def is_open(self) -> bool:
        return self.resolved_on is None


SEVERE = (Ticket.Severity.HIGH, Ticket.Severity.URGENT)
