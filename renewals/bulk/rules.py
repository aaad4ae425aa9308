"""What follows from writing cells of many rows, as SQL: the rules of renewals.services for a set of rows.

`given` is a relation with one row per renewal and, for each field, whether it is given and what. From it and the rows
as they are comes, by one statement, what every column will be, and what refuses a row. A test holds these rules and
those of a single cell together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from renewals.forms import EARLIEST_ON, LABELS, LARGEST_AMOUNT, LATEST_ON
from renewals.models import Renewal

TABLE = Renewal._meta.db_table
# The columns that a person writes, with their types.
COLUMNS = {
    "stage_id": "bigint",
    "confidence": "smallint",
    "forecast_amount": "numeric",
    "cross_sell_amount": "numeric",
    "offer_id": "bigint",
    "expected_order_on": "date",
    "outcome": "text",
    "ordered_on": "date",
    "declined_on": "date",
    "final_amount": "numeric",
    "churn_reason_id": "bigint",
    "owner_id": "bigint",
    "next_step": "text",
    "next_step_on": "date",
}
# What a person gives: the fields of the table, and for an outcome its parts.
FIELDS = {
    "stage": "stage_id",
    "confidence": "confidence",
    "forecast_amount": "forecast_amount",
    "offer": "offer_id",
    "expected_order_on": "expected_order_on",
    "ordered_on": "ordered_on",
    "outcome": "outcome",
    "owner": "owner_id",
    "next_step": "next_step",
    "next_step_on": "next_step_on",
}
PARTS = ("churn_reason_id", "final_amount")
GIVEN = (*FIELDS.values(), *PARTS)
DECISION = ("outcome", "ordered_on", "declined_on", "final_amount", "churn_reason_id", "cross_sell_amount")
# The columns that a field may write; the others are not even looked at.
WRITTEN_BY = {
    "stage": ("stage_id", "confidence"),
    "forecast_amount": ("forecast_amount", "cross_sell_amount"),
    "ordered_on": DECISION,
    "outcome": DECISION,
}
DAY_FIELDS = ("expected_order_on", "next_step_on")

# Each step reads the ones before it: the outcome, then its amount, then the rest.
STEPS = """
LEFT JOIN renewals_stage stage ON stage.id = g.stage_id
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN g.has_outcome THEN g.outcome
             WHEN g.has_ordered_on AND g.ordered_on IS NOT NULL THEN 'renewed'
             WHEN g.has_ordered_on AND r.ordered_on IS NOT NULL THEN 'open'
             ELSE r.outcome END AS outcome,
        g.has_outcome OR (g.has_ordered_on AND coalesce(g.ordered_on, r.ordered_on) IS NOT NULL) AS is_decided,
        CASE WHEN g.has_forecast_amount THEN g.forecast_amount ELSE r.forecast_amount END AS forecast_amount
) d
CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT d.is_decided THEN r.final_amount
                WHEN d.outcome = 'open' THEN NULL
                WHEN d.outcome = 'lost' THEN 0.00
                ELSE coalesce(nullif(g.final_amount, 0),
                              CASE WHEN r.outcome = 'renewed' THEN nullif(r.final_amount, 0) END,
                              nullif(d.forecast_amount, 0), r.baseline_amount) END AS final_amount,
        CASE WHEN r.outcome = 'open' AND g.has_forecast_amount
             THEN least(r.cross_sell_amount, g.forecast_amount) ELSE r.cross_sell_amount END AS cross_sell_amount
) f
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN g.has_stage THEN g.stage_id ELSE r.stage_id END AS stage_id,
        CASE WHEN g.has_confidence THEN g.confidence
             WHEN g.has_stage AND g.stage_id <> r.stage_id THEN coalesce(r.confidence, stage.default_confidence)
             ELSE r.confidence END AS confidence,
        d.forecast_amount,
        CASE WHEN d.is_decided AND d.outcome = 'lost' THEN 0.00
             WHEN d.is_decided AND d.outcome = 'renewed' THEN least(f.cross_sell_amount, f.final_amount)
             ELSE f.cross_sell_amount END AS cross_sell_amount,
        CASE WHEN g.has_offer THEN g.offer_id ELSE r.offer_id END AS offer_id,
        CASE WHEN g.has_expected_order_on THEN g.expected_order_on ELSE r.expected_order_on END AS expected_order_on,
        d.outcome,
        CASE WHEN NOT d.is_decided THEN r.ordered_on
             WHEN d.outcome = 'renewed' THEN coalesce(g.ordered_on, r.ordered_on, %(as_of)s::date) END AS ordered_on,
        CASE WHEN NOT d.is_decided THEN r.declined_on
             WHEN d.outcome = 'lost' THEN
                 CASE WHEN r.outcome = 'lost' THEN r.declined_on ELSE %(as_of)s::date END END AS declined_on,
        f.final_amount,
        CASE WHEN NOT d.is_decided THEN r.churn_reason_id
             WHEN d.outcome = 'lost' THEN g.churn_reason_id END AS churn_reason_id,
        CASE WHEN g.has_owner THEN g.owner_id ELSE r.owner_id END AS owner_id,
        CASE WHEN g.has_next_step THEN g.next_step ELSE r.next_step END AS next_step,
        CASE WHEN g.has_next_step_on THEN g.next_step_on ELSE r.next_step_on END AS next_step_on
) a
"""


def columns_of(fields: Iterable[str]) -> list[str]:
    """The columns that an edit of these fields may write."""
    wanted = {column for field in fields for column in WRITTEN_BY.get(field, (FIELDS[field],))}
    return [column for column in COLUMNS if column in wanted]


def plan_sql(given: str, columns: Sequence[str], *, editable: str) -> str:
    """SELECT of renewal_id, seen, wanted, reason over `given g`; parameters: as_of, and those of the two texts.

    `seen` and `wanted` are jsonb of texts by column: what changes, as it is and as it will be. `seen` also has what a
    decision was derived from, so that it is not written over a forecast that has moved since. `reason` is blank where
    nothing refuses the row.
    """
    changed = [f"a.{column} IS DISTINCT FROM r.{column}" for column in columns]
    inputs = "CASE WHEN d.is_decided THEN jsonb_build_object('forecast_amount', r.forecast_amount::text) ELSE '{}' END"
    seen = " || ".join([_pick(columns, changed, "r"), *([inputs] if "outcome" in columns else [])])
    return f"""
        SELECT g.*, ({seen}) AS seen, {_pick(columns, changed, "a")} AS wanted,
            CASE {_refusals(columns, editable)} ELSE '' END AS reason
        FROM ({given}) g JOIN {TABLE} r ON r.id = g.renewal_id {STEPS}
    """


def _pick(columns: Sequence[str], conditions: Sequence[str], relation: str) -> str:
    parts = [
        f"CASE WHEN {condition} THEN jsonb_build_object('{column}', {relation}.{column}::text) ELSE '{{}}' END"
        for column, condition in zip(columns, conditions, strict=True)
    ]
    return " || ".join(parts)


def _refusals(columns: Sequence[str], editable: str) -> str:
    """WHEN ... THEN reason, the first that holds. What a form asks of one value is asked here of a computed one."""
    cases = [f"WHEN NOT ({editable}) THEN '{NOT_YOURS}'"]
    for day in DAY_FIELDS:
        if day in columns:
            out = f"a.{day} NOT BETWEEN '{EARLIEST_ON}' AND '{LATEST_ON}'"
            cases.append(f"WHEN g.has_{day} AND {out} THEN '{LABELS[day]} would be ' || to_char(a.{day}, '{DAY}') || "
                         f"': out of range.'")  # fmt: skip
    if "ordered_on" in columns:
        told = f"'Ordered would be ' || to_char(a.ordered_on, '{DAY}')"
        cases.append(f"WHEN d.is_decided AND a.ordered_on > %(as_of)s::date THEN {told} || ': in the future.'")
        cases.append(f"WHEN d.is_decided AND a.ordered_on < '{EARLIEST_ON}' THEN {told} || ': out of range.'")
        cases.append("WHEN g.has_outcome AND a.outcome = 'lost' AND a.churn_reason_id IS NULL "
                     "THEN 'A lost renewal needs its churn reason.'")  # fmt: skip
    if "forecast_amount" in columns:
        cases.append(f"WHEN a.forecast_amount > {LARGEST_AMOUNT} THEN 'Forecast would be more than an amount can be.'")
    cases += [f"WHEN NOT {check} THEN {_quoted(message)}" for check, message in _constraints()]
    return " ".join(cases)


DAY = "DD Mon YYYY"
NOT_YOURS = "You may look at this renewal, not change it."


def _constraints() -> list[tuple[str, str]]:
    """The table's own check constraints, asked of the row as it would be: condition and message."""
    messages = {rule.name: str(rule.violation_error_message) for rule in Renewal._meta.constraints}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_expr(conbin, conrelid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'c' ORDER BY conname",
            [TABLE],
        )
        found = cursor.fetchall()
    row = ", ".join(f"a.{name}" if name in COLUMNS else f"r.{name}" for name in _stored_columns())
    return [
        # In the inner query a bare column is that of the new row. NULL passes, as it does for the constraint itself.
        (
            f"(SELECT ({text.replace('%', '%%')}) IS NOT FALSE FROM (SELECT {row}) AS new_row)",
            messages.get(name, f"The database's rule {name} refuses it."),
        )
        for name, text in found
    ]


def _stored_columns() -> list[str]:
    return [str(field.column) for field in Renewal._meta.concrete_fields if not field.generated]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def given_constant(values: Mapping[str, Any], *, rows: str, is_blank: str) -> tuple[str, dict[str, Any]]:
    """`given` where the same is done to all of `rows`, SQL of their ids: a value, or one computed from the row."""
    parts: list[str] = []
    params: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Computed):
            parts.append(f"({value.sql}) AS {name}")
            params |= value.params
        else:
            parts.append(f"%(given_{name})s::{COLUMNS[name]} AS {name}")
            params[f"given_{name}"] = value
    parts += [f"NULL::{COLUMNS[name]} AS {name}" for name in GIVEN if name not in values]
    parts += [f"{column in values} AS has_{field}" for field, column in FIELDS.items()]
    return (
        f"SELECT s.id AS renewal_id, NULL::int AS row_number, '{{}}'::jsonb AS seen_before, '[]'::jsonb AS problems,"
        f" ({is_blank}) AS is_blank, {', '.join(parts)} FROM {TABLE} s WHERE s.id IN ({rows})",
        params,
    )


# A relation for `given_stored`, of JSON: a list of objects with these members.
LISTED = """(SELECT * FROM jsonb_to_recordset(%(given)s::jsonb)
    AS listed (renewal_id bigint, row_number int, given jsonb, seen_before jsonb, problems jsonb))"""


def given_stored(table: str) -> tuple[str, dict[str, Any]]:
    """`given` from a table of renewal_id, row_number, given (jsonb of texts by column), seen_before and problems."""
    parts = [f"(x.given->>'{name}')::{COLUMNS[name]} AS {name}" for name in GIVEN]
    parts += [f"(x.given ? '{column}') AS has_{field}" for field, column in FIELDS.items()]
    return (
        f"SELECT x.renewal_id, x.row_number, x.seen_before, x.problems, false AS is_blank, {', '.join(parts)}"
        f" FROM {table} x",
        {},
    )


class Computed:
    """A value that depends on the row: SQL over `s`, the renewal as it is, and its parameters by name."""

    def __init__(self, sql: str, params: dict[str, Any]) -> None:
        self.sql, self.params = sql, params
