"""What customers were asked to pay, and how they did."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from accounts.models.accounts import Account
from accounts.models.company import CURRENCY
from accounts.models.people import User
from config.history import track_history


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, user: User) -> InvoiceQuerySet:
        return self if user.sees_all else self.filter(account__in=Account.objects.visible_to(user))


@track_history()
class Invoice(models.Model):
    """An invoice, as billing keeps it. A payment is known on the day it was settled; without one, on its due day."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invoices", db_index=False)
    external_id = models.CharField("invoice id", max_length=80)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3, validators=[CURRENCY])
    due_on = models.DateField()
    settled_on = models.DateField(null=True, blank=True)
    has_failed = models.BooleanField("payment failed", default=False)
    is_disputed = models.BooleanField("disputed", default=False)
    is_charged_back = models.BooleanField("charged back", default=False)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-due_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="invoice_external_id_once"),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="invoice_amount",
                violation_error_message="The amount of an invoice is 0 or more.",
            ),
        ]
        indexes = [models.Index(fields=["account", "-due_on"], name="invoice_of_account")]

    def __str__(self) -> str:
        return f"{self.external_id}: {self.amount} {self.currency}"
