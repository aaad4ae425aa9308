"""Writes of this room: the movements of the book after each published run, and of single accounts after edits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from forecasting.frames import Reporting, read_reporting
from forecasting.models import MrrRollUp, Run
from forecasting.mrr.book import Accounts, movement_rows, read_movement_book
from forecasting.mrr.cohorts import change_cohorts, replace_cohorts
from forecasting.mrr.store import (
    read_movements,
    replace_movements,
    roll_up_all,
    roll_up_offers,
    roll_up_some,
)
from forecasting.periods import first_day, month_number
from forecasting.services.locks import Lock, try_lock

CALLED_MONTHS: Final = 3
# What each owner's and segment's closing will be, from the lines of all months up to it.
CALL: Final = """
INSERT INTO forecasting_mrrcall (called_on, month_on, owner_id, segment_id, closing_amount)
SELECT %s, %s, owner_id, segment_id,
    sum(opening_amount + new_amount + expansion_amount + reactivation_amount - contraction_amount - churn_amount)
FROM forecasting_mrrline WHERE month_on <= %s AND NOT EXISTS (SELECT FROM forecasting_mrrcall WHERE month_on = %s)
GROUP BY owner_id, segment_id
"""
DUE_IN: Final = (
    "SELECT DISTINCT r.account_id FROM unnest(%s::date[]) month_on"
    " JOIN renewals_renewal r ON r.due_on >= month_on AND r.due_on < month_on + interval '1 month'"
)
UNRATED: Final = (
    "SELECT currency, count(*) FROM renewals_contract WHERE currency <> ALL(%s) GROUP BY currency ORDER BY currency"
)


def roll_up_mrr() -> bool:
    """Bring the movements of the book to the last published run; False when they are, or somebody is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        run = Run.objects.latest_published()
        if run is None or not try_lock(Lock.MRR) or MrrRollUp.objects.filter(run_id__gte=run.pk).exists():
            return False
        roll_up_book(cursor, run)
    return True


def roll_up_book(cursor: Any, run: Run) -> None:
    """Every movement and roll-up of a run; what is equal already is left alone. The caller holds Lock.MRR."""
    report = read_reporting(as_of=run.as_of_on)
    everybody = Accounts()
    # The book is let go of before what is stored is read: either is hundreds of megabytes.
    rows, assumed_rate = movement_rows(read_movement_book(cursor, report, everybody), report)
    stored = read_movements(cursor, everybody)
    touched = replace_movements(cursor, rows, stored=stored)
    if touched.size or not MrrRollUp.objects.exists():
        cursor.execute("ANALYZE forecasting_mrrmovement")
        roll_up_all(cursor)
    else:
        roll_up_offers(cursor)
    replace_cohorts(cursor, rows, report.fiscal_start)
    cursor.execute(UNRATED, [list(report.currencies)])
    MrrRollUp.objects.update_or_create(
        pk=1,
        defaults={
            "run_id": run.pk,
            "as_of_on": run.as_of_on,
            "rolled_up_at": timezone.now(),
            "assumed_rate": assumed_rate,
            "unrated": dict(cursor.fetchall()),
        },
    )
    _keep_call(cursor, run.as_of_on)


def _keep_call(cursor: Any, as_of: dt.date) -> None:
    """Once a month; what was called is never written again."""
    month_on = first_day(month_number(as_of) + CALLED_MONTHS)
    cursor.execute(CALL, [as_of, month_on, month_on, month_on])


def refresh_movements(cursor: Any, report: Reporting, months: Collection[dt.date]) -> bool:
    """Bring the accounts with anything due in these months up to date; False when somebody else is at it.

    Nothing is to be done where the movements are not those of the published run: they will be made of the whole book.
    """
    if not try_lock(Lock.MRR):
        return False
    done = MrrRollUp.objects.first()
    if done is None or done.as_of_on != report.as_of:
        return True
    cursor.execute(DUE_IN, [sorted(months)])
    refresh_accounts(cursor, report, [account_id for (account_id,) in cursor.fetchall()], done.assumed_rate)
    return True


def refresh_accounts(cursor: Any, report: Reporting, account_ids: list[int], assumed_rate: float) -> None:
    """The movements of these accounts, and the roll-ups of whom they belong to. The caller holds Lock.MRR."""
    accounts = Accounts(account_ids)
    book = read_movement_book(cursor, report, accounts)
    rows, _ = movement_rows(book, report, assumed_rate=assumed_rate)
    stored = read_movements(cursor, accounts)
    touched = replace_movements(cursor, rows, stored=stored)
    roll_up_some(cursor, touched)
    if touched.size:
        # What is kept of a page is kept under this moment.
        MrrRollUp.objects.update(rolled_up_at=timezone.now())
    change_cohorts(cursor, new=rows, stored=stored, fiscal_start=report.fiscal_start)
