"""Scores between two runs: the rows of an edit, at once and inside its transaction."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from django.db import connection, transaction

from config.prepared import execute_prepared
from forecasting.frames import (
    Accounts,
    Arrays,
    Book,
    Rules,
    current_rules,
    day_number,
    judge,
    read_book,
    score_book,
)
from forecasting.frames.few import read_few
from forecasting.frames.fingerprints import fingerprints
from forecasting.frames.outlook import MEANS
from forecasting.models import StaleScore
from forecasting.services.locks import Lock, try_to_share
from renewals.models.quality import DataRule
from renewals.quality.evaluate import LOCK as QUALITY_LOCK
from renewals.quality.evaluate import VERSIONS, active_rules, judging_sql, rules_of

# Of a score as JSON; NULL for a risk score of which nothing is known.
TYPES: Final = {
    "renewal_id": "bigint",
    "account_id": "bigint",
    "timing_class": "smallint",
    "timing_days": "integer",
    "risk_score": "float8",
    "likelihood": "float8",
    "likelihood_count": "integer",
    "probability": "float8",
    **dict.fromkeys(MEANS, "bigint"),
    "completeness": "float8",
    "contributions": "smallint[]",
    "fingerprint": "bigint",
}
NAMES: Final = ", ".join(TYPES)
TYPED: Final = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
# What is written of scored rows, after the parts that judge them by the data rules. Stale are the month a row is due
# in, and the one it was due in before a change of this transaction. The count of edits tells a run that is under way
# that it has read an older row.
WRITE: Final = f"""
WITH {{judging}}, changed AS (
    SELECT due_on FROM renewals_renewal WHERE id = ANY(%(ids)s)
    UNION ALL
    SELECT due_on FROM renewals_renewalevent WHERE pgh_obj_id = ANY(%(ids)s) AND pgh_created_at = now()
), stale AS (
    INSERT INTO forecasting_stalemonth (month_on) SELECT DISTINCT date_trunc('month', due_on) FROM changed
), fresh AS (
    INSERT INTO forecasting_freshscore (renewal_id) SELECT unnest(%(ids)s)
)
INSERT INTO renewals_renewalscore AS s ({NAMES}, edit_count)
SELECT {NAMES}, 1 FROM jsonb_to_recordset(%(scores)s) AS t ({TYPED})
ON CONFLICT (renewal_id) DO UPDATE SET
    {", ".join(f"{name} = EXCLUDED.{name}" for name in TYPES if name != "renewal_id")}, edit_count = s.edit_count + 1
"""
# Up to here rows are read and written by prepared statements; for more the plan depends on how many there are.
FEW: Final = 50


def score_renewals(*, renewal_ids: Sequence[int], as_of: dt.date) -> None:
    """Score these rows anew inside the caller's transaction, by the steps of a run, and have their months refreshed.

    The refresh comes with the next beat (`refresh_stale_months`), once for however many edits there were; so does the
    score itself where a run is just being published, because nobody should wait for that. Only these rows: what an
    outcome does to the account's other renewals comes with the next run.
    """
    ids = sorted(set(renewal_ids))
    if not ids:
        return
    with transaction.atomic(savepoint=False):
        if not try_to_share(QUALITY_LOCK, Lock.SCORES):
            StaleScore.objects.bulk_create(StaleScore(renewal_id=pk) for pk in ids)
            return
        _score(ids, as_of)


def score_stale_renewals(*, as_of: dt.date) -> int:
    """Score the rows whose edits met a publication; how many. None, while one is still under way."""
    with transaction.atomic():
        stale = dict(StaleScore.objects.select_for_update(skip_locked=True).values_list("pk", "renewal_id"))
        if not stale or not try_to_share(QUALITY_LOCK, Lock.SCORES):
            return 0
        _score(sorted(set(stale.values())), as_of)
        StaleScore.objects.filter(pk__in=stale).delete()
    return len(set(stale.values()))


def _score(ids: list[int], as_of: dt.date) -> None:
    """Both locks are held, shared."""
    with connection.cursor() as cursor:
        is_few = len(ids) <= FEW
        rules, book, data_rules = (_read_few if is_few else _read_many)(cursor, ids)
        scores = score_book(book, rules, judge(book, rules, day_number(as_of)))
        scores["fingerprint"] = fingerprints(scores)
        judging, values = judging_sql(data_rules, ids, as_of)
        values["scores"] = _as_json(scores, ids)
        write = WRITE.format(judging=judging)
        if is_few:
            execute_prepared(cursor, write, values)
        else:
            cursor.execute(write, values)


def _read_few(cursor: Any, ids: list[int]) -> tuple[Rules, Book, list[DataRule]]:
    rules, book, beside = read_few(cursor, ids, VERSIONS)
    return rules, book, rules_of(str(beside[0])) if beside else active_rules()


def _read_many(cursor: Any, ids: list[int]) -> tuple[Rules, Book, list[DataRule]]:
    cursor.execute("SELECT DISTINCT account_id FROM renewals_renewal WHERE id = ANY(%s)", [ids])
    accounts = Accounts.listed([account_id for (account_id,) in cursor.fetchall()])
    rules = current_rules()
    return rules, read_book(cursor, rules, accounts), active_rules()


def _as_json(scores: Arrays, ids: list[int]) -> str:
    """The scores of these renewals alone, in the order of their ids."""
    wanted = np.flatnonzero(np.isin(scores["renewal_id"], ids))
    wanted = wanted[np.argsort(scores["renewal_id"][wanted])]
    columns: dict[str, list[Any]] = {name: scores[name][wanted].tolist() for name in TYPES}
    columns["risk_score"] = [None if score != score else score for score in columns["risk_score"]]
    return json.dumps([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])
