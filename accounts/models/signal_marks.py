"""Accounts whose tickets or invoices changed since their signals were last made of them.

Triggers keep the marks, whoever writes and however, raw SQL included. Each works on all rows of a statement at once.
"""

from __future__ import annotations

import pgtrigger
from django.db import models

from accounts.models.accounts import Account
from accounts.models.invoices import Invoice
from accounts.models.tickets import Ticket


class StaleSignal(models.Model):
    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="as_stale_signal")
    marked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"signals of {self.account_id}"


# A mark that is there is written anew, not only left: who takes the marks away then waits for this transaction, or
# leaves the mark to the next time, and never misses what it has not seen.
MARK_STALE = """
    INSERT INTO accounts_stalesignal (account_id, marked_at)
    SELECT DISTINCT account_id, now() FROM {rows} ORDER BY 1
    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;
"""
# An account that is deleted takes its tickets with it.
GONE = "(SELECT account_id FROM old_rows WHERE EXISTS (SELECT FROM accounts_account a WHERE a.id = account_id)) gone"
BOTH = "(SELECT account_id FROM old_rows UNION SELECT account_id FROM new_rows) both_rows"


def _trigger(
    name: str, operation: pgtrigger.Operation, rows: str, *, old: str | None = None, new: str | None = None
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(old=old, new=new),  # type: ignore[no-untyped-call]
        func=MARK_STALE.format(rows=rows) + "RETURN NULL;",
    )


MARKING = (Ticket, Invoice)
for model in MARKING:
    pgtrigger.register(
        _trigger("signals_insert", pgtrigger.Insert, "new_rows", new="new_rows"),
        _trigger("signals_update", pgtrigger.Update, BOTH, old="old_rows", new="new_rows"),
        _trigger("signals_delete", pgtrigger.Delete, GONE, old="old_rows"),
    )(model)
