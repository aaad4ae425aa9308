"""What the engine derives for each renewal, in its own narrow table: a recompute never blocks or conflicts with a
person's edit (docs/architecture.md section 4)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import BigIntegerField, F, FloatField, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from accounts.models import Account
from renewals.models.renewals import Renewal


class TimingClass(models.IntegerChoices):
    """Domain section 3. The numbers are the engine's codes; names are for URLs, labels for people."""

    UPCOMING = 0, "Upcoming"
    IN_WINDOW = 1, "In window"
    OVERDUE = 2, "Overdue"
    LAPSED = 3, "Lapsed"
    EARLY = 4, "Early"
    ON_TIME = 5, "On time"
    LATE = 6, "Late"
    WIN_BACK = 7, "Win-back"
    LOST = 8, "Lost"


MEDIUM_RISK_FROM = 25.0
HIGH_RISK_FROM = 40.0


class RiskBand(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"

    @classmethod
    def of(cls, risk_score: float) -> RiskBand:
        """The bounds are the engine's (forecasting.engine.risk); a test holds the two together."""
        if risk_score >= HIGH_RISK_FROM:
            return cls.HIGH
        return cls.MEDIUM if risk_score >= MEDIUM_RISK_FROM else cls.LOW


class RenewalScore(models.Model):
    renewal = models.OneToOneField(Renewal, on_delete=models.CASCADE, primary_key=True, related_name="score")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    timing_class = models.SmallIntegerField(choices=TimingClass)
    timing_days = models.IntegerField()  # delta where ordered, else age; in the policy's kind of days
    risk_score = models.FloatField(null=True)  # 0 to 100, whole hundredths; null where no factor had an input
    likelihood = models.FloatField()
    likelihood_count = models.IntegerField()  # decided renewals behind the rate
    probability = models.FloatField()
    # What an open one brings on average if it is renewed, in cents of its currency, and the parts of that on products
    # that were in the contract, above the baseline, and on others; 0 of all others. `expected_cents` weighs them.
    mean_cents = models.BigIntegerField(default=0)
    mean_upsell_cents = models.BigIntegerField(default=0)
    mean_cross_sell_cents = models.BigIntegerField(default=0)
    completeness = models.FloatField()  # 0 to 1
    # By RiskFactor.position, in hundredths of a point; -1 is a missing input. They add up to risk_score x 100.
    contributions = ArrayField(models.SmallIntegerField())
    # Counts the edits that re-scored this row. A recompute merges a row only if this is what it read, so an edit made
    # while it ran is never overwritten by a stale result.
    edit_count = models.IntegerField(default=0)
    # 64 bits of what is said above, but for the count: a run that would say the same leaves the row alone. A trigger
    # makes it null where somebody writes any of that and leaves these bits.
    fingerprint = models.BigIntegerField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1, likelihood__gte=0, likelihood__lte=1),
                name="renewal_score_probabilities",
            ),
            models.CheckConstraint(
                condition=Q(
                    mean_upsell_cents__gte=0,
                    mean_cross_sell_cents__gte=0,
                    mean_cents__gte=F("mean_upsell_cents") + F("mean_cross_sell_cents"),
                ),
                name="renewal_score_means",
            ),
        ]
        indexes = [
            models.Index(fields=["timing_class", "renewal"], name="renewal_score_timing"),
            models.Index(fields=["timing_class", "risk_score", "renewal"], name="renewal_score_risk"),
            models.Index(fields=["timing_class", "likelihood", "renewal"], name="renewal_score_likelihood"),
            models.Index(fields=["timing_class", "probability", "renewal"], name="renewal_score_probability"),
        ]

    def __str__(self) -> str:
        return f"score of {self.renewal_id}"


def expected_cents(*names: str) -> Cast:
    """Of a renewal: its probability times the sum of these columns of its score, to the cent, half to even.

    Whole cents of each row, so that every total of rows is the sum of its parts; `forecasting.engine.booking.weighted`
    rounds the same product in the same way.
    """
    brings: Combinable = F(f"score__{names[0]}")
    for name in names[1:]:
        brings += F(f"score__{name}")
    return Cast(F("score__probability") * Cast(brings, FloatField()), BigIntegerField())
