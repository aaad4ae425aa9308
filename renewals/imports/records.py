"""Tickets and invoices: one record of another system to a row, known again by the id that it has there."""

from __future__ import annotations

from accounts.models import Invoice, Ticket
from renewals.imports.repeats import mark_repeats
from renewals.imports.resolve import refuse_by_account
from renewals.imports.run import Refusal, Run
from renewals.imports.upsert import Counts, write_rows

OPENED, RESOLVED = "ticket_opened_on", "ticket_resolved_on"


def prepare_tickets(run: Run) -> None:
    make_account_rows(run)
    run.refuse_by([
        Refusal(
            f"{OPENED} > %s",
            ("ticket.opened_on",),
            OPENED,
            "future_ticket",
            "'is after today: nobody can have opened it'",
            (run.as_of,),
        ),
        Refusal(
            f"{RESOLVED} > %s",
            ("ticket.resolved_on",),
            RESOLVED,
            "future_ticket",
            "'is after today: nobody can have resolved it'",
            (run.as_of,),
        ),
        Refusal(
            f"{RESOLVED} < {OPENED}",
            ("ticket.resolved_on",),
            RESOLVED,
            "resolved_before_opened",
            f"format('is before the day that it was opened, %%s', {OPENED})",
        ),
    ])  # fmt: skip
    match_records(run, "ticket", Ticket._meta.db_table)


def prepare_invoices(run: Run) -> None:
    make_account_rows(run)
    run.refuse_by([
        Refusal(
            "invoice_settled_on > %s",
            ("invoice.settled_on",),
            "invoice_settled_on",
            "future_settlement",
            "'is after today: nobody can have paid it'",
            (run.as_of,),
        )
    ])  # fmt: skip
    match_records(run, "invoice", Invoice._meta.db_table)


def make_account_rows(run: Run) -> None:
    run.make_table(
        "import_row",
        """
        SELECT c.*, a.account_id, a.is_new AS is_new_account, a.is_named_twin, NULL::text AS verdict
        FROM import_cell c JOIN import_account a USING (account_key)
        """,
    )
    refuse_by_account(run)


def match_records(run: Run, holder: str, table: str) -> None:
    """Makes import_record: per row the id of what it is about, and whether that is new."""
    key, path = f"{holder}_id", f"{holder}.id"
    mark_repeats(run, key, paths=(path,), value=key)
    run.make_table(
        "import_record",
        f"""
        SELECT r.row_number, coalesce(o.id, {run.new_id(table, "r.row_number")}) AS id, o.id IS NULL AS is_new,
            o.account_id AS known_account_id, (SELECT name FROM accounts_account a WHERE a.id = o.account_id) AS name
        FROM import_row r LEFT JOIN {table} o ON o.external_id = r.{key} WHERE r.verdict IS NULL
        """,
    )
    moved = "import_record m WHERE m.row_number = t.row_number"
    run.refuse(
        f"EXISTS (SELECT 1 FROM {moved} AND m.known_account_id <> t.account_id)",
        paths=("account.external_id", "account.name"),
        value="coalesce(account_external_id, account_name)",
        code="moved_account",
        reason=f"format('the book has this {holder} with another account, %%s', (SELECT name FROM {moved}))",
    )


def record_source(columns: str) -> str:
    return f"""(SELECT m.id, m.is_new, r.account_id, {columns}
        FROM import_row r JOIN import_record m USING (row_number) WHERE r.verdict IS NULL) c"""


def write_tickets(run: Run) -> Counts:
    def told(name: str) -> str:
        return run.written(f"ticket.{name}", f"c.{name}", f"o.{name}")

    names = (
        *("category", "severity", "opened_on", "resolved_on", "reopened_count", "reporter"),
        *("satisfaction_score", "subject", "theme"),
    )
    columns = ", ".join(f"r.ticket_{name} AS {name}" for name in names)
    # A blank day says nothing, but where the desk counts one more reopening, it says that the ticket is open again.
    is_open_again = "c.resolved_on IS NULL AND c.reopened_count > o.reopened_count"
    return write_rows(
        run,
        Ticket,
        record_source(f"r.ticket_id AS external_id, {columns}"),
        {
            "account_id": "c.account_id",
            "external_id": "c.external_id",
            "category": f"coalesce({told('category')}, 'other')",
            "severity": f"coalesce({told('severity')}, 'normal')",
            "opened_on": told("opened_on"),
            "resolved_on": f"CASE WHEN NOT ({is_open_again}) IS TRUE THEN {told('resolved_on')} END",
            "reopened_count": f"coalesce({told('reopened_count')}, 0)",
            "reporter": f"coalesce({told('reporter')}, '')",
            "satisfaction_score": told("satisfaction_score"),
            "subject": f"coalesce({told('subject')}, '')",
            "theme": f"coalesce({told('theme')}, '')",
        },
    )


def write_invoices(run: Run) -> Counts:
    def told(name: str) -> str:
        return run.written(f"invoice.{name}", f"c.{name}", f"o.{name}")

    flags = ("has_failed", "is_disputed", "is_charged_back")
    names = ("amount", "currency", "due_on", "settled_on", *flags)
    columns = ", ".join(f"r.invoice_{name} AS {name}" for name in names)
    return write_rows(
        run,
        Invoice,
        record_source(f"r.invoice_id AS external_id, {columns}"),
        {
            "account_id": "c.account_id",
            "external_id": "c.external_id",
            **{name: told(name) for name in names[:4]},
            **{name: f"coalesce({told(name)}, false)" for name in flags},
        },
    )
