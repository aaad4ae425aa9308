"""Accounts whose health has to be looked at again, because a signal or their segment changed.

Triggers keep the marks, whoever writes and however, raw SQL included. Each works on all rows of a statement at once.
"""

from __future__ import annotations

import pgtrigger
from django.db import models

from accounts.models.accounts import Account
from accounts.models.signals import AccountSignal


class StaleHealth(models.Model):
    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="as_stale_health")
    marked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"health of {self.account_id}"


# As with the marks of signals: one that is there is written anew, so that who takes marks away never misses a change
# of a transaction that it does not see yet.
MARK_HEALTH = """
    INSERT INTO accounts_stalehealth (account_id, marked_at)
    SELECT DISTINCT account_id, now() FROM {rows} ORDER BY 1
    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;
"""
# An account that is deleted takes its signals with it.
GONE = "(SELECT account_id FROM old_rows WHERE EXISTS (SELECT FROM accounts_account a WHERE a.id = account_id)) gone"
BOTH = "(SELECT account_id FROM old_rows UNION SELECT account_id FROM new_rows) both_rows"
MOVED = (
    "(SELECT n.id AS account_id FROM new_rows n JOIN old_rows o USING (id)"
    " WHERE n.segment_id IS DISTINCT FROM o.segment_id) moved"
)


def _trigger(
    name: str, operation: pgtrigger.Operation, rows: str, *, old: str | None = None, new: str | None = None
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(old=old, new=new),  # type: ignore[no-untyped-call]
        func=MARK_HEALTH.format(rows=rows) + "RETURN NULL;",
    )


pgtrigger.register(
    _trigger("health_insert", pgtrigger.Insert, "new_rows", new="new_rows"),
    _trigger("health_update", pgtrigger.Update, BOTH, old="old_rows", new="new_rows"),
    _trigger("health_delete", pgtrigger.Delete, GONE, old="old_rows"),
)(AccountSignal)
pgtrigger.register(_trigger("health_segment", pgtrigger.Update, MOVED, old="old_rows", new="new_rows"))(Account)
