"""Contracts and the catalogue of offers."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import CURRENCY, Account, User
from config.history import track_history


@track_history()
class Offer(models.Model):
    """What a rep believes the customer will purchase: a row of the offer catalogue."""

    name = models.CharField(max_length=120, unique=True)
    product = models.CharField(max_length=120, blank=True)
    list_amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", validators=[CURRENCY])
    term_months = models.PositiveSmallIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(list_amount__isnull=True) | Q(list_amount__gte=0),
                name="offer_list_amount",
                violation_error_message="A list price is not negative.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, user: User) -> ContractQuerySet:
        from renewals.models.renewals import Renewal

        if user.sees_all:
            return self
        return self.filter(pk__in=Renewal.objects.visible_to(user).values("contract"))


@track_history()
class Contract(models.Model):
    """What was sold, for a term. Its first day and its last day are mandatory."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contracts", db_index=False)
    # Byte order, in which one index serves both the search by beginnings and the order of the table.
    number = models.CharField(max_length=80, db_collation="C")
    product = models.CharField(max_length=200, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    # True where a file gave only the end and the mapping's usual term filled in the start.
    is_term_assumed = models.BooleanField(default=False)
    recurring_amount = models.DecimalField(max_digits=14, decimal_places=2, default=0)  # a year; a ramp's last year
    # A ramp: the recurring value of each contract year, the last equal to recurring_amount.
    ramp_amounts = ArrayField(models.DecimalField(max_digits=14, decimal_places=2), null=True, blank=True)
    one_off_amount = models.DecimalField(max_digits=14, decimal_places=2, default=0)  # never part of a baseline
    currency = models.CharField(max_length=3, validators=[CURRENCY])
    is_auto_renewing = models.BooleanField(default=False)
    notice_days = models.PositiveSmallIntegerField(default=0)
    uplift_cap_rate = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True)
    price_locked_until_on = models.DateField(null=True, blank=True)  # no price rise takes effect up to this day
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ContractQuerySet.as_manager()

    class Meta:
        ordering = ["number", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "number", "starts_on"], name="contract_term_once"),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="contract_ends_after_start",
                violation_error_message="A contract ends on or after the day it starts.",
            ),
            models.CheckConstraint(
                condition=Q(recurring_amount__gte=0, one_off_amount__gte=0),
                name="contract_amounts",
                violation_error_message="Amounts of a contract are not negative.",
            ),
            models.CheckConstraint(condition=~Q(number=""), name="contract_has_number"),
        ]
        indexes = [
            models.Index(fields=["number", "id"], name="contract_number"),
            models.Index(fields=["product"], name="contract_product"),
        ]

    def __str__(self) -> str:
        return self.number
