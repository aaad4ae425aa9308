"""Months and fiscal quarters. A month is the number of months since January 1970, so that it is arithmetic."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Integers
from forecasting.models import ForecastLine

Grain = ForecastLine.Grain
MONTHS_BACK: Final = 36
MONTHS_AHEAD: Final = 24


def month_number(day: dt.date) -> int:
    return (day.year - 1970) * 12 + day.month - 1


def first_day(month: int) -> dt.date:
    return dt.date(1970 + month // 12, month % 12 + 1, 1)


def months_of_days(days: Integers) -> Integers:
    """Month number int32[n] of day numbers."""
    months: Any = days.astype("datetime64[D]").astype("datetime64[M]")
    return months.astype(np.int64).astype(np.int32)  # type: ignore[no-any-return]


def days_of_months(months: Integers) -> Integers:
    """Day number int64[n] of each month's first day."""
    days: Any = np.asarray(months, dtype=np.int64).astype("datetime64[M]").astype("datetime64[D]")
    return days.astype(np.int64)  # type: ignore[no-any-return]


def quarter_start(month: int, fiscal_start: int) -> int:
    """First month of the fiscal quarter that a month is in; `fiscal_start`, 1 to 12, begins the fiscal year."""
    return month - (month - (fiscal_start - 1)) % 3


@dataclass(frozen=True)
class Period:
    """A month or a fiscal quarter."""

    grain: str
    starts_on: dt.date

    @property
    def month_count(self) -> int:
        return 3 if self.grain == Grain.QUARTER else 1

    @property
    def ends_on(self) -> dt.date:
        return first_day(month_number(self.starts_on) + self.month_count) - dt.timedelta(days=1)

    def label(self, fiscal_start: int) -> str:
        """`Nov 2026`, or `Q1 FY27`: a fiscal year is named for the calendar year that it ends in."""
        if self.grain == Grain.MONTH:
            return f"{self.starts_on:%b %Y}"
        months_in = (self.starts_on.month - fiscal_start) % 12
        last_month = month_number(self.starts_on) - months_in + 11
        return f"Q{months_in // 3 + 1} FY{first_day(last_month).year % 100:02d}"


def period_of(grain: str, day: dt.date, fiscal_start: int) -> Period:
    month = month_number(day)
    return Period(grain, first_day(quarter_start(month, fiscal_start) if grain == Grain.QUARTER else month))


def periods_between(grain: str, first_on: dt.date, last_on: dt.date, fiscal_start: int) -> list[Period]:
    """Every period from the one that `first_on` is in to that of `last_on`."""
    first, last = period_of(grain, first_on, fiscal_start), period_of(grain, last_on, fiscal_start)
    months = range(month_number(first.starts_on), month_number(last.starts_on) + 1, first.month_count)
    return [Period(grain, first_day(month)) for month in months]


def stored_months(as_of: dt.date, fiscal_start: int) -> range:
    """The months that forecast lines are kept for, in whole fiscal quarters."""
    month = month_number(as_of)
    first = quarter_start(month - MONTHS_BACK, fiscal_start)
    return range(first, quarter_start(month + MONTHS_AHEAD, fiscal_start) + 3)
