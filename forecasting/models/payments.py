"""What invoices taught about who pays."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models


class PaymentFit(models.Model):
    """The terms of the default probability, as plain numbers; a new row for each day on which they were learned."""

    as_of_on = models.DateField(unique=True)
    terms = models.JSONField()
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["-as_of_on"]

    def __str__(self) -> str:
        return f"terms of payment as of {self.as_of_on}"
