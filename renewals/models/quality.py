"""Data quality: the rules as rows, what breaks them, and how that went day by day (docs/domain.md section 7)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from accounts.models import CURRENCY, Account, User
from config.history import track_history
from renewals.models.contracts import Contract
from renewals.models.renewals import Renewal


@track_history()
class DataRule(models.Model):
    """A rule that an admin edits. What its condition means, and its parameters: renewals.quality.conditions."""

    class Severity(models.IntegerChoices):
        INFO = 1, "Info"
        WARNING = 2, "Warning"
        ERROR = 3, "Error"

    class Condition(models.TextChoices):
        IMPOSSIBLE_DATES = "impossible_dates", "Dates that cannot be"
        MISSING_DATES = "missing_dates", "Dates that are missing"
        ENDED_WITHOUT_RENEWAL = "ended_without_renewal", "A contract that ended without a renewal"
        OPEN_PAST_DUE = "open_past_due", "Past due without an outcome"
        CONFIDENCE_AGAINST_STAGE = "confidence_against_stage", "A confidence that contradicts the stage"
        NO_ACTIVE_OWNER = "no_active_owner", "No owner, or one who left"
        DUPLICATE_ACCOUNT = "duplicate_account", "An account that looks like another"
        FORECAST_ABOVE_CAP = "forecast_above_cap", "A forecast above the uplift cap"
        STALE_NEXT_STEP = "stale_next_step", "A next step that is past"
        CURRENCY_WITHOUT_RATE = "currency_without_rate", "A currency that is missing or has no rate"
        FIELD_EMPTY = "field_empty", "A field is empty"
        FIELD_OLD = "field_old", "A date is too long ago"
        FIELD_OUT_OF_RANGE = "field_out_of_range", "A number is outside a range"
        DATE_ORDER = "date_order", "A date is after another"

    class Asked(models.TextChoices):
        OWNER = "owner", "The owner"
        MANAGER = "manager", "The manager"
        ADMIN = "admin", "An admin"

    class Fix(models.TextChoices):
        NONE = "", "No suggestion"
        STAGE_CONFIDENCE = "stage_confidence", "Set the confidence to the stage's"
        BASELINE_FORECAST = "baseline_forecast", "Set the forecast to the baseline"
        CAPPED_FORECAST = "capped_forecast", "Lower the forecast to the uplift cap"
        NEXT_STEP_DATE = "next_step_date", "Move the next step to a week from today"
        ACCOUNT_OWNER = "account_owner", "Hand it to the account's owner"

    # Small: RenewalQuality.rule_ids holds these for every row that breaks a rule.
    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=80, unique=True, error_messages={"unique": "There is a rule of this name."})
    condition = models.CharField(max_length=24, choices=Condition)
    parameters = models.JSONField(default=dict, blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.WARNING)
    asked = models.CharField("who is asked", max_length=7, choices=Asked, default=Asked.OWNER)
    fix = models.CharField("suggested fix", max_length=17, choices=Fix, blank=True, default=Fix.NONE)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        ordering = ["-severity", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(severity__gte=1, severity__lte=3),
                name="data_rule_severity",
                violation_error_message="A severity is info, warning or error.",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="data_rule_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class RenewalQuality(models.Model):
    """The rules that a renewal breaks; a renewal that breaks none has no row.

    Written by renewals.quality.evaluate only, with the edit or the recompute that caused it. Its foreign key is made by
    the migration with ON DELETE CASCADE: what deletes renewals need not know of this table.
    """

    renewal = models.OneToOneField(
        Renewal, on_delete=models.CASCADE, primary_key=True, related_name="quality", db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    due_on = models.DateField()  # the renewal's, for the order of the worklist
    rule_ids = ArrayField(models.SmallIntegerField())  # the most severe first
    worst_severity = models.PositiveSmallIntegerField(choices=DataRule.Severity)

    class Meta:
        verbose_name_plural = "renewal qualities"
        indexes = [
            models.Index(fields=["-worst_severity", "due_on", "renewal"], name="renewal_quality_worst"),
            GinIndex(fields=["rule_ids"], name="renewal_quality_rules"),
        ]

    def __str__(self) -> str:
        return f"quality of {self.renewal_id}"


class AccountName(models.Model):
    """The key under which the names of accounts count as the same, and what it was made from.

    Kept so that only what changed is folded anew; see renewals.quality.duplicates. Has no foreign key in the database:
    checking a million of them one by one costs more than clearing up after deleted accounts.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="folded_name", db_constraint=False
    )
    name = models.CharField(max_length=200)
    family_id = models.BigIntegerField()  # the account itself where it has no family
    key = models.CharField(max_length=400, db_collation="C")

    class Meta:
        indexes = [models.Index(fields=["key"], name="account_name_key")]

    def __str__(self) -> str:
        return self.name


class AccountBreach(models.Model):
    """A rule that an account or a contract breaks where there is no renewal to show it at."""

    rule = models.ForeignKey(DataRule, on_delete=models.CASCADE, related_name="account_breaches")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="breaches", db_constraint=False)
    contract = models.ForeignKey(
        Contract, on_delete=models.CASCADE, null=True, related_name="breaches", db_constraint=False
    )
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # a year of the contract
    currency = models.CharField(max_length=3, blank=True, validators=[CURRENCY])

    class Meta:
        verbose_name_plural = "account breaches"
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "account", "contract"], nulls_distinct=False, name="account_breach_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} breaks {self.rule}"


class QualitySnapshot(models.Model):
    """One owner's rows at the last recompute of a day, in the reporting currency; without an owner where blank.

    `broken` rows break a rule that is a warning or an error; `breach_count` counts every rule that a row breaks.
    """

    taken_on = models.DateField()
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="quality_snapshots")
    renewal_count = models.IntegerField()
    breach_count = models.IntegerField()
    broken_count = models.IntegerField()
    baseline_amount = models.DecimalField(max_digits=18, decimal_places=2)
    broken_amount = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        ordering = ["taken_on"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "taken_on"], nulls_distinct=False, name="quality_snapshot_once")
        ]

    def __str__(self) -> str:
        return f"{self.owner or 'Nobody'} on {self.taken_on}"
