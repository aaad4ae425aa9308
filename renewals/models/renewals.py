"""The renewal: one decision, one row of the central table."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.functions import TransactionNow
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import CURRENCY, Account, User, owners_visible_to
from config.history import track_history
from renewals.models.contracts import Contract, Offer


@track_history()
class Stage(models.Model):
    """A step in working a renewal, with the confidence a rep usually has there and the category it is spoken of in."""

    class ForecastCategory(models.TextChoices):
        COMMIT = "commit", "Commit"
        BEST_CASE = "best_case", "Best case"
        PIPELINE = "pipeline", "Pipeline"
        OMITTED = "omitted", "Omitted"

    name = models.CharField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(unique=True)
    default_confidence = models.PositiveSmallIntegerField(default=50, validators=[MaxValueValidator(100)])
    forecast_category = models.CharField(max_length=9, choices=ForecastCategory, default=ForecastCategory.PIPELINE)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.CheckConstraint(
                condition=Q(default_confidence__lte=100),
                name="stage_confidence",
                violation_error_message="A confidence is from 0 to 100 %%.",
            )
        ]

    def __str__(self) -> str:
        return self.name


@track_history()
class ChurnReason(models.Model):
    name = models.CharField(max_length=80, unique=True)
    is_avoidable = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RenewalQuerySet(models.QuerySet["Renewal"]):
    def visible_to(self, user: User) -> RenewalQuerySet:
        """The rows a user may know of (see accounts.User); rows without an owner: those who see all."""
        return self if user.sees_all else self.filter(owner__in=owners_visible_to(user))

    def editable_by(self, user: User) -> RenewalQuerySet:
        if user.role == User.Role.ADMIN:
            return self
        if user.role == User.Role.MANAGER and user.team_id is not None:
            return self.filter(owner__team_id=user.team_id)
        return self.filter(owner=user) if user.role == User.Role.REP else self.none()

    def open(self) -> RenewalQuerySet:
        return self.filter(outcome=Renewal.Outcome.OPEN)

    def due_between(self, first_on: dt.date, last_on: dt.date) -> RenewalQuerySet:
        return self.filter(due_on__gte=first_on, due_on__lte=last_on)


@track_history(exclude=("updated_at", "decision_on"))
class Renewal(models.Model):
    """One decision: this contract, ending on this day, will it be renewed?

    `outcome` says what the customer did. Whether a renewed one counts as early, on time, late or as a win-back, and
    whether an open one has lapsed, is the timing class in RenewalScore, because it depends on the policy and the day.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", "Open"
        RENEWED = "renewed", "Renewed"
        LOST = "lost", "Lost"

    # No index of their own on these: the composite ones below, and the unique constraint, begin with them.
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="renewals", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="renewals")
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_renewals", db_index=False
    )
    due_on = models.DateField()
    notice_days = models.PositiveSmallIntegerField(default=0)
    decision_on = models.GeneratedField(
        expression=F("due_on") - F("notice_days"), output_field=models.DateField(), db_persist=True
    )
    currency = models.CharField(max_length=3, validators=[CURRENCY])
    baseline_amount = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    forecast_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    final_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    # The part of the final amount, or while open of the forecast, on products that were not in the contract.
    cross_sell_amount = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    offer = models.ForeignKey(
        Offer, on_delete=models.PROTECT, null=True, blank=True, related_name="renewals", db_index=False
    )
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="renewals", db_index=False)
    confidence = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(100)])
    expected_order_on = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=7, choices=Outcome, default=Outcome.OPEN)
    ordered_on = models.DateField(null=True, blank=True)
    declined_on = models.DateField(null=True, blank=True)
    churn_reason = models.ForeignKey(
        ChurnReason, on_delete=models.PROTECT, null=True, blank=True, related_name="renewals", db_index=False
    )
    next_step = models.CharField(max_length=200, blank=True)
    next_step_on = models.DateField(null=True, blank=True)
    # An approved exception leaves every rate of domain section 4.3; the reason is mandatory.
    is_excluded = models.BooleanField(default=False)
    excluded_reason = models.CharField(max_length=200, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = RenewalQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "due_on"], name="renewal_once_per_due_date"),
            models.CheckConstraint(
                condition=Q(baseline_amount__gte=0)
                & (Q(forecast_amount__isnull=True) | Q(forecast_amount__gte=0))
                & (Q(final_amount__isnull=True) | Q(final_amount__gte=0))
                & Q(cross_sell_amount__gte=0),
                name="renewal_amounts",
                violation_error_message="Amounts of a renewal are not negative.",
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__lte=100),
                name="renewal_confidence",
                violation_error_message="A confidence is from 0 to 100 %%.",
            ),
            models.CheckConstraint(
                condition=(
                    Q(outcome="open", ordered_on__isnull=True, declined_on__isnull=True, final_amount__isnull=True)
                    | Q(outcome="renewed", ordered_on__isnull=False, declined_on__isnull=True, final_amount__gt=0)
                    | Q(outcome="renewed", ordered_on__isnull=False, declined_on__isnull=True, baseline_amount=0)
                    | Q(outcome="lost", ordered_on__isnull=True, final_amount=0)
                ),
                name="renewal_outcome_is_whole",
                violation_error_message="A renewed one has an order date and a final amount; a lost one has neither.",
            ),
            models.CheckConstraint(
                condition=Q(is_excluded=False) | ~Q(excluded_reason=""),
                name="renewal_exclusion_has_reason",
                violation_error_message="An exception needs its reason.",
            ),
        ]
        # One per order that the central table offers, within each outcome: the open ones are few and stand at one end
        # of the book. What is mostly blank is indexed only where it is not.
        indexes = [
            models.Index(fields=["outcome", "due_on", "id"], name="renewal_outcome_due"),
            models.Index(fields=["stage", "outcome", "due_on", "id"], name="renewal_stage_due"),
            models.Index(fields=["outcome", "decision_on", "id"], name="renewal_decision"),
            models.Index(fields=["outcome", "baseline_amount", "id"], name="renewal_baseline"),
            # Which currencies there are, each found from the one before it.
            models.Index(fields=["currency"], name="renewal_currency"),
            # Few rows.
            models.Index(fields=["outcome", "due_on", "id"], name="renewal_exceptions", condition=Q(is_excluded=True)),
            *(
                models.Index(
                    fields=[column, "outcome", "due_on", "id"],
                    name=f"renewal_{column}_due",
                    condition=Q(**{f"{column}__isnull": False}),
                )
                for column in ("owner", "offer", "churn_reason")
            ),
            *(
                models.Index(
                    fields=["outcome", column, "id"],
                    name=f"renewal_{name}",
                    condition=Q(**{f"{column}__isnull": False}),
                )
                for column, name in (
                    ("ordered_on", "ordered"),
                    ("forecast_amount", "forecast"),
                    ("confidence", "by_confidence"),
                    ("expected_order_on", "expected"),
                    ("next_step_on", "next_step"),
                )
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} · {self.contract} · due {self.due_on:%d %b %Y}"
