"""Accounts whose tickets or invoices changed since their signals were last made of them."""

from __future__ import annotations

import pgtrigger
from django.db import models

from accounts.models.accounts import Account
from accounts.models.invoices import Invoice
from accounts.models.marks import MARK, marking_triggers
from accounts.models.tickets import Ticket


class StaleSignal(models.Model):
    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="as_stale_signal")
    marked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"signals of {self.account_id}"


MARK_STALE = MARK.format(marks="accounts_stalesignal", rows="{rows}")
MARKING = (Ticket, Invoice)
for model in MARKING:
    pgtrigger.register(*marking_triggers("signals", MARK_STALE))(model)
