"""When calls are due: at the end of the first business day of a month, and of its last day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, NamedTuple

from accounts.models import Company
from forecasting.as_at.moments import end_of_day
from forecasting.models import Snapshot
from forecasting.periods import first_day, month_number, quarter_start

# How far back a beat makes up for what was missed; older ones are frozen by hand.
CAUGHT_UP_DAYS: Final = 100
SATURDAY: Final = 5


class DueCall(NamedTuple):
    reason: str
    on: dt.date
    moment: dt.datetime


def calls_between(company: Company, after: dt.datetime, until: dt.datetime) -> list[DueCall]:
    """The calls whose moments lie after the one and not after the other, the oldest first."""
    months = range(month_number(company.today(after)) - 1, month_number(company.today(until)) + 1)
    due = (call for month in months for call in _calls_of(company, month))
    return sorted((call for call in due if after < call.moment <= until), key=lambda call: call.moment)


def _calls_of(company: Company, month: int) -> Iterator[DueCall]:
    start, end = first_business_day(first_day(month)), first_day(month + 1) - dt.timedelta(days=1)
    closes_quarter = quarter_start(month + 1, company.fiscal_year_start_month) == month + 1
    close = Snapshot.Reason.QUARTER_CLOSE if closes_quarter else Snapshot.Reason.MONTH_CLOSE
    for reason, day in ((Snapshot.Reason.MONTH_START, start), (close, end)):
        yield DueCall(reason, day, end_of_day(day, company))


def first_business_day(day: dt.date) -> dt.date:
    """The day itself, or the Monday after its weekend."""
    return day + dt.timedelta(days=max(7 - day.weekday(), 0) if day.weekday() >= SATURDAY else 0)
