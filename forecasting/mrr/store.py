"""Movements from arrays into their table, only what changed; and their roll-ups from the table."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import NO_ID, Integers
from forecasting.engine.bits import chained
from forecasting.frames import Arrays, Column, copy_in, copy_out
from forecasting.models.mrr import EVERYBODY, NOBODY
from forecasting.mrr.book import INTEGERS, Accounts

TABLE: Final = "forecasting_mrrmovement"
AMOUNTS: Final = ("amount", "cross_sell_amount", "open_amount", "kept_amount")
BLANKS: Final = ("renewal_id", "owner_id", "segment_id")
MONTH: Final = "(extract(year FROM m.month_on) - 1970) * 12 + extract(month FROM m.month_on) - 1"


def _stored(name: str) -> Column:
    if name == "month":
        return Column(name, "int8", MONTH)
    if name in AMOUNTS:
        return Column(name, "int8", f"m.{name} * 100")
    return Column(name, "int8", f"COALESCE(m.{name}, {NO_ID})")


def _written(name: str) -> str:
    if name == "month":
        return "make_date(1970 + (month / 12)::int, mod(month, 12)::int + 1, 1)"
    if name in AMOUNTS:
        return f"{name} * 0.01"
    return f"NULLIF({name}, {NO_ID})" if name in BLANKS else name


NAMES: Final = (*INTEGERS, "probability")
STORED: Final = (
    Column("id", "int8", "m.id"),
    *map(_stored, INTEGERS),
    Column("probability", "float8", "m.probability"),
)
CREATE: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_movement ("
    + ", ".join(f"{name} bigint NOT NULL" for name in INTEGERS)
    + ", probability float8 NOT NULL) ON COMMIT DELETE ROWS"
)
INSERT: Final = (
    f"INSERT INTO {TABLE} ({', '.join('month_on' if name == 'month' else name for name in NAMES)})"
    f" SELECT {', '.join(map(_written, NAMES))} FROM staged_movement"
)
# Kinds and states by their codes in the engine.
LINES: Final = """
INSERT INTO forecasting_mrrline (month_on, owner_id, segment_id, state, opening_amount, new_amount, expansion_amount,
    reactivation_amount, contraction_amount, churn_amount, cross_sell_amount, open_amount, variance, response)
SELECT month_on, owner_id, segment_id, state,
    COALESCE(sum(amount) FILTER (WHERE kind = 0), 0), COALESCE(sum(amount) FILTER (WHERE kind = 1), 0),
    COALESCE(sum(amount) FILTER (WHERE kind = 2), 0), COALESCE(sum(amount) FILTER (WHERE kind = 3), 0),
    COALESCE(sum(amount) FILTER (WHERE kind = 4), 0), COALESCE(sum(amount) FILTER (WHERE kind = 5), 0),
    sum(cross_sell_amount), sum(open_amount),
    sum(probability * (1 - probability) * kept_amount::float8 ^ 2),
    sum(probability * (1 - probability) * kept_amount::float8)
FROM forecasting_mrrmovement WHERE {scope} GROUP BY month_on, owner_id, segment_id, state
"""
OFFER_LINES: Final = """
INSERT INTO forecasting_mrrofferline (month_on, owner_id, segment_id, state, name, upsell_amount, cross_sell_amount)
SELECT m.month_on, m.owner_id, m.segment_id, m.state, COALESCE(o.name, c.product, ''),
    sum(m.amount - m.cross_sell_amount), sum(m.cross_sell_amount)
FROM (SELECT * FROM forecasting_mrrmovement WHERE kind = 2 AND {scope}) m
LEFT JOIN renewals_contract c ON c.id = m.contract_id
LEFT JOIN renewals_renewal r ON r.id = m.renewal_id LEFT JOIN renewals_offer o ON o.id = r.offer_id
GROUP BY 1, 2, 3, 4, 5
"""
# Of what is in effect.
LEVELS: Final = """
INSERT INTO forecasting_mrrlevel (owner_id, month_on, opening_cents, new_cents, expansion_cents, reactivation_cents,
    contraction_cents, churn_cents)
SELECT {owner}, month_on, sum(100 * sum(opening_amount)) OVER past, sum(100 * sum(new_amount)) OVER past,
    sum(100 * sum(expansion_amount)) OVER past, sum(100 * sum(reactivation_amount)) OVER past,
    sum(100 * sum(contraction_amount)) OVER past, sum(100 * sum(churn_amount)) OVER past
FROM forecasting_mrrline WHERE state = 0 AND {scope} GROUP BY 1, 2
WINDOW past AS (PARTITION BY {owner} ORDER BY month_on)
"""
OWNER: Final = f"COALESCE(owner_id, {NOBODY})"
# Owner and segment of what was touched, blank ones included.
TOUCHED: Final = (
    "(COALESCE(owner_id, -1), COALESCE(segment_id, -1)) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))"
    " AND (owner_id = ANY(%s) OR owner_id IS NULL)"
)


def read_movements(cursor: Any, accounts: Accounts) -> Arrays:
    """Stored movements as `movement_rows` has them, with their `id`."""
    return copy_out(cursor, STORED, f"{TABLE} m WHERE {accounts.condition('m.account_id')}", accounts.parameters)


def replace_movements(cursor: Any, rows: Arrays, *, stored: Arrays) -> Integers:
    """Make the stored movements these; owner and segment int64[k, 2] of all that were touched."""
    ours, theirs = _hashes(rows), _hashes(stored)
    new, gone = np.flatnonzero(~np.isin(ours, theirs)), np.flatnonzero(~np.isin(theirs, ours))
    if gone.size:
        cursor.execute(f"DELETE FROM {TABLE} WHERE id = ANY(%s)", [stored["id"][gone].tolist()])
    if new.size:
        cursor.execute(CREATE)
        cursor.execute("DELETE FROM staged_movement")
        staged = {name: rows[name][new].astype(np.int64) for name in INTEGERS}
        copy_in(cursor, "staged_movement", staged | {"probability": rows["probability"][new]})
        cursor.execute(INSERT)
    scopes = [
        np.concatenate([rows[name][new], stored[name][gone]]).astype(np.int64) for name in ("owner_id", "segment_id")
    ]
    return np.unique(np.stack(scopes, axis=1), axis=0)


def _hashes(rows: Arrays) -> NDArray[np.uint64]:
    """64 bits of each row. No two movements of a book are the same in all columns."""
    words = (rows[name].astype(np.int64).view(np.uint64) for name in INTEGERS)
    return chained(words, rows["probability"].astype(np.float64).view(np.uint64))


def roll_up_all(cursor: Any) -> None:
    """All roll-ups anew, from every movement."""
    cursor.execute("DELETE FROM forecasting_mrrline")
    cursor.execute(LINES.format(scope="TRUE"))
    cursor.execute("DELETE FROM forecasting_mrrlevel")
    for owner in (OWNER, EVERYBODY):
        cursor.execute(LEVELS.format(owner=owner, scope="TRUE"))
    cursor.execute("ANALYZE forecasting_mrrline, forecasting_mrrlevel")
    roll_up_offers(cursor)


def roll_up_offers(cursor: Any) -> None:
    """Those by what was sold: its name is none of a movement's columns, and may be another one where no movement is."""
    cursor.execute("DELETE FROM forecasting_mrrofferline")
    cursor.execute(OFFER_LINES.format(scope="TRUE"))
    cursor.execute("ANALYZE forecasting_mrrofferline")


def roll_up_some(cursor: Any, touched: Integers) -> None:
    """All roll-ups anew, of these owners and segments."""
    if not touched.size:
        return
    owners, segments = touched[:, 0].tolist(), touched[:, 1].tolist()
    parameters = [owners, segments, owners]
    for table, insert in (("forecasting_mrrline", LINES), ("forecasting_mrrofferline", OFFER_LINES)):
        cursor.execute(f"DELETE FROM {table} WHERE {TOUCHED}", parameters)
        cursor.execute(insert.format(scope=TOUCHED), parameters)
    changed = sorted({NOBODY if owner == NO_ID else owner for owner in owners})
    cursor.execute("DELETE FROM forecasting_mrrlevel WHERE owner_id = ANY(%s)", [[EVERYBODY, *changed]])
    cursor.execute(LEVELS.format(owner=OWNER, scope=f"{OWNER} = ANY(%s)"), [changed])
    cursor.execute(LEVELS.format(owner=EVERYBODY, scope="TRUE"))
