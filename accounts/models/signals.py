"""What was measured about an account, day by day."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from accounts.models.accounts import Account
from config.history import track_history

# Measures that are made of tickets and invoices too (accounts/signals_refresh.py), in the order of their bits.
DERIVED = (
    *("severe_ticket_count", "reopened_ticket_rate", "csat_score"),
    *("late_payment_days", "failed_payment_count", "chargeback_count"),
)
MEASURED_ELSEWHERE = (
    *("usage_change_rate", "seat_change_rate", "login_change_rate", "nps_score", "has_champion_left"),
    *("last_touch_on", "sentiment_score", "custom_values"),
)


@track_history()
class AccountSignal(models.Model):
    """What was measured about an account on a day: one row per account and day, a blank where nothing was measured.

    The newest non-blank value on or before a day is the account's state on that day. Rows are facts with a date and are
    never moved, so that a decided renewal can be judged by what was known before its decision.
    """

    # The unique key begins with it.
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="signals", db_index=False)
    measured_on = models.DateField()
    usage_change_rate = models.FloatField(null=True, blank=True)  # use against the 90 days before: -0.3 is a fall
    seat_change_rate = models.FloatField(null=True, blank=True)
    login_change_rate = models.FloatField(null=True, blank=True)  # logins against the 90 days before
    severe_ticket_count = models.PositiveIntegerField(null=True, blank=True)  # severe ones open on the day
    reopened_ticket_rate = models.FloatField(null=True, blank=True)  # 0 to 1, of those resolved
    csat_score = models.FloatField(null=True, blank=True)  # 1 to 5
    nps_score = models.FloatField(null=True, blank=True)  # -100 to 100
    late_payment_days = models.FloatField(null=True, blank=True)  # mean days late of settled invoices
    failed_payment_count = models.PositiveIntegerField(null=True, blank=True)
    chargeback_count = models.PositiveIntegerField(null=True, blank=True)
    has_champion_left = models.BooleanField(null=True, blank=True)
    last_touch_on = models.DateField(null=True, blank=True)
    sentiment_score = models.FloatField(null=True, blank=True)  # 1 to 5, what the rep makes of the customer's mood
    # Whatever else a company measures: numbers by the key of their HealthFactor.
    custom_values = models.JSONField(null=True, blank=True)
    # Which values were made of tickets and invoices, a bit for each (accounts/signals_refresh.py); the others were
    # measured elsewhere, and no aggregation ever blanks them.
    derived_measures = models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)
    # As of plans: days that were made of tickets and invoices alone.
    made_by_rule_where = " AND ".join(
        [
            "{row}.derived_measures > 0",
            *("{row}." + name + " IS NULL" for name in MEASURED_ELSEWHERE),
            *("({row}." + name + " IS NULL OR {row}.derived_measures & " + str(1 << bit) + " > 0)"
              for bit, name in enumerate(DERIVED)),
        ]
    )  # fmt: skip
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "measured_on"], name="account_signal_once_a_day"),
            models.CheckConstraint(
                condition=Q(csat_score__isnull=True) | Q(csat_score__gte=1, csat_score__lte=5),
                name="account_signal_csat",
                violation_error_message="CSAT is from 1 to 5.",
            ),
            models.CheckConstraint(
                condition=Q(nps_score__isnull=True) | Q(nps_score__gte=-100, nps_score__lte=100),
                name="account_signal_nps",
                violation_error_message="NPS is from -100 to 100.",
            ),
            models.CheckConstraint(
                condition=Q(sentiment_score__isnull=True) | Q(sentiment_score__gte=1, sentiment_score__lte=5),
                name="account_signal_sentiment",
                violation_error_message="Sentiment is from 1 to 5.",
            ),
        ]

        indexes = [
            # Few rows.
            models.Index(fields=["measured_on"], name="signal_champion_left", condition=Q(has_champion_left=True))
        ]

    def __str__(self) -> str:
        return f"{self.account} on {self.measured_on}"
