"""What is wrong with a row, collected in a temporary table while an import works and kept with the batch at its end."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

LONGEST_VALUE = 200
CREATE = """
    DROP TABLE IF EXISTS pg_temp.import_problem;
    CREATE TEMP TABLE import_problem (
        row_number integer, column_name text, value text, code text, reason text, severity text
    )
"""
ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})

# Headings for the groups that the preview shows, by reason code.
TITLES = {
    "account_of_another_team": "The account belongs to another team",
    "ambiguous_account": "Several accounts have this name",
    "ambiguous_contract": "Several contracts have this number",
    "ambiguous_number": "A number that can be read in two ways",
    "ambiguous_renewal": "Several renewals fit",
    "amount_too_large": "An amount that is too large",
    "blank": "A mandatory cell is blank",
    "cleaned_key": "An id was cleaned",
    "conflicting_account": "The account's data differ from an earlier row; the earlier one counts",
    "conflicting_rows": "Rows about the same thing contradict each other",
    "currency_change": "Another currency than the contract has",
    "cut_text": "A text was cut",
    "earlier_end": "Ends earlier than the book knows",
    "ends_before_start": "Ends before it starts",
    "expiry_moved": "The end moved forward: taken as renewed",
    "formula_error": "A formula failed in the spreadsheet",
    "future_decline": "Declined in the future",
    "future_order": "Ordered in the future",
    "family_loop": "An account would be above itself",
    "future_contact": "Left in the future",
    "future_settlement": "Settled in the future",
    "future_signal": "Measured in the future",
    "future_ticket": "Opened or resolved in the future",
    "future_touch": "A touch in the future",
    "identical_repeat": "Repeats a row word for word; counted once",
    "impossible_date": "A date out of all range",
    "missing_column": "The file lacks a column of the mapping",
    "next_touch_too_early": "The next touch does not come after the touch",
    "negative_amount": "An amount below zero",
    "moved_account": "Known with another account",
    "no_such_day": "The calendar has no such day",
    "not_a_category": "Not a category of tickets",
    "not_a_currency": "Not a currency",
    "not_a_date": "Not a date in the mapping's form",
    "not_a_flag": "Neither yes nor no",
    "not_a_number": "Not a number",
    "not_a_whole_number": "Not a whole number",
    "not_a_severity": "Not a severity of tickets",
    "not_a_touch_kind": "Not a kind of touch",
    "not_an_email": "Not an email address",
    "not_an_outcome": "Not an outcome",
    "order_assumed": "The day of the order is assumed",
    "outcome_contradicts": "Outcome and dates contradict each other",
    "other_sheets": "Other sheets of the workbook are not read",
    "out_of_range": "A value out of its range",
    "ragged_row": "More or fewer cells than headings",
    "refused_word": "A word that the mapping refuses",
    "renewal_of_another_team": "The renewal belongs to another team",
    "resolved_before_opened": "Resolved before it was opened",
    "rolled_terms": "Earlier terms taken as renewed",
    "rounded_amount": "An amount was rounded to cents",
    "rounded_id": "An id that a spreadsheet has rounded",
    "sentinel_date": "A date that stands for “no end”",
    "several_lines": "A cell that names several",
    "term_assumed": "The term is assumed",
    "too_long": "A text that is too long",
    "unknown_account": "No such account",
    "unknown_contract": "No such contract",
    "unknown_parent": "No such parent account",
    "unknown_renewal": "No such renewal",
    "unknown_user": "An owner who does not sign in",
    "zero_amount": "The recurring amount is 0",
}


def title_of(code: str) -> str:
    return TITLES.get(code, code.replace("_", " ").capitalize())


Problem = tuple[int, str, str, str, str, str]


def problem(row_number: int, column: str, value: str, code: str, reason: str, *, is_refusal: bool = True) -> Problem:
    shown = value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"
    return row_number, column[:120], shown, code, reason, "refused" if is_refusal else "warning"


def copy_problems(cursor: CursorWrapper, problems: Iterable[Problem]) -> None:
    lines = "".join(
        f"{number}\t" + "\t".join(text.replace("\0", "").translate(ESCAPES) for text in texts) + "\n"
        for number, *texts in problems
    )
    if lines:
        cursor.copy_expert("COPY import_problem FROM STDIN", io.StringIO(lines))


def refuse(
    cursor: CursorWrapper,
    condition: str,
    *,
    column: str,
    value: str,
    code: str,
    reason: str,
    table: str = "import_row",
    params: Sequence[Any] = (),
) -> int:
    """Leaves out the rows of `table` that meet the condition; `value` and `reason` are SQL of the row. How many."""
    cursor.execute(
        f"""
        WITH bad AS (UPDATE {table} t SET verdict = 'refused' WHERE verdict IS NULL AND ({condition}) RETURNING t.*)
        INSERT INTO import_problem
        SELECT row_number, %s, coalesce(({value})::text, ''), %s, {reason}, 'refused' FROM bad t
        """,
        [*params, column[:120], code],
    )
    return int(cursor.rowcount)


def warn(cursor: CursorWrapper, source: str, *, column: str, value: str, code: str, reason: str) -> int:
    """Notes a warning for each row of `source` (SQL after FROM); the rows stay in."""
    cursor.execute(
        f"""
        INSERT INTO import_problem
        SELECT t.row_number, %s, coalesce(({value})::text, ''), %s, {reason}, 'warning' FROM {source}
        """,
        [column[:120], code],
    )
    return int(cursor.rowcount)


def keep_findings(batch_id: int) -> None:
    """Puts the collected findings in place of what the batch had before. A refused row keeps no warnings beside."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM renewals_importfinding WHERE batch_id = %s", [batch_id])
        cursor.execute(
            """
            INSERT INTO renewals_importfinding (batch_id, row_number, "column", value, reason_code, reason, severity)
            SELECT %s, row_number, column_name, value, code, reason, severity FROM import_problem p
            WHERE severity = 'refused'
               OR NOT EXISTS (SELECT 1 FROM import_problem r WHERE r.severity = 'refused' AND r.row_number =
                   p.row_number)
            ORDER BY row_number, severity, code
            """,
            [batch_id],
        )
