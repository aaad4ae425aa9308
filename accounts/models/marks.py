"""Triggers that mark accounts whose derived rows have to be made again, whoever writes and however, raw SQL included.

Each works on all rows of a statement at once.
"""

from __future__ import annotations

import pgtrigger

# A mark that is there is written anew, not only left: who takes the marks away then waits for this transaction, or
# leaves the mark to the next time, and never misses what it has not seen.
MARK = """
    INSERT INTO {marks} (account_id, marked_at)
    SELECT DISTINCT account_id, now() FROM {rows} ORDER BY 1
    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;
"""
# An account that is deleted takes its rows with it.
GONE = "(SELECT account_id FROM old_rows WHERE EXISTS (SELECT FROM accounts_account a WHERE a.id = account_id)) gone"
BOTH = "(SELECT account_id FROM old_rows UNION SELECT account_id FROM new_rows) both_rows"


def marking_triggers(prefix: str, mark: str) -> tuple[pgtrigger.Trigger, ...]:
    """For a model whose rows have an `account`. `mark`: MARK of a table of marks, with its `{rows}` left open."""
    return (
        marking_trigger(f"{prefix}_insert", pgtrigger.Insert, mark.format(rows="new_rows"), new="new_rows"),
        marking_trigger(f"{prefix}_update", pgtrigger.Update, mark.format(rows=BOTH), old="old_rows", new="new_rows"),
        marking_trigger(f"{prefix}_delete", pgtrigger.Delete, mark.format(rows=GONE), old="old_rows"),
    )


def marking_trigger(
    name: str, operation: pgtrigger.Operation, func: str, *, old: str | None = None, new: str | None = None
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(old=old, new=new),  # type: ignore[no-untyped-call]
        func=func + "RETURN NULL;",
    )
