"""The one upsert: accounts, contracts, renewals; set-based, and a row is only touched where a value differs.

Values are computed against the row as it is at the moment of writing (`o`), so an edit that somebody saves while an
import works is never undone by it.
"""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from django.db import OperationalError, transaction
from django.db.models import Model

from accounts.models import Account
from config.foreign_keys import may_skip_checks
from config.indexes import suspended_indexes
from renewals.imports.references import insert_rows
from renewals.imports.run import Run
from renewals.models import Contract, Renewal

Counts = dict[str, int]


LIVE_ROWS: Final = "import_row WHERE verdict IS NULL"
FIRST_ROWS: Final = range(10_000, 250_001)  # fewer are written before indexes could be dropped and built


def write_rows(
    run: Run,
    model: type[Model],
    source: str,
    values: Dictionary[str, str],
    *,
    counted: str = LIVE_ROWS,
    order: str = "c.id",
) -> Counts:
    """`source` gives `id` and `is_new` as `c`; `values` are SQL over `c` and the old row `o`, by column.

    New rows go in by `order`: most indexes of a renewal begin with its due date, or hold it second, and neighbours
    that come together find their page at hand. That halves the time of a large insert.
    """
    table, columns = model._meta.db_table, ", ".join(values)
    has_update_day = any(field.name == "updated_at" for field in model._meta.concrete_fields)
    stamps, moments, touched = (
        ("created_at, updated_at", "now(), now()", ", updated_at = now()")
        if has_update_day
        else ("created_at", "now()", "")
    )
    wanted = ", ".join(values.values())
    differs = f"({wanted}) IS DISTINCT FROM ({', '.join(f'o.{column}' for column in values)})"
    if not run.is_applied:
        [(created, changed, total)] = run.rows(
            f"""
            SELECT count(*) FILTER (WHERE c.is_new), count(*) FILTER (WHERE NOT c.is_new AND {differs}), count(*)
            FROM {source} LEFT JOIN {table} o ON o.id = c.id AND NOT c.is_new
            """
        )
        return {"created": created, "changed": changed, "unchanged": total - created - changed}
    [(total,)] = run.rows(f"SELECT count(*) FROM {counted}")
    with _first_rows(run, table, total):
        created = insert_rows(
            run,
            model,
            f"""
            INSERT INTO {table} (id, {stamps}, {columns})
            SELECT c.id, {moments}, {wanted} FROM {source} CROSS JOIN (SELECT (NULL::{table}).*) o WHERE c.is_new
            ORDER BY {order}
            """,
        )
    if created == total:
        return {"created": created, "changed": 0, "unchanged": 0}
    changed = run.execute(
        f"""
        UPDATE {table} o SET {", ".join(f"{column} = {value}" for column, value in values.items())}{touched}
        FROM {source} WHERE o.id = c.id AND NOT c.is_new AND {differs}
        """
    )
    return {"created": created, "changed": changed, "unchanged": total - created - changed}


def _first_rows(run: Run, table: str, count: int) -> AbstractContextManager[None]:
    """The first rows of a company go into a table whose indexes are built once they are in.

    Nobody can read it until the import is over, so not for more rows than are written in some seconds, and not while
    somebody reads it: a wait for them, while they wait for us, would be a deadlock.
    """
    is_worth_it = count in FIRST_ROWS and may_skip_checks(run.cursor)
    if is_worth_it and not run.rows(f"SELECT FROM {table} LIMIT 1") and _is_held(run, table):
        return suspended_indexes(run.cursor, table, keeps_unique=True)
    return nullcontext()


def _is_held(run: Run, table: str) -> bool:
    try:
        with transaction.atomic():
            run.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT")
    except OperationalError:
        return False
    return True


def _looked_up(table: str, row_id: str) -> str:
    """A join that looks each row up by its id: a hash join would read the whole book for the few that a file knows."""
    return f"LEFT JOIN LATERAL (SELECT * FROM {table} WHERE id = {row_id} OFFSET 0)"


def write_accounts(run: Run) -> Counts:
    attributes = "coalesce(o.attributes, '{}') || coalesce(c.account_attributes, '{}')"
    # Somebody who imports for a team owns what they bring, unless the file says who does.
    owner = run.written("account.owner", "c.account_owner", "o.owner_id")
    if run.is_bound_to_team and run.user:
        owner = f"coalesce({owner}, {int(run.user.pk)})"
    has_parent = run.has("account.parent")
    latest = ", (SELECT latest_on FROM import_latest l WHERE l.account_id = c.id)" if run.has("touch.id") else ""
    name = (
        "CASE WHEN c.is_named_twin THEN o.name ELSE " + run.written("account.name", "c.account_name", "o.name") + " END"
    )
    return write_rows(
        run,
        Account,
        """
        (SELECT r.*, r.account_id AS id, r.is_new_account AS is_new FROM import_row r
         JOIN (SELECT min(row_number) AS row_number FROM import_row WHERE verdict IS NULL AND account_id IS NOT NULL
               GROUP BY account_id) first USING (row_number)) c
        """,
        {
            "name": f"coalesce({name}, c.account_name, c.account_external_id)",
            "external_id": "coalesce(nullif(o.external_id, ''), c.account_external_id, '')",
            "segment_id": run.written("account.segment", "c.account_segment", "o.segment_id"),
            "industry_id": run.written("account.industry", "c.account_industry", "o.industry_id"),
            "region": f"coalesce({run.written('account.region', 'c.account_region', 'o.region')}, '')",
            "owner_id": owner,
            "customer_since_on": run.written(
                "account.customer_since_on", "c.account_customer_since_on", "o.customer_since_on"
            ),
            # Touches only come later; an old file must not make an account look forgotten.
            "last_touch_on": f"greatest(o.last_touch_on, c.account_last_touch_on{latest})",
            "attributes": attributes,
            **({"family_id": run.written("account.parent", "c.parent_id", "o.family_id")} if has_parent else {}),
        },
        counted=f"(SELECT DISTINCT account_id FROM {LIVE_ROWS} AND account_id IS NOT NULL) d",
    )


def write_contracts(run: Run) -> Counts:
    return write_rows(
        run,
        Contract,
        """
        (SELECT r.*, m.contract_id AS id, m.is_new, m.starts_on AS term_starts_on, m.extended_id IS NOT NULL AS
            is_extension
         FROM import_row r JOIN import_term m USING (row_number) WHERE r.verdict IS NULL) c
        """,
        {
            "account_id": "coalesce(o.account_id, c.account_id)",
            "number": "coalesce(o.number, c.contract_number)",
            "product": f"coalesce({run.written('contract.product', 'c.contract_product', 'o.product')}, '')",
            "starts_on": "coalesce(o.starts_on, c.term_starts_on)",
            "ends_on": "c.ends_on",
            "is_term_assumed": """CASE WHEN o.id IS NULL THEN c.is_term_assumed OR c.is_extension
                WHEN o.starts_on = c.contract_starts_on THEN c.is_term_assumed ELSE o.is_term_assumed END""",
            "recurring_amount": "coalesce("
            + run.written("contract.recurring_amount", "c.yearly_amount", "o.recurring_amount")
            + ", 0)",
            "one_off_amount": "coalesce("
            + run.written("contract.one_off_amount", "c.contract_one_off_amount", "o.one_off_amount")
            + ", 0)",
            "currency": "coalesce(o.currency, c.contract_currency)",
            "is_auto_renewing": "coalesce("
            + run.written("contract.is_auto_renewing", "c.contract_is_auto_renewing", "o.is_auto_renewing")
            + ", false)",
            "notice_days": "coalesce("
            + run.written("contract.notice_days", "c.contract_notice_days", "o.notice_days")
            + ", 0)",
            "uplift_cap_rate": run.written(
                "contract.uplift_cap_rate", "round(c.contract_uplift_cap_rate::numeric, 4)", "o.uplift_cap_rate"
            ),
            "price_locked_until_on": run.written(
                "contract.price_locked_until_on", "c.contract_price_locked_until_on", "o.price_locked_until_on"
            ),
        },
    )


def write_renewals(run: Run) -> Counts:
    # What the row itself says of a contract or an account that it makes need not be read back.
    owner_may_be_given = run.has("account.owner") or run.is_bound_to_team
    return write_rows(
        run,
        Renewal,
        f"""
        (SELECT r.*, d.renewal_id AS id, d.is_new, d.contract_id,
            CASE WHEN NOT d.is_new_contract THEN d.contract_id END AS known_contract_id,
            CASE WHEN NOT r.is_new_account OR {owner_may_be_given} THEN r.account_id END AS known_account_id
         FROM import_row r JOIN import_decision d USING (row_number) WHERE r.verdict IS NULL) c
        {_looked_up("renewals_contract", "c.known_contract_id")} k ON true
        {_looked_up("accounts_account", "c.known_account_id")} a ON true
        """,
        {**_agreed(run), **_decided(run), **_worked_on(run)},
        order="c.due_on, c.id",
    )


def _baseline(run: Run) -> str:
    yearly = "c.yearly_amount, " if run.has("contract.recurring_amount") else ""
    return f"coalesce(c.renewal_baseline_amount, {yearly}o.baseline_amount, k.recurring_amount, 0)"


def _agreed(run: Run) -> dict[str, str]:
    """What comes up, and when: mostly the contract's word."""
    return {
        "contract_id": "coalesce(o.contract_id, c.contract_id)",
        "account_id": "coalesce(o.account_id, c.account_id)",
        "due_on": "coalesce(c.due_on, o.due_on)",
        "notice_days": f"coalesce({run.written('contract.notice_days', 'c.contract_notice_days', 'o.notice_days')}, "
        "k.notice_days, 0)",
        "currency": "coalesce(o.currency, k.currency, c.contract_currency)",
        "baseline_amount": _baseline(run),
    }


def _decided(run: Run) -> dict[str, str]:
    """What the customer did. "Open" in a file is no news of a renewal that the book has decided."""
    rule = run.mapping.rule("renewal.outcome")
    told = "nullif(c.outcome, 'open')"
    outcome = f"coalesce({told}, o.outcome, 'open')"
    if rule and not rule.overwrite:
        outcome = f"coalesce(nullif(o.outcome, 'open'), {told}, 'open')"
    final = run.written("renewal.final_amount", "c.renewal_final_amount", "nullif(o.final_amount, 0)")
    ordered = "coalesce(CASE WHEN c.is_order_assumed THEN o.ordered_on END, c.ordered_on, o.ordered_on)"
    return {
        "outcome": outcome,
        "final_amount": f"CASE {outcome} WHEN 'renewed' THEN coalesce({final}, {_baseline(run)}) "
        "WHEN 'lost' THEN 0 END",
        "ordered_on": f"CASE {outcome} WHEN 'renewed' THEN {ordered} END",
        "declined_on": f"CASE {outcome} WHEN 'lost' THEN coalesce(c.declined_on, o.declined_on) END",
        "churn_reason_id": run.written("renewal.churn_reason", "c.renewal_churn_reason", "o.churn_reason_id"),
    }


def _worked_on(run: Run) -> dict[str, str]:
    """What people make of it."""
    next_step = run.written("renewal.next_step", "c.renewal_next_step", "nullif(o.next_step, '')")
    values = {
        "owner_id": f"coalesce({run.written('renewal.owner', 'c.renewal_owner', 'o.owner_id')}, "
        "CASE WHEN c.is_new THEN a.owner_id END)",
        "stage_id": f"coalesce({run.written('renewal.stage', 'c.renewal_stage', 'o.stage_id')}, "
        "(SELECT id FROM renewals_stage ORDER BY position LIMIT 1))",
        "offer_id": run.written("renewal.offer", "c.renewal_offer", "o.offer_id"),
        "attributes": "coalesce(o.attributes, '{}') || coalesce(c.renewal_attributes, '{}')",
        "cross_sell_amount": "coalesce(o.cross_sell_amount, 0)",
        "is_excluded": "coalesce(o.is_excluded, false)",
        "excluded_reason": "coalesce(o.excluded_reason, '')",
        "next_step": f"coalesce({next_step}, '')",
    }
    for column in ("forecast_amount", "confidence", "expected_order_on", "next_step_on"):
        values[column] = run.written(f"renewal.{column}", f"c.renewal_{column}", f"o.{column}")
    return values


def decide_extended(run: Run) -> int:
    """A register that moved a contract's end forward says that the earlier term was renewed. How many were open until
    now.

    Its price is not in the register: the baseline stands in for the final amount, as for every renewal without one.
    """
    if run.mapping.expiry_moved != "renewed":
        return 0
    rule = run.mapping.rule("renewal.ordered_on")
    stand_in = "o.due_on" if rule and rule.stands_in == "due_on" else "%(file_on)s::date"
    extended = """
        FROM import_term m JOIN import_row r USING (row_number)
        WHERE r.verdict IS NULL AND o.contract_id = m.extended_id AND o.due_on = m.found_ends_on AND o.outcome = 'open'
    """
    params = {"file_on": run.file_on, "column": run.source("contract.ends_on")}
    run.execute(
        f"""
        INSERT INTO import_problem SELECT t.row_number, %(column)s, t.ends_on::text, 'expiry_moved',
            format('the end moved from %%s to %%s: taken as renewed, ordered on %%s', m.found_ends_on, t.ends_on,
                {stand_in}),
            'warning'
        FROM import_row t JOIN import_term m USING (row_number) JOIN renewals_renewal o ON o.contract_id = m.extended_id
        WHERE t.verdict IS NULL AND o.due_on = m.found_ends_on AND o.outcome = 'open'
        """,
        params,
    )
    if not run.is_applied:
        [(count,)] = run.rows(f"SELECT count(*) FROM renewals_renewal o WHERE EXISTS (SELECT 1 {extended})")
        return int(count)
    return run.execute(
        f"""
        UPDATE renewals_renewal o SET outcome = 'renewed', ordered_on = {stand_in}, final_amount = o.baseline_amount,
            updated_at = now() {extended}
        """,
        params,
    )


def write_past_terms(run: Run) -> Counts:
    """The terms that a rolling contract has run through: each renewed on the day it was due, for what it costs now."""
    if not run.mapping.is_rolling:
        return {}
    past = """
        (SELECT m.contract_id, r.account_id, r.yearly_amount, r.contract_currency, r.contract_notice_days,
            (r.starts_on + make_interval(months => r.contract_term_months * n))::date - 1 AS due_on
         FROM import_row r JOIN import_term m USING (row_number) CROSS JOIN LATERAL generate_series(1, r.past_terms) n
         WHERE r.verdict IS NULL) c
    """
    known = "renewals_renewal o ON o.contract_id = c.contract_id AND o.due_on = c.due_on"
    if not run.is_applied:
        [(created, changed, total)] = run.rows(
            f"""SELECT count(*) FILTER (WHERE o.id IS NULL), count(*) FILTER (WHERE o.outcome = 'open'), count(*)
            FROM {past} LEFT JOIN {known}"""
        )
        return {"created": created, "changed": changed, "unchanged": total - created - changed}
    [(total,)] = run.rows(f"SELECT count(*) FROM {past}")
    changed = run.execute(
        f"""
        UPDATE renewals_renewal o SET outcome = 'renewed', ordered_on = c.due_on, final_amount = o.baseline_amount,
            updated_at = now()
        FROM {past} WHERE o.contract_id = c.contract_id AND o.due_on = c.due_on AND o.outcome = 'open'
        """
    )
    created = insert_rows(
        run,
        Renewal,
        f"""
        INSERT INTO renewals_renewal (contract_id, account_id, owner_id, due_on, notice_days, currency, baseline_amount,
            final_amount, cross_sell_amount, stage_id, outcome, ordered_on, next_step, is_excluded, excluded_reason,
            attributes, created_at, updated_at)
        SELECT c.contract_id, c.account_id, a.owner_id, c.due_on, coalesce(c.contract_notice_days, 0),
            c.contract_currency,
            coalesce(c.yearly_amount, 0), coalesce(c.yearly_amount, 0), 0,
            (SELECT id FROM renewals_stage ORDER BY position LIMIT 1), 'renewed', c.due_on, '', false, '', '{{}}',
                now(), now()
        FROM {past} LEFT JOIN {known} JOIN accounts_account a ON a.id = c.account_id WHERE o.id IS NULL
        """,
    )
    return {"created": created, "changed": changed, "unchanged": total - created - changed}
