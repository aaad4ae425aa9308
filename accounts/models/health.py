"""How well an account is: what its health is made of, what weighs how much, and how it was on each day.

Source of the formula: docs/domain.md section 2 (health score) and 5 (the risk score, which is made the same way).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models.accounts import Account
from accounts.models.lists import Segment
from accounts.models.people import User
from config.history import track_history

HEALTHY_FROM, WATCH_FROM = 75, 60
MISSING_PART = -1  # as AccountHealth.contributions holds a factor without an input


class HealthBand(models.IntegerChoices):
    POOR = 0, "Poor"
    WATCH = 1, "Watch"
    HEALTHY = 2, "Healthy"


@track_history()
class HealthFactor(models.Model):
    """One signal that health is made of: a column of AccountSignal, or a custom value that imports or programs bring.

    Its share runs linearly from nothing at `worst_value` to all at `best_value`; `worst_value` may be the larger one.
    `position` is where its share stands in AccountHealth.contributions; it is never reused.
    """

    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    explanation = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(unique=True)
    is_custom = models.BooleanField(default=False)
    worst_value = models.FloatField("worst at")
    best_value = models.FloatField("best at")
    stale_days = models.PositiveSmallIntegerField("missing after, days")  # a value older than so many days is missing

    class Meta:
        ordering = ["position"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(worst_value=F("best_value")),
                name="health_factor_scale",
                violation_error_message="The worst and the best value differ.",
            ),
            models.CheckConstraint(
                condition=Q(stale_days__gte=1),
                name="health_factor_stale",
                violation_error_message="A value counts for one day at least.",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class HealthWeightVersion(models.Model):
    """Weights and bands of a segment, or (blank) of segments without their own; the newest one is in force.

    A segment's version without weights ends its own: it uses those of the other segments again.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    weights = models.JSONField()  # factor key -> weight, 0 or more
    healthy_from = models.PositiveSmallIntegerField(default=HEALTHY_FROM)
    watch_from = models.PositiveSmallIntegerField(default=WATCH_FROM)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(watch_from__gt=0, watch_from__lt=F("healthy_from"), healthy_from__lte=100),
                name="health_weight_version_bands",
                violation_error_message="Watch begins above 0 and below healthy, which begins at 100 at most.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.segment or 'Other segments'}, {self.created_at:%d %b %Y %H:%M}"


class AccountHealth(models.Model):
    """How an account is at present. Derived: the refresh writes it, people never do (forecasting/health)."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="health")
    score = models.FloatField(null=True)  # 0 (bad) to 100 (good), whole hundredths; null where all inputs are missing
    band = models.SmallIntegerField(choices=HealthBand, null=True)
    completeness = models.FloatField()  # 0 to 1, share of the weight for which there is a fresh input
    # By HealthFactor.position, in hundredths of a point; MISSING_PART is no input. They add up to score x 100.
    contributions = ArrayField(models.SmallIntegerField())
    score_30_days_before = models.FloatField(null=True)
    score_90_days_before = models.FloatField(null=True)
    changed_on = models.DateField()  # the day from which the score or its completeness is what it is
    # After this day an input is too old, or one of the earlier scores is another: it has to be looked at again.
    stands_until_on = models.DateField(null=True, db_index=True)

    class Meta:
        indexes = [
            models.Index(fields=["band", "score"], name="account_health_band"),
            # The order of the central table.
            models.Index(fields=["score", "account"], name="account_health_score", condition=Q(score__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"health of {self.account_id}"


class HealthDay(models.Model):
    """What an account's health was from a day on, until its next row. By the weights of today, so that a change of the
    line is never one of the weights."""

    pk = models.CompositePrimaryKey("account_id", "changed_on")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="health_days", db_index=False)
    changed_on = models.DateField()
    score = models.FloatField(null=True)
    band = models.SmallIntegerField(choices=HealthBand, null=True)
    completeness = models.FloatField()

    def __str__(self) -> str:
        return f"health of {self.account_id} from {self.changed_on}"
