"""When an account counts as unmonitored."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Segment
from config.history import track_history

DUE_WITHIN_DAYS = 90
SILENT_DAYS = 30
MOST_DAYS = 1000


@track_history(exclude=(), is_making_kept=True)
class MonitoringRule(models.Model):
    """Of one segment, or of every segment without its own where `segment` is blank.

    An account is unmonitored where nobody touched it for more than `silent_days` and one of its open renewals is due
    within `due_within_days`, or it is flagged.
    """

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    due_within_days = models.PositiveSmallIntegerField(
        default=DUE_WITHIN_DAYS, validators=[MinValueValidator(0), MaxValueValidator(MOST_DAYS)]
    )
    silent_days = models.PositiveSmallIntegerField(
        default=SILENT_DAYS, validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)]
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment"], nulls_distinct=False, name="monitoring_rule_once"),
            models.CheckConstraint(
                condition=Q(due_within_days__lte=MOST_DAYS, silent_days__gte=1, silent_days__lte=MOST_DAYS),
                name="monitoring_rule_days",
                violation_error_message=f"Days are at most {MOST_DAYS:,}, and a silence has at least one.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.segment) if self.segment else "Everybody else"
