"""Writes of this room: all cells after a published run, and those of some months after edits."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Account, get_company
from dashboards.models import RollUp, StaleCell, StaleLikely, get_roll_up
from dashboards.rollups.adding import Calendar, add_up
from dashboards.rollups.facts import read_facts
from dashboards.rollups.lateness import find_late
from dashboards.rollups.lost import add_up_lost, lost_among, read_lost_rows, replace_lost
from dashboards.rollups.mixes import replace_mixes
from dashboards.rollups.opened import read_open_rows, replace_open, replace_open_of
from dashboards.rollups.pacing import replace_likely, replace_paces
from dashboards.rollups.store import replace_cells, replace_late_accounts
from forecasting.frames import Reporting, day_number, read_reporting
from forecasting.models import Run
from forecasting.periods import first_day, month_number, quarter_start

# Advisory lock, held until the transaction ends: whoever writes cells.
LOCK: Final = 7_010_020
# Of more fiscal quarters or accounts than these no page waits: they are added up in the background.
QUARTERS_AT_ONCE: Final = 3
ACCOUNTS_AT_ONCE: Final = 1_000
ACCOUNTS_APART: Final = 10_000  # of more, all that is open is read at once
MOST_MARKS: Final = 5_000  # these are looked at
IN_QUARTERS: Final = """r.id IN (
    SELECT d.id FROM unnest(%s::date[]) q JOIN renewals_renewal d
        ON d.outcome IN ('open', 'renewed', 'lost') AND d.due_on >= q AND d.due_on < q + interval '3 months'
    UNION
    SELECT o.id FROM unnest(%s::date[]) q JOIN renewals_renewal o
        ON o.outcome = 'renewed' AND o.ordered_on >= q AND o.ordered_on < q + interval '3 months')"""
OF_ACCOUNTS: Final = "r.account_id = ANY(%s)"
# Every page of a dashboard asks these: Django takes longer to compose them than PostgreSQL to answer.
PUBLISHED: Final = (
    "SELECT id FROM forecasting_run WHERE state = 'published' ORDER BY published_at DESC, id DESC LIMIT 1"
)
MARKS: Final = "SELECT month_on, account_id FROM dashboards_stalecell LIMIT %s"
MOST_CHANGES: Final = 100
FOLD: Final = """
WITH gone AS (DELETE FROM dashboards_bookchange RETURNING count)
INSERT INTO dashboards_bookchange (count) SELECT sum(count) FROM gone HAVING count(*) > 0"""
UNRATED: Final = (
    "SELECT currency, count(*) FROM renewals_renewal WHERE currency <> ALL(%s) AND NOT is_excluded"
    " GROUP BY currency ORDER BY currency"
)

Mark: TypeAlias = tuple[int, Any, int | None]  # its id, the month, and the account


def bring_up_to_date() -> bool:
    """Make the cells those of the last published run and of every change since; False when somebody else is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _try_lock(cursor):
            return False
        run, done = Run.objects.latest_published(), RollUp.objects.first()
        if run is None:
            return True
        marks = _read_marks()
        if done is None or _is_of_another(done, run.pk) or any(mark[1:] == (None, None) for mark in marks):
            _roll_up_book(cursor, run)
        elif marks:
            _roll_up_changes(cursor, done, marks)
        cursor.execute("DELETE FROM dashboards_stalecell WHERE id = ANY(%s)", [[pk for pk, _, _ in marks]])
    return True


def fold_changes() -> None:
    """Make one row of the many that count changes, so that their sum stays quick to read; the sum is the same."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) > %s FROM dashboards_bookchange", [MOST_CHANGES])
        if cursor.fetchone()[0]:
            cursor.execute(FOLD)


def refresh_for_reader() -> bool:
    """Add up what was just edited before a page is read; whether the cells are true to the book.

    What takes longer, the whole book or many quarters of it, is left to the background, and the page says so.
    """
    done = get_roll_up()
    with connection.cursor() as cursor:
        cursor.execute(PUBLISHED)
        (run_id,) = cursor.fetchone() or (None,)
        if run_id is None or done is None or _is_of_another(done, run_id):
            return run_id is None
        cursor.execute(MARKS, [MOST_MARKS + 1])
        marks = cursor.fetchall()
    if not marks:
        return True
    months, accounts = {month_on for month_on, _ in marks if month_on}, {account_id for _, account_id in marks}
    is_few = len(marks) <= MOST_MARKS and len(accounts) <= ACCOUNTS_AT_ONCE
    if (None, None) in marks or not is_few or len(_quarters(done.fiscal_start, months)) > QUARTERS_AT_ONCE:
        return False
    return bring_up_to_date()


def _is_of_another(done: RollUp, run_id: int) -> bool:
    """Whether cells are of another run, or of another calendar or currency than the company's."""
    company = get_company()
    return (done.run_id, done.fiscal_start, done.currency) != (
        run_id,
        company.fiscal_year_start_month,
        company.reporting_currency,
    )


def _try_lock(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
    return bool(cursor.fetchone()[0])


def _read_marks() -> list[Mark]:
    return list(StaleCell.objects.values_list("pk", "month_on", "account_id"))


def _calendar(report: Reporting) -> Calendar:
    return Calendar(day_number(report.as_of), report.fiscal_start, report.team_of_owner)


def _roll_up_book(cursor: Any, run: Run) -> None:
    report = read_reporting(as_of=run.as_of_on)
    facts, calendar = read_facts(cursor, report), _calendar(report)
    if replace_cells(cursor, add_up(facts, calendar), None):
        cursor.execute("ANALYZE dashboards_cell")
    replace_late_accounts(cursor, find_late(facts, calendar), None)
    replace_mixes(cursor, facts, calendar, None)
    replace_paces(facts, report, None)
    stale = list(StaleLikely.objects.values_list("pk", flat=True))
    replace_likely(cursor, None)
    StaleLikely.objects.filter(pk__in=stale).delete()
    if replace_open(cursor, read_open_rows(cursor, report), calendar):
        cursor.execute("ANALYZE dashboards_openrenewal")
    replace_lost(add_up_lost(read_lost_rows(cursor, report)), None)
    cursor.execute(UNRATED, [list(report.currencies)])
    RollUp.objects.update_or_create(
        pk=1,
        defaults={
            "run_id": run.pk,
            "as_of_on": run.as_of_on,
            "rolled_up_at": timezone.now(),
            "fiscal_start": report.fiscal_start,
            "currency": get_company().reporting_currency,
            "rates": {currency: str(rate) for currency, rate in report.rates.items()},
            "unrated": dict(cursor.fetchall()),
            "regions": [*_regions()],
        },
    )


def _roll_up_changes(cursor: Any, done: RollUp, marks: list[Mark]) -> None:
    """What was changed, at the rates and as of the day of the run: fiscal quarters, and what is open of accounts."""
    report = Reporting(done.as_of_on, done.exact_rates, done.fiscal_start, _teams())
    calendar = _calendar(report)
    months = {month_on for _, month_on, _ in marks if month_on}
    if months:
        _roll_up_quarters(cursor, report, calendar, _quarters(done.fiscal_start, months))
        replace_likely(cursor, sorted(months))
        moved = sorted({account_id for _, month_on, account_id in marks if month_on and account_id})
        theirs = read_facts(cursor, report, OF_ACCOUNTS, (moved,))
        replace_late_accounts(cursor, find_late(theirs, calendar), np.array(moved, dtype=np.int64))
        RollUp.objects.filter(pk=done.pk).update(rolled_up_at=timezone.now())
    accounts = sorted({account_id for _, _, account_id in marks if account_id})
    if len(accounts) > ACCOUNTS_APART:
        replace_open(cursor, read_open_rows(cursor, report), calendar)
    else:
        replace_open_of(cursor, read_open_rows(cursor, report, OF_ACCOUNTS, (accounts,)), calendar, accounts)


def _roll_up_quarters(cursor: Any, report: Reporting, calendar: Calendar, starts: list[int]) -> None:
    quarters = [first_day(start) for start in starts]
    months = np.array([start + step for start in starts for step in range(3)], dtype=np.int64)
    facts = read_facts(cursor, report, IN_QUARTERS, (quarters, quarters))
    replace_cells(cursor, add_up(facts, calendar), months)
    replace_mixes(cursor, facts, calendar, months)
    replace_paces(facts, report, starts)
    replace_lost(add_up_lost(lost_among(cursor, facts)), months)


def _regions() -> QuerySet[Any, str]:
    return Account.objects.exclude(region="").order_by("region").values_list("region", flat=True).distinct()


def _teams() -> dict[int, int]:
    return dict(read_reporting(as_of=get_company().today()).team_of_owner)


def _quarters(fiscal_start: int, months: set[Any]) -> list[int]:
    return sorted({quarter_start(month_number(month_on), fiscal_start) for month_on in months})
