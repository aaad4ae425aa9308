import datetime as dt
from itertools import pairwise

import numpy as np
import pytest

from forecasting.frames import day_number
from forecasting.periods import (
    Grain,
    Period,
    days_of_months,
    first_day,
    month_number,
    months_of_days,
    period_of,
    periods_between,
    stored_months,
)


def test_month_numbers_go_both_ways() -> None:
    days = [dt.date(1969, 12, 31), dt.date(1970, 1, 1), dt.date(2026, 11, 30), dt.date(2028, 2, 29)]
    months = months_of_days(np.array([day_number(day) for day in days], dtype=np.int32))
    assert months.tolist() == [-1, 0, 682, 697] == [month_number(day) for day in days]
    assert [first_day(month) for month in months.tolist()] == [day.replace(day=1) for day in days]
    assert days_of_months(months).tolist() == [day_number(day.replace(day=1)) for day in days]


@pytest.mark.parametrize(
    ("fiscal_start", "day", "starts_on", "label"),
    [
        (1, dt.date(2026, 11, 21), dt.date(2026, 10, 1), "Q4 FY26"),
        (2, dt.date(2026, 11, 21), dt.date(2026, 11, 1), "Q4 FY27"),
        (2, dt.date(2026, 10, 31), dt.date(2026, 8, 1), "Q3 FY27"),
        (2, dt.date(2027, 1, 31), dt.date(2026, 11, 1), "Q4 FY27"),
        (2, dt.date(2027, 2, 1), dt.date(2027, 2, 1), "Q1 FY28"),
        (12, dt.date(2026, 12, 1), dt.date(2026, 12, 1), "Q1 FY27"),
        (10, dt.date(2026, 9, 30), dt.date(2026, 7, 1), "Q4 FY26"),
    ],
)
def test_fiscal_quarter_of_a_day(fiscal_start: int, day: dt.date, starts_on: dt.date, label: str) -> None:
    period = period_of(Grain.QUARTER, day, fiscal_start)
    assert period == Period(Grain.QUARTER, starts_on)
    assert period.label(fiscal_start) == label
    assert period.starts_on <= day <= period.ends_on


def test_periods_between_meet_without_gap_or_overlap() -> None:
    for grain, count in ((Grain.MONTH, 15), (Grain.QUARTER, 5)):
        periods = periods_between(grain, dt.date(2026, 11, 21), dt.date(2028, 1, 1), 2)
        assert len(periods) == count
        for one, following in pairwise(periods):
            assert following.starts_on == one.ends_on + dt.timedelta(days=1)


def test_stored_months_are_whole_quarters() -> None:
    months = stored_months(dt.date(2026, 11, 21), 2)
    assert (first_day(months[0]), first_day(months[-1])) == (dt.date(2023, 11, 1), dt.date(2029, 1, 1))
