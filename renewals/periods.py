"""Stretches of days that people call by a name: this quarter, the next 30 days."""

import datetime as dt


def month_after(day: dt.date, months: int) -> dt.date:
    """The first day of the month that is so many months after that of `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, 1)


def quarter_start(day: dt.date, fiscal_month: int) -> dt.date:
    return month_after(day, -((day.month - fiscal_month) % 3))


def named_periods(today: dt.date, fiscal_month: int) -> dict[str, tuple[dt.date, dt.date]]:
    """First and last day of each, in the order of a menu."""
    one_day = dt.timedelta(days=1)
    month, quarter = month_after(today, 0), quarter_start(today, fiscal_month)
    year = month_after(today, -((today.month - fiscal_month) % 12))

    def months(first: dt.date, count: int) -> tuple[dt.date, dt.date]:
        return first, month_after(first, count) - one_day

    return {
        "this month": months(month, 1),
        "next month": months(month_after(month, 1), 1),
        "this quarter": months(quarter, 3),
        "next quarter": months(month_after(quarter, 3), 3),
        "this fiscal year": months(year, 12),
        "next 30 days": (today, today + 30 * one_day),
        "next 90 days": (today, today + 90 * one_day),
        "last 90 days": (today - 90 * one_day, today),
    }


# How an address names them: this-quarter.
PERIOD_NAMES = {name.replace(" ", "-"): name for name in named_periods(dt.date(2000, 1, 1), 1)}
