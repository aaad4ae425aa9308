"""The book around a few renewals, as an edit needs it: the same arrays as `read_book`, in one prepared statement.

COPY cannot be prepared, and for one account its four round trips take longer than what they bring.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from config.prepared import execute_prepared
from forecasting.frames.binary_copy import Arrays, Column, native
from forecasting.frames.book import (
    ACCOUNT_COLUMNS,
    MISSING,
    PIN_COLUMNS,
    RENEWAL_COLUMNS,
    SIGNAL_COLUMNS,
    Book,
    as_book,
    contract_columns,
    custom_columns,
)
from forecasting.frames.rules import MARK, Rules, known_rules, rules_at

JOINED: Final = (
    "renewals_renewal r JOIN accounts_account a ON a.id = r.account_id JOIN renewals_contract c ON c.id = r.contract_id"
    " LEFT JOIN renewals_override o ON o.renewal_id = r.id AND o.ended_at IS NULL"
)
THEIR_ACCOUNTS: Final = "(SELECT account_id FROM renewals_renewal WHERE id = ANY(%s))"


def read_few(cursor: Any, renewal_ids: Sequence[int], *beside: str) -> tuple[Rules, Book, tuple[Any, ...]]:
    """The rules in force, the whole accounts of these renewals, and the value of each SQL expression in `beside`.

    All of one moment. The book has no currencies, and no row where none of the renewals is there any more; then what
    was to be read beside is missing too.
    """
    mark, rules = known_rules()
    while True:
        columns = _renewal_columns(rules)
        sql, parameters = _statement(columns, beside)
        execute_prepared(cursor, sql, [*parameters, list(renewal_ids), list(renewal_ids)])
        rows = cursor.fetchall()
        width, start = len(columns), len(MARK) + len(beside)
        found = [row for row in rows if row[start] is not None]
        if not found or found[0][: len(MARK)] == mark:
            break
        # Somebody changed a rule: another may have other columns.
        mark = found[0][: len(MARK)]
        rules = rules_at(mark)
    renewals = _arrays(columns, (row[start : start + width] for row in found))
    renewals["currency"] = np.full(len(found), MISSING, dtype=np.int16)
    signals = _arrays(SIGNAL_COLUMNS, (row[start + width :] for row in rows if row[start] is None))
    return rules, as_book(renewals, signals), found[0][len(MARK) : start] if found else ()


def _renewal_columns(rules: Rules) -> list[Column]:
    return [*RENEWAL_COLUMNS, *ACCOUNT_COLUMNS[1:], *contract_columns(rules)[1:], *custom_columns(rules), *PIN_COLUMNS]


def _statement(columns: Sequence[Column], beside: Iterable[str]) -> tuple[str, list[object]]:
    """Renewals and signals are two lists, each row of one with blanks beside it for the other."""
    held = ", ".join([*MARK, *beside, *(column.value for column in columns)])
    signals = ", ".join(column.value for column in SIGNAL_COLUMNS)
    sql = (
        f"SELECT book.*, signal.* FROM (SELECT {held} FROM {JOINED} WHERE r.account_id IN {THEIR_ACCOUNTS})"
        f" AS book ({_names('b', len(MARK) + len(tuple(beside)) + len(columns))})"
    )
    sql += (
        f" FULL JOIN (SELECT {signals} FROM accounts_accountsignal s WHERE s.account_id IN {THEIR_ACCOUNTS})"
        f" AS signal ({_names('s', len(SIGNAL_COLUMNS))}) ON FALSE"
    )
    return sql, [value for column in columns for value in column.parameters]


def _names(letter: str, count: int) -> str:
    return ", ".join(f"{letter}{number}" for number in range(count))


def _arrays(columns: Sequence[Column], rows: Iterable[tuple[Any, ...]]) -> Arrays:
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return {
        column.name: native(np.array(held, dtype=column.wire.newbyteorder("=")), column.kind)
        for column, held in zip(columns, values, strict=True)
    }
