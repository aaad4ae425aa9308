"""AccountHealth and HealthDay, made anew for the accounts that are marked (`StaleHealth`) and only for these.

An account's whole history follows from its signals and the weights of today, so who refreshes, and when, changes
nothing: the same signals give the same days. Rows that stay as they are are not written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import connection, transaction

from config.foreign_keys import unchecked_keys
from forecasting.engine import health
from forecasting.frames.binary_copy import Column, copy_in, copy_out
from forecasting.frames.health import HealthRules, load_health_rules, read_measured

ACCOUNTS_AT_ONCE: Final = 10_000  # bounds the memory and how long a writer of their signals may have to wait
EPOCH: Final = dt.date(1970, 1, 1)
NO_SCORE: Final = "nullif(score, 'NaN')"


@dataclass(frozen=True)
class Refreshed:
    """How many accounts were judged, and how many rows of present and past health were written or removed."""

    account_count: int = 0
    written_count: int = 0


def refresh_health(*, as_of: dt.date, accounts_at_once: int = ACCOUNTS_AT_ONCE) -> Refreshed:
    """Judge every marked account, and those in which something became too old by this day."""
    if not _is_anything_due(as_of):
        return Refreshed()
    rules = load_health_rules()
    account_count = written_count = 0
    with transaction.atomic(), connection.cursor() as cursor:
        _mark_aged(cursor, as_of)
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            ids = _take_marks(cursor, accounts_at_once)
            if not ids.size:
                return Refreshed(account_count, written_count)
            written_count += _refresh(cursor, rules, ids, as_of)
            account_count += int(ids.size)


def refresh_health_of(*, account_ids: Sequence[int], as_of: dt.date) -> Refreshed:
    """Judge these accounts now, so that who wrote a signal sees what follows from it."""
    with transaction.atomic(), connection.cursor() as cursor:
        ids = np.unique(np.array(account_ids, dtype=np.int64))
        cursor.execute("DELETE FROM accounts_stalehealth WHERE account_id = ANY(%s)", [ids.tolist()])
        return Refreshed(int(ids.size), _refresh(cursor, load_health_rules(), ids, as_of))


def _is_anything_due(as_of: dt.date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM accounts_stalehealth)"
            " OR EXISTS (SELECT FROM accounts_accounthealth WHERE stands_until_on < %s)",
            [as_of],
        )
        return bool(cursor.fetchone()[0])


def _mark_aged(cursor: Any, as_of: dt.date) -> None:
    cursor.execute(
        """
        INSERT INTO accounts_stalehealth (account_id, marked_at)
        SELECT account_id, now() FROM accounts_accounthealth WHERE stands_until_on < %s ORDER BY 1
        ON CONFLICT DO NOTHING
        """,
        [as_of],
    )


def _take_marks(cursor: Any, at_most: int) -> Any:
    """int64[n], ids of marked accounts, whose marks go. One that somebody is writing is left for the next time."""
    cursor.execute(
        """
        DELETE FROM accounts_stalehealth WHERE account_id IN (
            SELECT account_id FROM accounts_stalehealth ORDER BY account_id LIMIT %s FOR UPDATE SKIP LOCKED)
        RETURNING account_id
        """,
        [at_most],
    )
    return np.sort(np.array([pk for (pk,) in cursor.fetchall()], dtype=np.int64))


def _refresh(cursor: Any, rules: HealthRules, ids: Any, as_of: dt.date) -> int:
    listed = ids.tolist()
    # Held, so that no account can go while rows of it are written unchecked.
    cursor.execute("SELECT FROM accounts_account WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [listed])
    columns = [Column("id", "int8", "a.id"), Column("segment_id", "small_id", "COALESCE(a.segment_id, -1)")]
    accounts = copy_out(cursor, columns, "accounts_account a WHERE a.id = ANY(%s) ORDER BY a.id", [listed])
    measured = read_measured(cursor, rules, accounts["id"], "s.account_id = ANY(%s)", (listed,))
    weighing = rules.weighing(accounts["segment_id"])
    steps, standing = health.judge(measured, weighing, (as_of - EPOCH).days)
    _stage(cursor, listed, accounts["id"], steps, standing)
    return _merge_days(cursor) + _merge_present(cursor)


def _stage(cursor: Any, listed: list[int], ids: Any, steps: health.Steps, standing: health.Standing) -> None:
    """The temporary tables `judged`, `new_day` and `new_health`."""
    cursor.execute(
        """
        DROP TABLE IF EXISTS pg_temp.judged, pg_temp.new_day, pg_temp.new_health;
        CREATE TEMP TABLE judged ON COMMIT DROP AS SELECT unnest(%s::bigint[]) AS account_id;
        CREATE TEMP TABLE new_day (account_id bigint, day int, score float8, band smallint, completeness float8)
            ON COMMIT DROP;
        CREATE TEMP TABLE new_health (account_id bigint, score float8, band smallint, completeness float8,
            contributions smallint[], before_30 float8, before_90 float8, day int, stands_until int) ON COMMIT DROP
        """,
        [listed],
    )
    if steps.account.size:
        copy_in(cursor, "new_day", {"account_id": ids[steps.account], "day": steps.day.astype(np.int32), **_of(steps)})
        present = standing.steps
        copy_in(
            cursor,
            "new_health",
            {
                "account_id": ids[present.account],
                **_of(present),
                "contributions": standing.contributions,
                "before_30": standing.before[:, 0],
                "before_90": standing.before[:, 1],
                "day": present.day.astype(np.int32),
                "stands_until": standing.stands_until.astype(np.int32),
            },
        )
    cursor.execute("ANALYZE judged; ANALYZE new_day; ANALYZE new_health")


def _of(steps: health.Steps) -> dict[str, Any]:
    return {"score": steps.score, "band": steps.band.astype(np.int16), "completeness": steps.completeness}


def _merge_days(cursor: Any) -> int:
    cursor.execute(
        """
        DELETE FROM accounts_healthday h USING judged j WHERE h.account_id = j.account_id AND NOT EXISTS (
            SELECT FROM new_day n WHERE n.account_id = h.account_id AND DATE '1970-01-01' + n.day = h.changed_on)
        """
    )
    count = int(cursor.rowcount)
    with unchecked_keys(cursor):
        cursor.execute(
            f"""
            INSERT INTO accounts_healthday AS o (account_id, changed_on, score, band, completeness)
            SELECT n.* FROM (SELECT account_id, DATE '1970-01-01' + day AS changed_on, {NO_SCORE} AS score,
                nullif(band, -1) AS band, completeness FROM new_day) n
            LEFT JOIN accounts_healthday o USING (account_id, changed_on)
            WHERE o.account_id IS NULL
                OR (n.score, n.band, n.completeness) IS DISTINCT FROM (o.score, o.band, o.completeness)
            ORDER BY n.account_id, n.changed_on
            ON CONFLICT (account_id, changed_on) DO UPDATE
                SET score = excluded.score, band = excluded.band, completeness = excluded.completeness
            """
        )
        return count + int(cursor.rowcount)


PRESENT = (
    "score", "band", "completeness", "contributions", "score_30_days_before", "score_90_days_before", "changed_on",
    "stands_until_on",
)  # fmt: skip


def _merge_present(cursor: Any) -> int:
    cursor.execute(
        "DELETE FROM accounts_accounthealth h USING judged j WHERE h.account_id = j.account_id"
        " AND NOT EXISTS (SELECT FROM new_health n WHERE n.account_id = h.account_id)"
    )
    count = int(cursor.rowcount)
    old, new = (", ".join(f"{row}.{name}" for name in PRESENT) for row in "on")
    with unchecked_keys(cursor):
        cursor.execute(
            f"""
            INSERT INTO accounts_accounthealth AS o (account_id, {", ".join(PRESENT)})
            SELECT n.* FROM (SELECT account_id, {NO_SCORE} AS score, nullif(band, -1) AS band, completeness,
                contributions, nullif(before_30, 'NaN') AS score_30_days_before,
                nullif(before_90, 'NaN') AS score_90_days_before, DATE '1970-01-01' + day AS changed_on,
                CASE WHEN stands_until < {health.NEVER} THEN DATE '1970-01-01' + stands_until END AS stands_until_on
                FROM new_health) n
            LEFT JOIN accounts_accounthealth o USING (account_id)
            WHERE o.account_id IS NULL OR ({new}) IS DISTINCT FROM ({old})
            ORDER BY n.account_id
            ON CONFLICT (account_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in PRESENT)}
            """
        )
        return count + int(cursor.rowcount)
