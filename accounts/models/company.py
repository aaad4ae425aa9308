"""The one company of an installation, and what its currencies are worth."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.contrib.postgres.functions import TransactionNow
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from config.history import track_history
from config.instances import read_instance

CURRENCY = RegexValidator(r"^[A-Z]{3}$", "A currency is three capital letters, such as EUR.")


@track_history(exclude=("rules_version",))
class Company(models.Model):
    """The one company that runs this installation; exactly one row, made by the first migration."""

    class Attribution(models.TextChoices):
        DUE_PERIOD = "due_period", "Due period"
        ORDER_PERIOD = "order_period", "Order period"
        HYBRID = "hybrid", "Hybrid"

    class Horizon(models.IntegerChoices):
        DAYS_90 = 90, "90 days before the decision"
        DAYS_60 = 60, "60 days before the decision"
        DAYS_30 = 30, "30 days before the decision"
        DAYS_0 = 0, "The day before the decision"

    name = models.CharField(max_length=120, default="Our company")
    time_zone = models.CharField(max_length=64, default="UTC")
    fiscal_year_start_month = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    reporting_currency = models.CharField(max_length=3, default="EUR", validators=[CURRENCY])
    attribution = models.CharField(max_length=12, choices=Attribution, default=Attribution.DUE_PERIOD)
    # How many days before its decision a renewal is looked at when the likelihood is learned from it.
    likelihood_horizon_days = models.PositiveSmallIntegerField(choices=Horizon, default=Horizon.DAYS_30)
    # Grows by one whenever a rule that scoring reads is saved; processes compare it before they trust what they cached.
    rules_version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name_plural = "company"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="company_is_one_row"),
            models.CheckConstraint(
                condition=Q(fiscal_year_start_month__gte=1, fiscal_year_start_month__lte=12),
                name="company_fiscal_month",
                violation_error_message="The fiscal year starts in a month from 1 to 12.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def today(self, now: dt.datetime | None = None) -> dt.date:
        """The business date: the calendar day it is now where the company works."""
        return (now or timezone.now()).astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()


def get_company() -> Company:
    company = read_instance(Company, "id = %s", [1])
    if company is None:
        raise Company.DoesNotExist
    return company


@track_history()
class ExchangeRate(models.Model):
    """Units of the reporting currency for one unit of `currency`, from a day on. The reporting currency itself is 1."""

    currency = models.CharField(max_length=3, validators=[CURRENCY])
    effective_on = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["currency", "-effective_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "effective_on"],
                name="exchange_rate_once_a_day",
                violation_error_message="This currency already has a rate from that day.",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0), name="exchange_rate_positive", violation_error_message="A rate is above 0."
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.rate} from {self.effective_on}"
