"""Accounts that have an open renewal, by the day of their last touch, for the order that asks for the longest silence.

An account that was not touched for long has mostly left: in the accounts' own index the open ones come after hundreds
of thousands that have nothing open. Triggers keep this table true, whoever writes and however, raw SQL included. Each
of them works on all rows of a statement at once and does nothing where neither outcome, account nor last touch changed.
"""

from __future__ import annotations

import pgtrigger
from django.db import models

from accounts.models import Account
from renewals.models.renewals import Renewal


class OpenAccount(models.Model):
    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="as_open")
    last_touch_on = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["last_touch_on", "account"],
                name="open_account_last_touch",
                condition=models.Q(last_touch_on__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"open renewals of {self.account_id}"


# The share lock waits for whoever is changing the last touch; taking the mark anew waits for whoever is removing it.
MARK = """
    INSERT INTO renewals_openaccount (account_id, last_touch_on)
    SELECT id, last_touch_on FROM accounts_account WHERE id IN ({accounts}) ORDER BY id FOR SHARE
    ON CONFLICT (account_id) DO UPDATE SET last_touch_on = excluded.last_touch_on;
"""
# The lock comes first and the look after it: two who close the last two renewals of an account at once see each other.
UNMARK = """
    PERFORM FROM renewals_openaccount WHERE account_id = ANY (closed) ORDER BY account_id FOR UPDATE;
    DELETE FROM renewals_openaccount marked WHERE account_id = ANY (closed) AND NOT EXISTS (
        SELECT FROM renewals_renewal r WHERE r.account_id = marked.account_id AND r.outcome = 'open');
"""
UPDATED = f"""
    SELECT array_agg(DISTINCT n.account_id) FILTER (WHERE n.outcome = 'open'),
        array_agg(DISTINCT o.account_id) FILTER (WHERE o.outcome = 'open')
    INTO opened, closed FROM old_rows o JOIN new_rows n USING (id)
    WHERE (o.outcome, o.account_id) IS DISTINCT FROM (n.outcome, n.account_id);
    IF opened IS NOT NULL THEN {MARK.format(accounts="SELECT unnest(opened)")} END IF;
    IF closed IS NOT NULL THEN {UNMARK} END IF;
    RETURN NULL;
"""
DELETED = f"""
    SELECT array_agg(DISTINCT account_id) INTO closed FROM old_rows WHERE outcome = 'open';
    IF closed IS NOT NULL THEN {UNMARK} END IF;
    RETURN NULL;
"""
TOUCHED = """
    UPDATE renewals_openaccount marked SET last_touch_on = n.last_touch_on
    FROM old_rows o JOIN new_rows n USING (id)
    WHERE marked.account_id = n.id AND o.last_touch_on IS DISTINCT FROM n.last_touch_on;
    RETURN NULL;
"""
NEW, OLD = "new_rows", "old_rows"
OPENED, CLOSED = ("opened", "bigint[]"), ("closed", "bigint[]")


def _trigger(
    name: str,
    operation: pgtrigger.Operation,
    body: str,
    *,
    old: str | None = None,
    new: str | None = None,
    declare: list[tuple[str, str]] | None = None,
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(old=old, new=new),  # type: ignore[no-untyped-call]
        declare=declare,
        func=body,
    )


MARK_NEW = MARK.format(accounts="SELECT account_id FROM new_rows WHERE outcome = 'open'") + "RETURN NULL;"
pgtrigger.register(
    _trigger("open_accounts_insert", pgtrigger.Insert, MARK_NEW, new=NEW),
    _trigger("open_accounts_update", pgtrigger.Update, UPDATED, old=OLD, new=NEW, declare=[OPENED, CLOSED]),
    _trigger("open_accounts_delete", pgtrigger.Delete, DELETED, old=OLD, declare=[CLOSED]),
)(Renewal)
pgtrigger.register(_trigger("open_accounts_touch", pgtrigger.Update, TOUCHED, old=OLD, new=NEW))(Account)
