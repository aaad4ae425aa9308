"""Writes of this room: all cells after a published run, and those of some months after edits."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Account, get_company
from dashboards.models import RollUp, StaleCell
from dashboards.rollups.adding import Calendar, add_up
from dashboards.rollups.facts import read_facts
from dashboards.rollups.lateness import find_late
from dashboards.rollups.store import replace_cells, replace_late_accounts
from forecasting.frames import Reporting, day_number, read_reporting
from forecasting.models import Run
from forecasting.periods import first_day, month_number, quarter_start

# Advisory lock, held until the transaction ends: whoever writes cells.
LOCK: Final = 7_010_020
# Of more fiscal quarters than these no page waits: they are added up in the background.
QUARTERS_AT_ONCE: Final = 3
IN_QUARTERS: Final = """r.id IN (
    SELECT d.id FROM unnest(%s::date[]) q JOIN renewals_renewal d
        ON d.outcome IN ('open', 'renewed', 'lost') AND d.due_on >= q AND d.due_on < q + interval '3 months'
    UNION
    SELECT o.id FROM unnest(%s::date[]) q JOIN renewals_renewal o
        ON o.outcome = 'renewed' AND o.ordered_on >= q AND o.ordered_on < q + interval '3 months')"""
MOST_CHANGES: Final = 100
FOLD: Final = """
WITH gone AS (DELETE FROM dashboards_bookchange RETURNING count)
INSERT INTO dashboards_bookchange (count) SELECT sum(count) FROM gone HAVING count(*) > 0"""
UNRATED: Final = (
    "SELECT currency, count(*) FROM renewals_renewal WHERE currency <> ALL(%s) AND NOT is_excluded"
    " GROUP BY currency ORDER BY currency"
)


def bring_up_to_date() -> bool:
    """Make the cells those of the last published run and of every change since; False when somebody else is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _try_lock(cursor):
            return False
        run, done = Run.objects.latest_published(), RollUp.objects.first()
        if run is None:
            return True
        marks = _read_marks()
        if done is None or _is_of_another(done, run) or any(month_on is None for _, month_on, _ in marks):
            _roll_up_book(cursor, run)
        elif marks:
            _roll_up_quarters(cursor, done, marks)
        StaleCell.objects.filter(pk__in=[pk for pk, _, _ in marks]).delete()
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
    run, done = Run.objects.latest_published(), RollUp.objects.first()
    if run is None or done is None or _is_of_another(done, run):
        return run is None
    months = set(StaleCell.objects.values_list("month_on", flat=True).distinct())
    if not months:
        return True
    if None in months or len(_quarters(done.fiscal_start, months)) > QUARTERS_AT_ONCE:
        return False
    return bring_up_to_date()


def _is_of_another(done: RollUp, run: Run) -> bool:
    """Whether cells are of another run, or of another calendar or currency than the company's."""
    company = get_company()
    return (done.run_id, done.fiscal_start, done.currency) != (
        run.pk,
        company.fiscal_year_start_month,
        company.reporting_currency,
    )


def _try_lock(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
    return bool(cursor.fetchone()[0])


def _read_marks() -> list[tuple[int, Any, int | None]]:
    return list(StaleCell.objects.values_list("pk", "month_on", "account_id"))


def _calendar(report: Reporting) -> Calendar:
    return Calendar(day_number(report.as_of), report.fiscal_start, report.team_of_owner)


def _roll_up_book(cursor: Any, run: Run) -> None:
    report = read_reporting(as_of=run.as_of_on)
    facts, calendar = read_facts(cursor, report), _calendar(report)
    if replace_cells(cursor, add_up(facts, calendar), None):
        cursor.execute("ANALYZE dashboards_cell")
    replace_late_accounts(cursor, find_late(facts, calendar), None)
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


def _roll_up_quarters(cursor: Any, done: RollUp, marks: list[tuple[int, Any, int | None]]) -> None:
    """The fiscal quarters that something was changed in, at the rates and as of the day of the run."""
    report = Reporting(done.as_of_on, done.exact_rates, done.fiscal_start, _teams())
    starts = _quarters(done.fiscal_start, {month_on for _, month_on, _ in marks})
    quarters = [first_day(start) for start in starts]
    calendar = _calendar(report)
    months = np.array([start + step for start in starts for step in range(3)], dtype=np.int64)
    replace_cells(cursor, add_up(read_facts(cursor, report, IN_QUARTERS, (quarters, quarters)), calendar), months)
    accounts = np.unique(np.array([account_id for _, _, account_id in marks if account_id], dtype=np.int64))
    theirs = read_facts(cursor, report, "r.account_id = ANY(%s)", (accounts.tolist(),))
    replace_late_accounts(cursor, find_late(theirs, calendar), accounts)
    RollUp.objects.filter(pk=done.pk).update(rolled_up_at=timezone.now())


def _regions() -> QuerySet[Any, str]:
    return Account.objects.exclude(region="").order_by("region").values_list("region", flat=True).distinct()


def _teams() -> dict[int, int]:
    return dict(read_reporting(as_of=get_company().today()).team_of_owner)


def _quarters(fiscal_start: int, months: set[Any]) -> list[int]:
    return sorted({quarter_start(month_number(month_on), fiscal_start) for month_on in months})
