"""One import from the staged cells to the counts: resolve, check, match, write. A check does the same and writes
nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.backends.utils import CursorWrapper

from accounts.models import AttributeDefinition, HealthFactor
from renewals.imports.families import resolve_parents
from renewals.imports.fields import Kind
from renewals.imports.mapping import Mapping
from renewals.imports.match import find_known_renewals, make_news_rows, match_contracts, match_renewals_of_contracts
from renewals.imports.people import prepare_contacts, prepare_touches, write_contacts, write_touches
from renewals.imports.reader import FileRejected
from renewals.imports.records import prepare_invoices, prepare_tickets, write_invoices, write_tickets
from renewals.imports.repeats import mark_repeats
from renewals.imports.resolve import refuse_by_account, resolve_accounts
from renewals.imports.run import Run
from renewals.imports.signals import combine_signals, make_signal_rows, write_signals
from renewals.imports.terms import broken_outcomes, check_rows, make_rows, refuse_against_book
from renewals.imports.upsert import (
    Counts,
    decide_extended,
    write_accounts,
    write_contracts,
    write_past_terms,
    write_renewals,
)

# No two imports write at once: what one resolves the other might be making.
WRITING_LOCK = 7_215_001
SORTING_MB = 128  # a million rows are sorted, and joined, without a file on the way
SHOWN_ROWS = SHOWN_COLUMNS = 12


@dataclass
class Outcome:
    """What an import did, or on a check would do."""

    counts: dict[str, Counts] = field(default_factory=dict)  # per kind of record: created, changed, unchanged
    refused: int = 0
    repeated: int = 0
    imported: int = 0
    preview: list[list[str]] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        return any(counts.get("created", 0) + counts.get("changed", 0) for counts in self.counts.values())


def take_turns(cursor: CursorWrapper) -> None:
    """Waits, until the end of the transaction, for the other import that is writing."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITING_LOCK])


def work_through(run: Run) -> Outcome:
    """Everything after staging. Runs inside the caller's transaction, which took its turn where anything is written."""
    # A sample of 3,000 rows says enough of a table of this import, and reading ten times as many of each takes longer.
    run.execute(f"SET LOCAL default_statistics_target = 10; SET LOCAL work_mem = '{SORTING_MB}MB'")
    run.execute("ANALYZE import_cell (account_key, contract_number)")
    if run.is_applied:
        run.note_first_ids()
        define_attributes(run)
    resolve_accounts(run)
    WORK[run.mapping.rows][0](run)
    outcome = Outcome()
    [(outcome.imported, outcome.refused, outcome.repeated)] = run.rows(
        """
        SELECT count(*) FILTER (WHERE verdict IS NULL), count(*) FILTER (WHERE verdict = 'refused'),
            count(*) FILTER (WHERE verdict = 'repeated') FROM import_row
        """
    )
    outcome.preview = preview_rows(run)
    outcome.counts = WORK[run.mapping.rows][1](run)
    return outcome


def _prepare_accounts(run: Run) -> None:
    run.make_table(
        "import_row",
        """
        SELECT c.*, a.account_id, a.is_new AS is_new_account, a.is_named_twin, NULL::text AS verdict
        FROM import_cell c JOIN import_account a USING (account_key)
        """,
    )
    refuse_by_account(run)
    mark_repeats(
        run,
        "account_id",
        paths=("account.external_id", "account.name"),
        value="coalesce(account_external_id, account_name)",
    )
    if run.has("account.parent"):
        resolve_parents(run)


def _prepare_contracts(run: Run) -> None:
    make_rows(run)
    check_rows(run)
    match_contracts(run)
    match_renewals_of_contracts(run)
    if run.has("renewal.final_amount"):
        refuse_against_book(run)


def _prepare_news(run: Run) -> None:
    make_news_rows(run)
    refuse_by_account(run)
    run.refuse_by(broken_outcomes(run.as_of))
    find_known_renewals(run)
    refuse_against_book(run)


def _prepare_signals(run: Run) -> None:
    make_signal_rows(run)
    combine_signals(run)


def _write_accounts(run: Run) -> dict[str, Counts]:
    return {"accounts": write_accounts(run)}


def _write_contracts(run: Run) -> dict[str, Counts]:
    counts = {"accounts": write_accounts(run), "contracts": write_contracts(run)}
    past, extended = write_past_terms(run), decide_extended(run)
    renewals = write_renewals(run)
    counts["renewals"] = {name: renewals[name] + past.get(name, 0) for name in renewals}
    counts["renewals"]["changed"] += extended
    return counts


def _write_news(run: Run) -> dict[str, Counts]:
    return {"renewals": write_renewals(run)}


def _write_signals(run: Run) -> dict[str, Counts]:
    # Written in Python's order: a signal needs its account.
    return {"accounts": write_accounts(run), "signals": write_signals(run)}


def _write_tickets(run: Run) -> dict[str, Counts]:
    return {"accounts": write_accounts(run), "tickets": write_tickets(run)}


def _write_invoices(run: Run) -> dict[str, Counts]:
    return {"accounts": write_accounts(run), "invoices": write_invoices(run)}


def _write_touches(run: Run) -> dict[str, Counts]:
    return {"accounts": write_accounts(run), "touches": write_touches(run)}


def _write_contacts(run: Run) -> dict[str, Counts]:
    return {"accounts": write_accounts(run), "contacts": write_contacts(run)}


Step = tuple[Callable[[Run], None], Callable[[Run], dict[str, Counts]]]
WORK: dict[str, Step] = {
    "accounts": (_prepare_accounts, _write_accounts),
    "contracts": (_prepare_contracts, _write_contracts),
    "renewals": (_prepare_news, _write_news),
    "signals": (_prepare_signals, _write_signals),
    "payments": (_prepare_signals, _write_signals),
    "tickets": (prepare_tickets, _write_tickets),
    "invoices": (prepare_invoices, _write_invoices),
    "touches": (prepare_touches, _write_touches),
    "contacts": (prepare_contacts, _write_contacts),
}


def check_attributes(mapping: Mapping, *, may_create: bool) -> None:
    """Raises FileRejected where an attribute of the mapping is known as something else, or may not be made, and where
    a custom signal is none that health knows."""
    signals = set(HealthFactor.objects.filter(is_custom=True).values_list("key", flat=True)) if mapping.custom else ()
    for signal in mapping.custom:
        if signal.key not in signals:
            raise FileRejected(f"The custom signal “{signal.key}” is not known; an admin adds it under Health weights.")
    known = {one.key: one for one in AttributeDefinition.objects.all()}
    for attribute in mapping.attributes:
        found = known.get(attribute.key)
        if found is None and not may_create:
            raise FileRejected(f"The custom attribute “{attribute.key}” is not known yet; an admin imports it first.")
        if found and (found.kind, found.holder) != (attribute.kind, attribute.holder):
            raise FileRejected(
                f"The custom attribute “{attribute.key}” is known as {found.kind}, kept with the "
                f"{found.holder}; the mapping reads it as {attribute.kind}, kept with the {attribute.holder}."
            )


def define_attributes(run: Run) -> None:
    for attribute in run.mapping.attributes:
        definition, is_made = AttributeDefinition.objects.get_or_create(
            key=attribute.key,
            defaults={"label": attribute.label, "kind": attribute.kind, "holder": attribute.holder},
        )
        if is_made:
            run.made_definitions.append(definition.pk)


def preview_rows(run: Run) -> list[list[str]]:
    """Headings, and below them the first good rows as they will be."""
    columns = {
        "Row": "r.row_number",
        "Account": """coalesce(r.account_name, r.account_external_id,
            (SELECT name FROM accounts_account a WHERE a.id = r.account_id))""",
    }
    if run.mapping.rows == "renewals":
        columns |= {"Contract": _of_renewal("k.number"), "Due": _of_renewal("to_char(o.due_on, 'DD Mon YYYY')")}
        outcome = "coalesce(nullif(r.outcome, 'open'), o.outcome)"
        columns |= {"Outcome": _of_renewal(outcome), "Ordered": _day("ordered_on")}
    elif run.mapping.rows == "contracts":
        columns |= {"Contract": "r.contract_number", "Product": "r.contract_product", "Starts": _day("starts_on")}
        columns |= {"Due": _day("due_on"), "Yearly amount": "r.yearly_amount", "Currency": "r.contract_currency"}
        columns |= {"Outcome": "coalesce(r.outcome, 'open')", "Ordered": _day("ordered_on")}
    elif run.mapping.rows in ("signals", "payments"):
        columns["Measured"] = _day("measured_on")
    for rule in run.mapping.rules.values():
        one = rule.field
        if rule.columns and one.name not in SHOWN_OTHERWISE and one.sql_type != "bigint":
            columns.setdefault(one.label, _day(one.staged) if one.kind is Kind.DATE else f"r.{one.staged}")
    shown = list(columns)[:SHOWN_COLUMNS]
    rows = run.rows(
        f"""
        SELECT {", ".join(columns[name] for name in shown)}
        FROM import_row r WHERE row_number IN (
            SELECT row_number FROM import_row WHERE verdict IS NULL ORDER BY row_number LIMIT {SHOWN_ROWS})
        ORDER BY row_number
        """
    )
    return [shown, *(["" if value is None else str(value) for value in row] for row in rows)] if rows else []


def _day(column: str) -> str:
    return f"to_char(r.{column}, 'DD Mon YYYY')"


def _of_renewal(value: str) -> str:
    """Of the renewal `o` that news is of, and its contract `k`."""
    return f"""(SELECT {value} FROM renewals_renewal o JOIN renewals_contract k ON k.id = o.contract_id
        WHERE o.id = r.renewal_id)"""


SHOWN_OTHERWISE = (
    *("external_id", "name", "number", "product", "starts_on", "ends_on", "due_on", "recurring_amount", "currency"),
    *("outcome", "ordered_on", "measured_on", "term_months", "declined_on", "id"),
)
