"""Which contract and which renewal of the book a row is about, or that it makes one."""

from __future__ import annotations

from renewals.imports.repeats import mark_repeats
from renewals.imports.run import Run


def match_contracts(run: Run) -> None:
    """Makes import_term: per row the contract, whether it is new, and the earlier term that it extends."""
    moved, has_start = run.mapping.expiry_moved, run.has("contract.starts_on")
    if moved == "renewed" or (moved == "corrected" and not has_start):
        fits, preferred = "true", "(o.ends_on = r.ends_on) DESC, o.ends_on DESC"
    elif has_start:
        fits, preferred = "o.starts_on = r.starts_on", "o.id"
    else:
        fits, preferred = (
            "(o.ends_on = r.ends_on OR o.starts_on = r.starts_on)",
            "(o.ends_on = r.ends_on) DESC, o.id DESC",
        )
    extends = "found.ends_on < r.ends_on" if moved == "renewed" else "false"
    # Ids in the order of the accounts': new terms then grow the index by account and number at its end.
    run.make_table(
        "import_term",
        f"""
        SELECT r.row_number, r.account_id, r.starts_on, r.due_on, found.ends_on AS found_ends_on,
            found.currency AS found_currency,
            CASE WHEN found.id IS NULL OR ({extends}) THEN {run.new_id("renewals_contract", "r.row_number")}
                ELSE found.id END AS contract_id,
            found.id IS NULL OR ({extends}) AS is_new,
            CASE WHEN {extends} THEN found.id END AS extended_id
        FROM import_row r LEFT JOIN (
            SELECT r.row_number, known.* FROM import_row r CROSS JOIN LATERAL (
                SELECT o.id, o.starts_on, o.ends_on, o.currency FROM renewals_contract o
                WHERE o.account_id = r.account_id AND o.number = r.contract_number AND {fits}
                ORDER BY {preferred} LIMIT 1) known
            WHERE r.verdict IS NULL AND NOT r.is_new_account) found USING (row_number)
        WHERE r.verdict IS NULL
        ORDER BY r.account_id, r.contract_number
        """,
    )
    if moved == "renewed":
        run.execute("UPDATE import_term SET starts_on = found_ends_on + 1 WHERE extended_id IS NOT NULL")
    if _refuse_contradictions(run, has_start):
        run.execute(
            "DELETE FROM import_term m USING import_row r WHERE r.row_number = m.row_number AND r.verdict IS NOT NULL"
        )


def _refuse_contradictions(run: Run, has_start: bool) -> int:
    """How many rows say something of a known term that cannot be."""
    refused, ends = 0, ("contract.ends_on", "renewal.due_on")
    if run.mapping.expiry_moved == "renewed":
        refused = run.refuse(
            "EXISTS (SELECT 1 FROM import_term m WHERE m.row_number = t.row_number AND m.found_ends_on > t.ends_on)",
            paths=ends,
            value="ends_on",
            code="earlier_end",
            reason="format('the book knows a later end, %%s; import registers from the oldest to the newest', "
            "(SELECT found_ends_on FROM import_term m WHERE m.row_number = t.row_number))",
        )
    elif run.mapping.expiry_moved == "new_term" and not has_start:
        refused = run.refuse(
            "EXISTS (SELECT 1 FROM import_term m WHERE m.row_number = t.row_number AND m.found_ends_on <> t.ends_on)",
            paths=ends,
            value="ends_on",
            code="earlier_end",
            reason="format('the book has a term of this contract from %%s that ends on %%s', starts_on, "
            "(SELECT found_ends_on FROM import_term m WHERE m.row_number = t.row_number))",
        )
    if run.mapping.expiry_moved == "corrected" and not has_start:
        refused += run.refuse(
            """EXISTS (SELECT 1 FROM import_term m JOIN renewals_contract o ON o.id = m.contract_id
                WHERE m.row_number = t.row_number AND NOT m.is_new AND o.starts_on > t.ends_on)""",
            paths=ends,
            value="ends_on",
            code="ends_before_start",
            reason="format('ends before the term that the book has of it, which ends on %%s', "
            "(SELECT found_ends_on FROM import_term m WHERE m.row_number = t.row_number))",
        )
    return refused + run.refuse(
        """contract_currency IS NOT NULL AND EXISTS (SELECT 1 FROM import_term m
            WHERE m.row_number = t.row_number AND NOT m.is_new AND m.found_currency <> t.contract_currency)""",
        paths=("contract.currency",),
        value="contract_currency",
        code="currency_change",
        reason="format('the contract is in %%s; a term in another currency is another contract', "
        "(SELECT found_currency FROM import_term m WHERE m.row_number = t.row_number))",
    )


def match_renewals_of_contracts(run: Run) -> None:
    """Makes import_decision: per row the renewal of its term that falls due, or a new one."""
    # A corrected end takes the open renewal along: it is the same decision, on another day.
    takes_along = run.mapping.expiry_moved == "corrected"
    fits = "o.due_on = m.due_on" + (" OR (o.due_on = m.found_ends_on AND o.outcome = 'open')" if takes_along else "")
    # Ids in the order in which the rows are written, by due date: then most indexes grow at their ends.
    run.make_table(
        "import_decision",
        f"""
        SELECT row_number, contract_id, is_new_contract, owner_id, found_due_on,
            coalesce(found_id, {run.new_id("renewals_renewal")}) AS renewal_id, found_id IS NULL AS is_new
        FROM (
            SELECT m.row_number, m.contract_id, m.is_new AS is_new_contract, found.owner_id,
                found.due_on AS found_due_on, found.id AS found_id
            FROM import_term m LEFT JOIN (
                SELECT m.row_number, known.* FROM import_term m CROSS JOIN LATERAL (
                    SELECT o.id, o.owner_id, o.due_on FROM renewals_renewal o
                    WHERE o.contract_id = m.contract_id AND ({fits})
                    ORDER BY (o.due_on = m.due_on) DESC LIMIT 1) known
                WHERE NOT m.is_new) found USING (row_number)
            ORDER BY m.due_on, m.row_number) term
        """,
    )
    if not run.is_bound_to_team or run.mapping.expiry_moved != "renewed":
        _refuse_other_teams(run)
        return
    # The earlier term that a moved end decides has to be the team's as well.
    run.execute(
        """
        INSERT INTO import_decision (row_number, contract_id, owner_id, found_due_on, renewal_id, is_new)
        SELECT m.row_number, o.contract_id, o.owner_id, o.due_on, o.id, NULL
        FROM import_term m JOIN renewals_renewal o ON o.contract_id = m.extended_id AND o.due_on = m.found_ends_on
        WHERE o.outcome = 'open'
        """
    )
    _refuse_other_teams(run)
    run.execute("DELETE FROM import_decision WHERE is_new IS NULL")


def make_news_rows(run: Run) -> None:
    """Makes import_row for news of renewals that are in the book."""
    run.make_table(
        "import_row",
        """
        SELECT c.*, a.account_id, false AS is_new_account, false AS is_named_twin, NULL::text AS verdict,
            NULL::bigint AS renewal_id, c.renewal_due_on AS due_on, NULL::date AS starts_on, NULL::date AS ends_on,
            NULL::numeric AS yearly_amount,
            coalesce(c.renewal_outcome, CASE WHEN c.renewal_ordered_on IS NOT NULL THEN 'renewed'
                WHEN c.renewal_declined_on IS NOT NULL THEN 'lost' END) AS outcome,
            c.renewal_declined_on AS declined_on, c.renewal_ordered_on AS ordered_on, false AS is_order_assumed
        FROM import_cell c LEFT JOIN import_account a USING (account_key)
        """,
    )


def find_known_renewals(run: Run) -> None:
    """Makes import_decision: per row the renewal with its due date, or the one decided nearest to a day."""
    # A reason without an outcome belongs to a renewal that is lost already.
    candidates = (
        "(r.outcome IS NULL OR o.outcome IN (r.outcome, 'open'))"
        if run.has("renewal.outcome") or run.has("renewal.ordered_on") or not run.has("renewal.churn_reason")
        else "o.outcome = 'lost'"
    )
    decided_on = "coalesce(o.ordered_on, o.declined_on, o.due_on)"
    near = f"abs({decided_on} - r.renewal_near_on)"
    run.make_table(
        "import_decision",
        f"""
        SELECT DISTINCT ON (r.row_number) r.row_number, o.contract_id, false AS is_new_contract, o.owner_id,
            o.due_on AS found_due_on,
            o.id AS renewal_id, false AS is_new,
            count(*) FILTER (WHERE r.renewal_near_on IS NULL) OVER (PARTITION BY r.row_number) AS fitting
        FROM import_row r
        JOIN renewals_contract k ON (r.contract_number IS NULL OR k.number = r.contract_number)
            AND (r.account_id IS NULL OR k.account_id = r.account_id)
        JOIN renewals_renewal o ON o.contract_id = k.id AND (r.due_on IS NULL OR o.due_on = r.due_on)
            AND (r.renewal_near_on IS NULL OR {near} <= {run.mapping.near_days}) AND {candidates}
        WHERE r.verdict IS NULL AND (r.account_id IS NOT NULL OR r.contract_number IS NOT NULL)
        ORDER BY r.row_number, {near} NULLS LAST, o.outcome = 'open', o.id
        """,
    )
    shown = "coalesce(contract_number, account_external_id, account_name)"
    run.refuse(
        "NOT EXISTS (SELECT 1 FROM import_decision m WHERE m.row_number = t.row_number)",
        paths=("contract.number", "account.external_id", "account.name"),
        value=shown,
        code="unknown_renewal",
        reason="CASE WHEN renewal_near_on IS NULL THEN format('no renewal of it is due on %%s', due_on) "
        f"ELSE format('no renewal of it that fits was decided or due within {run.mapping.near_days} days of %%s', "
        "renewal_near_on) END",
    )
    run.refuse(
        "EXISTS (SELECT 1 FROM import_decision m WHERE m.row_number = t.row_number AND m.fitting > 1)",
        paths=("contract.number",),
        value=shown,
        code="ambiguous_renewal",
        reason="'several renewals fit; give the account too'",
    )
    run.execute(
        "UPDATE import_row r SET renewal_id = m.renewal_id FROM import_decision m "
        "WHERE m.row_number = r.row_number AND r.verdict IS NULL"
    )
    mark_repeats(run, "renewal_id", paths=("contract.number", "account.external_id", "account.name"), value=shown)
    _refuse_other_teams(run)


def _refuse_other_teams(run: Run) -> None:
    if run.is_bound_to_team:
        run.refuse(
            """EXISTS (SELECT 1 FROM import_decision m LEFT JOIN accounts_user u ON u.id = m.owner_id
                WHERE m.row_number = t.row_number AND m.is_new IS NOT TRUE AND u.team_id IS DISTINCT FROM %s)""",
            paths=("contract.number",),
            value="contract_number",
            code="renewal_of_another_team",
            reason="'this renewal belongs to another team, or to nobody'",
            params=[run.team_id],
        )
