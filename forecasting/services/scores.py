"""Scores between two runs: the rows of an edit, at once and inside its transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from psycopg2.extras import execute_values

from forecasting.frames import Accounts, Arrays, current_rules, day_number, judge, read_book, score_book
from forecasting.models import StaleScore
from forecasting.services.locks import Lock, try_to_share
from forecasting.services.publish import SCORE_COLUMNS
from renewals.quality.evaluate import LOCK as QUALITY_LOCK
from renewals.quality.evaluate import evaluate_renewals

COLUMNS: Final = ("renewal_id", *SCORE_COLUMNS)
# The count tells a run that is under way that it has read an older row.
UPSERT: Final = (
    f"INSERT INTO renewals_renewalscore AS s ({', '.join(COLUMNS)}, edit_count) VALUES %s"
    f" ON CONFLICT (renewal_id) DO UPDATE SET {', '.join(f'{name} = EXCLUDED.{name}' for name in COLUMNS[1:])},"
    " edit_count = s.edit_count + 1"
)
# The month a row is due in, and the one it was due in before a change of this transaction.
MARK_STALE: Final = """
INSERT INTO forecasting_stalemonth (month_on)
SELECT DISTINCT date_trunc('month', due_on) FROM (
    SELECT due_on FROM renewals_renewal WHERE id = ANY(%(ids)s)
    UNION ALL
    SELECT due_on FROM renewals_renewalevent WHERE pgh_obj_id = ANY(%(ids)s) AND pgh_created_at = now()
) changed
"""


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
        evaluate_renewals(renewal_ids=ids, as_of=as_of)
        cursor.execute("SELECT DISTINCT account_id FROM renewals_renewal WHERE id = ANY(%s)", [ids])
        accounts = Accounts.listed([account_id for (account_id,) in cursor.fetchall()])
        rules = current_rules()
        book = read_book(cursor, rules, accounts)
        scores = score_book(book, rules, judge(book, rules, day_number(as_of)))
        wanted = np.flatnonzero(np.isin(scores["renewal_id"], ids))
        wanted = wanted[np.argsort(scores["renewal_id"][wanted])]
        execute_values(cursor, UPSERT, _rows(scores, wanted), page_size=1000)
        cursor.execute(MARK_STALE, {"ids": ids})


def _rows(scores: Arrays, places: Any) -> list[tuple[Any, ...]]:
    """Rows of COLUMNS and an edit count of 1, NULL for a score of which nothing is known."""
    columns: list[list[Any]] = [scores[name][places].tolist() for name in COLUMNS]
    risk = COLUMNS.index("risk_score")
    columns[risk] = [None if score != score else score for score in columns[risk]]
    return [(*row, 1) for row in zip(*columns, strict=True)]
