"""What is open and due in the next 90 days, by week and risk."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any, Final, TypeAlias

from django.db import connection

from dashboards.frame import Frame
from dashboards.rollups.days import BANDS
from dashboards.rollups.opened import stored_within
from forecasting.overview.at_risk import WINDOW_DAYS, Open, RiskWeek, read_window
from forecasting.scopes.scope import Scope
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM

BAND: Final = (
    f"CASE WHEN risk_score >= {HIGH_RISK_FROM} THEN 'high' WHEN risk_score >= {MEDIUM_RISK_FROM} THEN 'medium'"
    " WHEN risk_score >= 0 THEN 'low' ELSE 'unscored' END"
)
Weeks: TypeAlias = defaultdict[int, dict[str, Open]]


def read_weeks(frame: Frame, today: dt.date) -> list[RiskWeek]:
    """Calendar weeks, cut to the window at its ends, each with the bands that have anything."""
    if frame.scope.slice:
        return read_window(frame.user, frame.scope, frame.company, today=today).weeks
    last_on, monday = today + dt.timedelta(days=WINDOW_DAYS), today - dt.timedelta(days=today.weekday())
    bands = _of_days if frame.scope.team is None and frame.scope.owner is None else _of_rows
    found = bands(frame.scope, monday, [today, last_on])
    starts = [monday + dt.timedelta(weeks=week) for week in range((last_on - monday).days // 7 + 1)]
    return [
        RiskWeek(max(start, today), min(start + dt.timedelta(days=6), last_on), found[week])
        for week, start in enumerate(starts)
    ]


def _of_days(scope: Scope, monday: dt.date, days: list[dt.date]) -> Weeks:
    """As it is kept of the whole book."""
    where, values = stored_within(scope)
    parameters: list[Any] = [monday, *days, *values]
    sums = ", ".join(f"sum({band}_count), sum({band}_cents)" for band in BANDS)
    source = f"FROM dashboards_openday WHERE due_on BETWEEN %s AND %s AND {where}"
    found: Weeks = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT (due_on - %s) / 7, {sums} {source} GROUP BY 1", parameters)
        for week, *numbers in cursor.fetchall():
            pairs = zip(BANDS, numbers[::2], numbers[1::2], strict=True)
            found[week] = {band: Open(int(count), Decimal(cents) / 100) for band, count, cents in pairs if count}
    return found


def _of_rows(scope: Scope, monday: dt.date, days: list[dt.date]) -> Weeks:
    """Of a team or an owner, whose rows are few."""
    where, values = stored_within(scope)
    parameters: list[Any] = [monday, *days, *values]
    found: Weeks = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (due_on - %s) / 7, {BAND}, count(*), sum(baseline_cents) FROM dashboards_openrenewal"
            f" WHERE due_on BETWEEN %s AND %s AND {where} GROUP BY 1, 2",
            parameters,
        )
        for week, band, count, cents in cursor.fetchall():
            found[week][band] = Open(count, Decimal(cents) / 100)
    return found
