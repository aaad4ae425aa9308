"""What accounts are sorted by: segments, industries, and the attributes that a company defines."""

from __future__ import annotations

from django.db import models

from config.history import track_history


@track_history()
class Segment(models.Model):
    name = models.CharField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


@track_history()
class Industry(models.Model):
    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "industries"

    def __str__(self) -> str:
        return self.name


@track_history()
class AttributeDefinition(models.Model):
    """A custom attribute that an import brings: any column an admin wants to keep, and perhaps weigh as risk."""

    class Kind(models.TextChoices):
        NUMBER = "number", "Number"
        CATEGORY = "category", "Category"
        DATE = "date", "Date"
        FLAG = "flag", "Yes or no"

    class Holder(models.TextChoices):
        ACCOUNT = "account", "Account"
        RENEWAL = "renewal", "Renewal"

    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind)
    holder = models.CharField(max_length=8, choices=Holder, default=Holder.ACCOUNT)
    # An account's attribute that no outcome changes: where history does not reach back to a decision, the likelihood is
    # learned from the value of today. One that is known only with the outcome must not be steady.
    is_steady = models.BooleanField(default=True)
    # No foreign key tells that a row has a value of it.
    used_where = {
        "values": "EXISTS (SELECT 1 FROM accounts_account a WHERE jsonb_exists(a.attributes, {row}.key))"
        " OR EXISTS (SELECT 1 FROM renewals_renewal n WHERE jsonb_exists(n.attributes, {row}.key))"
    }

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label
