"""What capacity is reckoned by: hours of work, hours that people have, and the customers still to be won."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Segment, User
from config.history import track_history
from renewals.models import Stage

MOST_HOURS = 1000
MOST_WEEKS = 52
MOST_CUSTOMERS = 100_000


def _hours(name: str, default: str) -> models.DecimalField[Decimal, Decimal]:
    bounds = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(MOST_HOURS))]
    return models.DecimalField(name, max_digits=6, decimal_places=2, default=Decimal(default), validators=bounds)


def _weeks(name: str, default: int) -> models.PositiveSmallIntegerField[int, int]:
    bounds = [MinValueValidator(1), MaxValueValidator(MOST_WEEKS)]
    return models.PositiveSmallIntegerField(name, default=default, validators=bounds)


def _rate(name: str, default: str) -> models.DecimalField[Decimal, Decimal]:
    bounds = [MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(1))]
    return models.DecimalField(name, max_digits=5, decimal_places=4, default=Decimal(default), validators=bounds)


@track_history(exclude=(), is_making_kept=True)
class CapacityTerms(models.Model):
    """One row, or none while everything is as the product brings it.

    A person has week_hours x utilisation_rate x overhead_rate productive hours in a week of five days
    (docs/domain.md section 4.4: 13 x 40 x 75 % x 85 % = 331.5 a quarter).
    """

    week_hours = _hours("hours of a week", "40")
    utilisation_rate = _rate("utilisation", "0.75")
    overhead_rate = _rate("left after overhead", "0.85")
    work_weeks = _weeks("weeks a renewal is worked on", 8)
    onboarding_hours = _hours("hours of onboarding a customer", "10")
    onboarding_weeks = _weeks("weeks of onboarding", 6)
    support_hours = _hours("hours of support a customer and week", "0.05")
    hiring_weeks = _weeks("weeks until somebody new is productive", 12)

    class Meta:
        verbose_name_plural = "capacity terms"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="capacity_terms_is_one_row"),
            models.CheckConstraint(
                condition=Q(week_hours__gt=0, week_hours__lte=168),
                name="capacity_week_hours",
                violation_error_message="A week has more than 0 and up to 168 hours.",
            ),
            models.CheckConstraint(
                condition=Q(utilisation_rate__gt=0, utilisation_rate__lte=1, overhead_rate__gt=0, overhead_rate__lte=1),
                name="capacity_rates",
                violation_error_message="Utilisation and what is left after overhead are above 0 and up to 100 %%.",
            ),
        ]

    def __str__(self) -> str:
        return "Capacity"


@track_history(exclude=(), is_making_kept=True)
class RenewalHours(models.Model):
    """Hours still to be spent on an open renewal of a segment at a stage; blank stands for all without their own.

    Looked up as segment and stage, then segment, then stage, then the row without either.
    """

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    hours = _hours("hours", "16")

    class Meta:
        verbose_name_plural = "renewal hours"
        constraints = [
            models.UniqueConstraint(fields=["segment", "stage"], nulls_distinct=False, name="renewal_hours_once"),
            models.CheckConstraint(condition=Q(hours__gte=0, hours__lte=MOST_HOURS), name="renewal_hours_bounds"),
        ]

    def __str__(self) -> str:
        return f"{self.segment or 'Every segment'}, {self.stage or 'every stage'}"


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def visible_to(self, user: User) -> AbsenceQuerySet:
        """Everybody's for who sees the whole book, a manager's team's, otherwise one's own."""
        if user.sees_all:
            return self
        if user.role == User.Role.MANAGER and user.team_id is not None:
            return self.filter(person__team_id=user.team_id)
        return self.filter(person=user)

    def editable_by(self, user: User) -> AbsenceQuerySet:
        if user.role == User.Role.ADMIN:
            return self
        if user.role == User.Role.MANAGER and user.team_id is not None:
            return self.filter(person__team_id=user.team_id)
        return self.filter(person=user) if user.role == User.Role.REP else self.none()


@track_history(exclude=(), is_making_kept=True)
class Absence(models.Model):
    """Days that a person is away, both ends included. Absences may overlap; a day counts once."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    first_on = models.DateField("from")
    last_on = models.DateField("to")
    note = models.CharField(max_length=120, blank=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        ordering = ["first_on", "person", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_on__gte=F("first_on")),
                name="absence_ends_after_it_begins",
                violation_error_message="An absence ends on the day it begins, or later.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.first_on:%d %b %Y} to {self.last_on:%d %b %Y}"


@track_history(exclude=(), is_making_kept=True)
class Holiday(models.Model):
    """A day on which nobody of the company works."""

    on = models.DateField("day", unique=True, error_messages={"unique": "This day is a holiday already."})
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["on"]

    def __str__(self) -> str:
        return f"{self.name}, {self.on:%d %b %Y}"


@track_history(exclude=(), is_making_kept=True)
class PlannedCustomers(models.Model):
    """New customers that sales and marketing aim at in a month, each counted by one of the two."""

    month_on = models.DateField("month", unique=True)
    sales_count = models.PositiveIntegerField("by sales", default=0, validators=[MaxValueValidator(MOST_CUSTOMERS)])
    marketing_count = models.PositiveIntegerField(
        "by marketing", default=0, validators=[MaxValueValidator(MOST_CUSTOMERS)]
    )

    class Meta:
        ordering = ["month_on"]
        verbose_name_plural = "planned customers"
        constraints = [
            models.CheckConstraint(condition=Q(month_on__day=1), name="planned_customers_by_month"),
        ]

    def __str__(self) -> str:
        return f"New customers of {self.month_on:%b %Y}"

    @property
    def count(self) -> int:
        return self.sales_count + self.marketing_count
