"""Forecast lines between two runs: the months that edits have made stale, computed anew from the stored scores."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from forecasting.frames import current_rules, read_line_rows, read_reporting
from forecasting.lines import compute_lines
from forecasting.models import Run, StaleMonth
from forecasting.mrr import services as mrr
from forecasting.periods import first_day, month_number, quarter_start
from forecasting.services.locks import Lock, try_lock
from forecasting.services.store_lines import read_lines, read_sources, replace_lines, trust_quarter, trusted_lines


def refresh_stale_months() -> int:
    """Refresh every line of the fiscal quarters that hold a stale month, and the movements of recurring revenue of the
    accounts that have anything due in it; how many quarters that were.

    Nothing is done before the first run, while somebody else is at it, or while a run is under way: that would put its
    older lines over these. The marks stay, and the next call finds them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if not try_lock(Lock.LINES):
            return 0
        # Before it is asked whether a run is under way: one that begins after that reads what was marked.
        marks = dict(StaleMonth.objects.values_list("pk", "month_on"))
        if not marks or Run.objects.filter(state=Run.State.RUNNING).exists():
            return 0
        published = Run.objects.latest_published()
        if published is None:
            return 0
        report = read_reporting(as_of=published.as_of_on)
        if not mrr.refresh_movements(cursor, report, set(marks.values())):
            return 0
        starts = {quarter_start(month_number(month_on), report.fiscal_start) for month_on in marks.values()}
        kept = sorted(start for start in starts if start in report.months)
        sources = read_sources(cursor)
        for start in kept:
            first_on, last_on = first_day(start), first_day(start + 3) - dt.timedelta(days=1)
            rules = current_rules()
            rows, _ = read_line_rows(cursor, rules, report, "r.due_on BETWEEN %s AND %s", (first_on, last_on))
            stored = read_lines(cursor, first_on=first_on, last_on=last_on)
            known = trusted_lines(stored, sources)
            lines = compute_lines(rows, report, shock=rules.outlook.shock, stored=known)
            replace_lines(cursor, lines, stored=stored)
            trust_quarter(cursor, start)
        StaleMonth.objects.filter(pk__in=marks).delete()
    return len(kept)
