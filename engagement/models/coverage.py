"""What looking after an account costs and saves, by segment and touch model."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Segment
from config.history import track_history

# 13 weeks x 40 h x 75 % utilisation x 85 % after overhead (docs/domain.md section 4.4).
REP_HOURS = Decimal("331.5")
MOST_HOURS = 2000


def _hours(default: str) -> models.DecimalField[Decimal, Decimal]:
    bounds = [MinValueValidator(0), MaxValueValidator(MOST_HOURS)]
    return models.DecimalField(max_digits=7, decimal_places=2, default=Decimal(default), validators=bounds)


def _rate(default: float) -> models.FloatField[float, float]:
    return models.FloatField(default=default, validators=[MinValueValidator(0), MaxValueValidator(1)])


@track_history(exclude=(), is_making_kept=True)
class CoverageTerms(models.Model):
    """Of one segment, or of every segment without its own where `segment` is blank.

    Hours are of one account in a quarter. A rate is the share of the value at risk that the touch model saves: it is
    stated, not measured. `rep_hours` counts on the row without a segment alone.
    """

    segment = models.OneToOneField(Segment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    low_hours = _hours("0.25")
    mid_hours = _hours("2")
    high_hours = _hours("8")
    low_saved_rate = _rate(0.05)
    mid_saved_rate = _rate(0.2)
    high_saved_rate = _rate(0.35)
    rep_hours = _hours(str(REP_HOURS))

    class Meta:
        verbose_name_plural = "coverage terms"
        constraints = [
            models.UniqueConstraint(fields=["segment"], nulls_distinct=False, name="coverage_terms_once"),
            models.CheckConstraint(
                condition=Q(low_hours__gte=0, low_hours__lt=F("mid_hours"), mid_hours__lt=F("high_hours")),
                name="coverage_terms_hours",
                violation_error_message="Low touch takes fewer hours than mid touch, and mid fewer than high.",
            ),
            models.CheckConstraint(
                condition=Q(
                    low_saved_rate__gte=0,
                    low_saved_rate__lte=F("mid_saved_rate"),
                    mid_saved_rate__lte=F("high_saved_rate"),
                    high_saved_rate__lte=1,
                ),
                name="coverage_terms_rates",
                violation_error_message="A closer touch saves no less; shares are from 0 to 1.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.segment) if self.segment else "Everybody else"
