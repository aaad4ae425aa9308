"""The people at a customer."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from accounts.models.accounts import Account
from config.history import track_history


@track_history(exclude=(), is_making_kept=True)
class Contact(models.Model):
    """Somebody at the customer. Who has left stays, with the day, because touches were with them."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    is_champion = models.BooleanField("champion", default=False)
    # Asked not to be mailed: no mail from here goes to them.
    is_unmailed = models.BooleanField("wants no mail", default=False)
    left_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""), name="contact_has_name", violation_error_message="A contact needs a name."
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.role}" if self.role else self.name
