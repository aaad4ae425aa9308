"""Contract rows: the term each stands for, what contradicts itself, and which contract and renewal of the book it
is."""

from __future__ import annotations

import datetime as dt

from renewals.imports.repeats import mark_repeats
from renewals.imports.resolve import refuse_by_account, warn_of_differing_accounts
from renewals.imports.run import Refusal, Run

JOINED_BY = "row_number, account_id, account_key, contract_number, verdict"
ENDS = ("contract.ends_on", "renewal.due_on", "contract.starts_on")


def make_rows(run: Run) -> None:
    """Makes import_row: the staged cells, and beside them the account, the whole term and the whole outcome."""
    rule = run.mapping.rule("renewal.ordered_on")
    stand_in = {"due_on": "s.due_on", "file_on": "%(file_on)s::date"}.get(rule.stands_in if rule else "", "NULL::date")
    amount = run.mapping.rule("contract.recurring_amount")
    # A total over several years counts by the year. Of less than a year nobody knows the yearly value: it stays.
    yearly = (
        "round(c.contract_recurring_amount * 365 / greatest(t.ends_on - s.starts_on + 1, 365), 2)"
        if amount and amount.amount_is == "total"
        else "c.contract_recurring_amount"
    )
    run.make_table(
        "import_row",
        f"""
        SELECT a.account_id, a.is_new AS is_new_account, a.is_named_twin, NULL::text AS verdict,
            s.starts_on, t.ends_on, s.due_on, t.past_terms, {yearly} AS yearly_amount,
            c.contract_starts_on IS NULL OR (c.contract_ends_on IS NULL AND c.renewal_due_on IS NULL) AS
                is_term_assumed,
            d.outcome, d.declined_on, d.outcome = 'renewed' AND c.renewal_ordered_on IS NULL AS is_order_assumed,
            CASE WHEN d.outcome = 'renewed' THEN coalesce(c.renewal_ordered_on, {stand_in}) END AS ordered_on, c.*
        FROM import_cell c LEFT JOIN import_account a USING (account_key)
        {_term_sql(run)}
        CROSS JOIN LATERAL (SELECT
            coalesce(c.contract_starts_on, (t.ends_on + 1 - make_interval(months => c.contract_term_months))::date) AS
                starts_on,
            coalesce(c.renewal_due_on, t.ends_on) AS due_on) s
        CROSS JOIN LATERAL (SELECT coalesce(c.renewal_outcome,
            CASE WHEN c.renewal_ordered_on IS NOT NULL THEN 'renewed'
                 WHEN coalesce(c.renewal_declined_on, c.contract_ended_on) IS NOT NULL THEN 'lost' END) AS outcome,
            coalesce(c.renewal_declined_on, c.contract_ended_on) AS declined_on) d
        """,
        {"file_on": run.file_on},
        joined_by=JOINED_BY,
    )


def _term_sql(run: Run) -> str:
    if not run.mapping.is_rolling:
        return """
        CROSS JOIN LATERAL (SELECT 0 AS past_terms, coalesce(c.contract_ends_on, c.renewal_due_on,
            (c.contract_starts_on + make_interval(months => c.contract_term_months))::date - 1) AS ends_on) t"""
    # The term that holds the day up to which the contract is known to have run; whole terms before it were renewed.
    # Counted in months, which can fall one short where a month has fewer days than the first; hence the second look.
    end = "(c.contract_starts_on + make_interval(months => c.contract_term_months * ({terms} + 1)))::date - 1"
    return f"""
        CROSS JOIN LATERAL (SELECT coalesce(c.contract_ended_on, %(file_on)s::date) AS ran_until) u
        CROSS JOIN LATERAL (SELECT age(u.ran_until, c.contract_starts_on) AS age) g
        CROSS JOIN LATERAL (SELECT greatest(0,
            (extract(year FROM g.age) * 12 + extract(month FROM g.age))::integer / c.contract_term_months) AS terms) n
        CROSS JOIN LATERAL (SELECT n.terms + CASE WHEN {end.format(terms="n.terms")} < u.ran_until THEN 1 ELSE 0 END
            AS past_terms) p
        CROSS JOIN LATERAL (SELECT p.past_terms, {end.format(terms="p.past_terms")} AS ends_on) t"""


def check_rows(run: Run) -> None:
    refuse_by_account(run)
    run.refuse_by([*_broken_terms(), _ORDER_MISSING, *broken_outcomes(run.as_of)])
    key = "account_id, contract_number" + (", starts_on" if run.mapping.expiry_moved == "new_term" else "")
    if run.mapping.expiry_moved == "corrected" and run.has("contract.starts_on"):
        key += ", starts_on"
    mark_repeats(run, key, paths=("contract.number",), value="contract_number")
    warn_of_differing_accounts(run)
    _warn_of_assumptions(run)


def _broken_terms() -> list[Refusal]:
    return [
        Refusal("ends_on IS NULL", ENDS, "NULL", "blank", "'is blank, and a contract needs its last day'"),
        Refusal(
            "starts_on IS NULL",
            ("contract.starts_on",),
            "NULL",
            "blank",
            "'is blank, and the mapping gives no usual term to fill it in'",
        ),
        Refusal(
            "ends_on < starts_on",
            ENDS,
            "ends_on",
            "ends_before_start",
            "format('ends before it starts, on %%s', starts_on)",
        ),
    ]


_FOR_NOTHING = (
    ("renewal.final_amount",),
    "renewal_final_amount",
    "outcome_contradicts",
    "'renewed for nothing; a renewal that ends at 0 is lost'",
)
_ORDER_MISSING = Refusal(
    "outcome = 'renewed' AND ordered_on IS NULL",
    ("renewal.ordered_on",),
    "NULL",
    "blank",
    "'is blank, and a renewed contract has a day of the order'",
)


def broken_outcomes(as_of: dt.date) -> list[Refusal]:
    """What the book's own rules would refuse of a row by itself, in words."""
    return [
        Refusal(
            "outcome <> 'renewed' AND renewal_ordered_on IS NOT NULL OR outcome <> 'lost' AND declined_on IS NOT NULL",
            ("renewal.outcome", "renewal.ordered_on", "renewal.declined_on"),
            "outcome",
            "outcome_contradicts",
            "format('%%s, and yet there is a day on which it was %%s', outcome, "
            "CASE WHEN renewal_ordered_on IS NOT NULL THEN 'ordered' ELSE 'declined' END)",
        ),
        Refusal(
            "outcome = 'renewed' AND renewal_final_amount = 0 "
            "AND coalesce(renewal_baseline_amount, yearly_amount, 0) > 0",
            *_FOR_NOTHING,
        ),
        Refusal(
            "outcome IN ('open', 'lost') AND renewal_final_amount > 0",
            ("renewal.final_amount",),
            "renewal_final_amount",
            "outcome_contradicts",
            "format('was renewed for it, and yet the outcome is %%s', outcome)",
        ),
        Refusal(
            "renewal_ordered_on > %s",
            ("renewal.ordered_on",),
            "renewal_ordered_on",
            "future_order",
            "'is in the future'",
            [as_of],
        ),
        Refusal(
            "renewal_declined_on > %s",
            ("renewal.declined_on",),
            "renewal_declined_on",
            "future_decline",
            "'is in the future'",
            [as_of],
        ),
    ]


def refuse_against_book(run: Run) -> None:
    """What the book's own rules would refuse of a row together with the renewal that it was matched with."""
    known = """FROM import_decision m JOIN renewals_renewal o ON o.id = m.renewal_id
        WHERE m.row_number = t.row_number AND m.is_new IS NOT TRUE"""
    after = "coalesce(nullif(t.outcome, 'open'), o.outcome)"
    run.refuse(
        f"t.outcome = 'renewed' AND t.ordered_on IS NULL AND NOT EXISTS (SELECT {known} AND o.ordered_on IS NOT NULL)",
        paths=_ORDER_MISSING.paths,
        value=_ORDER_MISSING.value,
        code=_ORDER_MISSING.code,
        reason=_ORDER_MISSING.reason,
    )
    if not run.has("renewal.final_amount"):
        return
    paths, value, code, reason = _FOR_NOTHING
    run.refuse(
        f"""t.renewal_final_amount = 0 AND EXISTS (SELECT {known} AND {after} = 'renewed'
            AND coalesce(t.renewal_baseline_amount, t.yearly_amount, o.baseline_amount) > 0)""",
        paths=paths,
        value=value,
        code=code,
        reason=reason,
    )
    run.refuse(
        f"t.outcome IS NULL AND t.renewal_final_amount > 0 AND NOT EXISTS (SELECT {known} AND o.outcome = 'renewed')",
        paths=paths,
        value=value,
        code=code,
        reason="'was renewed for it, and yet neither an outcome nor a day of the order says so'",
    )


def _warn_of_assumptions(run: Run) -> None:
    live = "import_row t WHERE verdict IS NULL"
    if not (run.has("contract.starts_on") and (run.has("contract.ends_on") or run.has("renewal.due_on"))):
        run.warn(
            f"{live} AND is_term_assumed",
            paths=("contract.starts_on", *ENDS),
            value="ends_on",
            code="term_assumed",
            reason="format('the file does not give the whole term; taken as %%s months, %%s to %%s', "
            "contract_term_months, starts_on, ends_on)",
        )
    if run.has("renewal.ordered_on"):
        run.warn(
            f"{live} AND is_order_assumed",
            paths=("renewal.ordered_on", "renewal.outcome"),
            value="outcome",
            code="order_assumed",
            reason="format('the file does not say when it was ordered; taken as %%s', ordered_on)",
        )
    if run.has("contract.recurring_amount"):
        run.warn(
            f"{live} AND yearly_amount = 0",
            paths=("contract.recurring_amount",),
            value="yearly_amount",
            code="zero_amount",
            reason="'the recurring amount is 0, so nothing of value is up for renewal'",
        )
    if run.mapping.is_rolling:
        run.warn(
            f"{live} AND past_terms > 0",
            paths=("contract.term_months",),
            value="past_terms",
            code="rolled_terms",
            reason="format('it ran on: %%s earlier terms are taken as renewed on the day each was due', past_terms)",
        )
