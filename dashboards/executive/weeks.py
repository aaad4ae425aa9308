"""What is open and due in the next 90 days, by week and risk."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from dashboards.frame import Frame
from dashboards.rollups.opened import stored_within
from forecasting.overview.at_risk import WINDOW_DAYS, Open, RiskWeek, read_window
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM

BAND: Final = (
    f"CASE WHEN risk_score >= {HIGH_RISK_FROM} THEN 'high' WHEN risk_score >= {MEDIUM_RISK_FROM} THEN 'medium'"
    " WHEN risk_score >= 0 THEN 'low' ELSE 'unscored' END"
)


def read_weeks(frame: Frame, today: dt.date) -> list[RiskWeek]:
    """Calendar weeks, cut to the window at its ends, each with the bands that have anything."""
    if frame.scope.slice:
        return read_window(frame.user, frame.scope, frame.company, today=today).weeks
    last_on, monday = today + dt.timedelta(days=WINDOW_DAYS), today - dt.timedelta(days=today.weekday())
    where, values = stored_within(frame.scope)
    parameters: list[Any] = [monday, today, last_on, *values]
    bands: defaultdict[int, dict[str, Open]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (due_on - %s) / 7, {BAND}, count(*), sum(baseline_cents) FROM dashboards_openrenewal"
            f" WHERE due_on BETWEEN %s AND %s AND {where} GROUP BY 1, 2",
            parameters,
        )
        for week, band, count, cents in cursor.fetchall():
            bands[week][band] = Open(count, Decimal(cents) / 100)
    starts = [monday + dt.timedelta(weeks=week) for week in range((last_on - monday).days // 7 + 1)]
    return [
        RiskWeek(max(start, today), min(start + dt.timedelta(days=6), last_on), bands[week])
        for week, start in enumerate(starts)
    ]
