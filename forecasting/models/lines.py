"""What a run publishes: the forecast and the record of each period, summed by scope."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Segment, Team, User


class ForecastLine(models.Model):
    """The forecast and the record of one period for one scope, in the reporting currency.

    Scope: a team or an owner, or the whole book where both are blank; one segment, or all where blank. Amounts follow
    domain section 4; renewals that are approved exceptions are in none of them.
    """

    class Grain(models.TextChoices):
        MONTH = "month", "Month"
        QUARTER = "quarter", "Quarter"

    goes_with_its_rows = True  # derived

    grain = models.CharField(max_length=7, choices=Grain)
    starts_on = models.DateField()
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, null=True, related_name="+")
    # Counts and amounts by state; in the order that they are shown.
    due_count = models.IntegerField(default=0)
    due_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # atr
    won_count = models.IntegerField(default=0)
    won_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # new recurring value of renewed
    won_baseline_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # sum of min(R, B) of renewed
    lost_count = models.IntegerField(default=0)  # lost, lapsed and win-back
    lost_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    open_count = models.IntegerField(default=0)  # upcoming, in window and overdue
    open_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    overdue_count = models.IntegerField(default=0)
    overdue_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    commit_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    best_case_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    pipeline_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Won so far plus the open ones' distribution.
    expected_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    p10_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    p50_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    p90_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Of the open ones' probabilities and amounts, and of the shock: while it stays the same, so do the quantiles above.
    open_hash = models.BigIntegerField(default=0, editable=False)
    # Booking split of the decided ones, and of the open ones weighted by probability.
    renewal_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    upsell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    cross_sell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    downsell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    churn_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_renewal_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_upsell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_cross_sell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_downsell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_churn_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Timing mix: count and sum of min(R, B) by class; win-back is kept apart, it is not a renewal.
    early_count = models.IntegerField(default=0)
    early_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    on_time_count = models.IntegerField(default=0)
    on_time_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    late_count = models.IntegerField(default=0)
    late_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    win_back_count = models.IntegerField(default=0)
    win_back_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # What is expected of the open ones, by when it will be ordered; early + on time + late = expected renewal.
    expected_early_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_on_time_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_late_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_by_due_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # in by the due day
    expected_by_30_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # by 30 days after it
    expected_by_60_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expected_by_90_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Of what is won and expected, what will be paid.
    collected_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Standard deviation of the sum by chance alone: open ones decided independently, with the probabilities that they
    # have. No forecast misses by less in the long run.
    chance_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    in_period_amount = models.DecimalField(
        max_digits=18, decimal_places=2, default=0
    )  # ordered by the period's last day

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grain", "starts_on", "team", "owner", "segment"],
                nulls_distinct=False,
                name="forecast_line_once",
            ),
            models.CheckConstraint(
                condition=Q(p10_amount__lte=models.F("p50_amount"), p50_amount__lte=models.F("p90_amount")),
                name="forecast_line_quantiles_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grain} of {self.starts_on}"


class LineSource(models.Model):
    """What the stored lines of a fiscal quarter, and of its months, were computed from (see line_sources).

    A run whose rows give the same number leaves these lines alone. Whoever writes one of them otherwise, and however,
    takes the number away: a trigger does, raw SQL included.
    """

    starts_on = models.DateField(primary_key=True)
    source_hash = models.BigIntegerField()

    def __str__(self) -> str:
        return f"source of the quarter from {self.starts_on}"
