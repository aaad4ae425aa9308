"""Accounts whose health has to be looked at again, because a signal or their segment changed."""

from __future__ import annotations

import pgtrigger
from django.db import models

from accounts.models.accounts import Account
from accounts.models.marks import MARK, marking_trigger, marking_triggers
from accounts.models.signals import AccountSignal


class StaleHealth(models.Model):
    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="as_stale_health")
    marked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"health of {self.account_id}"


MARK_HEALTH = MARK.format(marks="accounts_stalehealth", rows="{rows}")
MOVED = (
    "(SELECT n.id AS account_id FROM new_rows n JOIN old_rows o USING (id)"
    " WHERE n.segment_id IS DISTINCT FROM o.segment_id) moved"
)


pgtrigger.register(*marking_triggers("health", MARK_HEALTH))(AccountSignal)
pgtrigger.register(
    marking_trigger("health_segment", pgtrigger.Update, MARK_HEALTH.format(rows=MOVED), old="old_rows", new="new_rows")
)(Account)
