"""Rules that renewals are judged by: timing tolerances and risk weights, both versioned."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import models
from django.db.models import F, Q

from accounts.models import Account, AttributeDefinition, Industry, Segment, User
from config.history import track_history

BEGINNING: Final = dt.date(1970, 1, 1)  # the first day that a version may be in force from


class TimingPolicy(models.Model):
    """Where tolerances apply: an account, a segment and industry, an industry, a segment, or (all blank) the rest."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, null=True, blank=True)
    industry = models.ForeignKey(Industry, on_delete=models.CASCADE, null=True, blank=True)

    class Meta:
        verbose_name_plural = "timing policies"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "segment", "industry"],
                nulls_distinct=False,
                name="timing_policy_once_per_scope",
                violation_error_message="There is a timing policy for this already; add a version to it.",
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=True) | Q(segment__isnull=True, industry__isnull=True),
                name="timing_policy_scope",
                violation_error_message="A policy for an account names no segment and no industry.",
            ),
        ]

    def __str__(self) -> str:
        if self.account:
            return str(self.account)
        return " + ".join(str(part) for part in (self.segment, self.industry) if part) or "Everybody else"


@track_history()
class TimingPolicyVersion(models.Model):
    """Tolerances in days, in force for renewals due on or after `effective_from` until the next version."""

    class DayKind(models.TextChoices):
        CALENDAR = "calendar", "Calendar days"
        BUSINESS = "business", "Business days"

    policy = models.ForeignKey(TimingPolicy, on_delete=models.CASCADE, related_name="versions")
    effective_from = models.DateField()
    early_days = models.PositiveSmallIntegerField()
    grace_days = models.PositiveSmallIntegerField(default=0)
    late_days = models.PositiveSmallIntegerField()
    day_kind = models.CharField(max_length=8, choices=DayKind, default=DayKind.CALENDAR)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "effective_from"],
                name="timing_policy_version_once_a_day",
                violation_error_message="This policy already has a version from that day.",
            ),
            models.CheckConstraint(
                condition=Q(grace_days__lte=F("late_days")),
                name="timing_policy_grace_within_late",
                violation_error_message="Grace days are at most the late days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} from {self.effective_from}"

    @property
    def is_from_the_beginning(self) -> bool:
        """No version comes before it, so its day says nothing."""
        return self.effective_from == BEGINNING


@track_history()
class RiskFactor(models.Model):
    """One thing that makes a renewal risky. Built-in ones come with a migration; others weigh a custom attribute.

    `position` is where the factor's share stands in RenewalScore.contributions; it is never reused.
    """

    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    explanation = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(unique=True)
    attribute = models.OneToOneField(AttributeDefinition, on_delete=models.CASCADE, null=True, blank=True)
    # How a custom attribute becomes a risk from 0 to 1: linear from low to high (numbers; days of age for dates), or
    # by category. A flag is 1 where it is yes; low above high turns any of them round.
    low_value = models.FloatField(null=True, blank=True)
    high_value = models.FloatField(null=True, blank=True)
    category_risks = models.JSONField(default=dict, blank=True)
    stale_days = models.PositiveSmallIntegerField(null=True, blank=True)  # an older signal counts as missing

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.label


class RiskWeightVersion(models.Model):
    """Weights of the factors for a segment, or (blank) for segments without their own; the newest one is in force.

    A segment's version without weights ends its own: it uses those of the other segments again.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, null=True, blank=True)
    weights = models.JSONField()  # factor key -> weight, 0 or more
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.segment or 'Other segments'}, {self.created_at:%d %b %Y %H:%M}"
