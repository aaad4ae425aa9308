"""What customers that came together still bring, and how many of them are there: a triangle of fiscal periods."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Final

from django.http import Http404

from accounts.templatetags.money import currency_sign
from dashboards.frame import Frame
from dashboards.retention.recurring import NOT_THEN, NOT_YET
from dashboards.tiles import Cell, Kind, Number, Row, Tile
from forecasting.models import MrrRollUp
from forecasting.mrr.address import BEFORE, rows_url
from forecasting.mrr.triangles import read_changes
from forecasting.periods import Grain, Period, first_day, month_number

MONTHS: Final = {"quarter": 3, "year": 12}
DEFAULT: Final = "quarter"
# Where a share of what a cohort came with is shaded more strongly.
HEATS: Final = tuple(map(Decimal, ("0.5", "0.7", "0.8", "0.9", "1.0")))
NONE_YET: Final = "No customer has been there for a whole period yet, for this choice of filters."


@dataclass(frozen=True)
class Cohort:
    """Customers that came in a period; value and count at the end of it and of every later one that is over.

    `first_month` counts from 1970; None: those that were there when the ledger begins, from its first period on.
    """

    first_month: int | None
    label: str
    values: Sequence[Decimal]  # a month
    counts: Sequence[int]
    last_months: Sequence[int]  # of the same periods


def cohorts_by(frame: Frame) -> str:
    """Quarter or year; 404 for anything else."""
    by = frame.scope.kept.get("cohorts", DEFAULT)
    if by not in MONTHS:
        raise Http404(f"Cohorts are by {' or '.join(MONTHS)}, not by {by!r}.")
    return by


def read_cohorts(frame: Frame) -> list[Cohort]:
    """The oldest first; empty as at a past moment, and where no period is over."""
    done = MrrRollUp.objects.first()
    if frame.past is not None or done is None:
        return []
    start, size = frame.company.fiscal_year_start_month - 1, MONTHS[cohorts_by(frame)]

    def period(month_on: dt.date) -> int:
        month = month_number(month_on)
        return month - (month - start) % size

    changes: dict[int | None, dict[int, tuple[Decimal, int]]] = {}
    for came_on, quarter_on, amount, count in read_changes(frame.user, frame.scope, start + 1):
        if (month_number(quarter_on) - start) % 3:
            return []  # of another fiscal year than the company's: the next run adds them up anew
        own = changes.setdefault(None if came_on is None else period(came_on), {})
        value, there = own.get(period(quarter_on), (Decimal(0), 0))
        own[period(quarter_on)] = (value + amount, there + count)
    running = period(done.as_of_on + dt.timedelta(days=1))  # a period is over on its last day
    order = sorted(changes, key=lambda came: -1 if came is None else came)
    found = [_cohort(frame, came, changes[came], running, size) for came in order]
    return [one for one in found if one.values]


def _cohort(
    frame: Frame, came: int | None, changes: Mapping[int, tuple[Decimal, int]], running: int, size: int
) -> Cohort:
    begins = min(changes) if came is None else came
    months = range(begins, running, size)
    own = [changes.get(month, (Decimal(0), 0)) for month in months]
    label = _label(frame, begins + size if came is None else came)
    return Cohort(
        came,
        f"Before {label}" if came is None else label,
        list(accumulate(value for value, _ in own)),
        list(accumulate(count for _, count in own)),
        [month + size - 1 for month in months],
    )


def _label(frame: Frame, month: int) -> str:
    text = Period(Grain.QUARTER, first_day(month)).label(frame.company.fiscal_year_start_month)
    return text if cohorts_by(frame) == DEFAULT else text.partition(" ")[2]


def cohort_tiles(frame: Frame) -> list[Tile]:
    cohorts = read_cohorts(frame)
    return [cohort_tile(frame, cohorts, "value"), cohort_tile(frame, cohorts, "customers")]


def cohort_tile(frame: Frame, cohorts: Sequence[Cohort], what: str) -> Tile:
    """`what` is value or customers."""
    by = cohorts_by(frame)
    ages = max((len(one.values) for one in cohorts), default=0)
    is_value = what == "value"
    rows = [_row(frame, one, ages, is_value=is_value) for one in cohorts]
    since = [one for one in cohorts if one.first_month is not None]
    if since:
        rows.append(_all(since, ages, is_value=is_value))
    earlier = [one.label for one in cohorts if one.first_month is None]
    unit = f"{currency_sign(frame.currency)} a month" if is_value else "count"
    told = "Recurring value" if is_value else "Customers"
    return Tile(
        f"cohorts-{what}",
        f"{'Recurring value' if is_value else 'Customers'} kept, by the {by} they came in, %",
        f"{told} at the end of each later fiscal {by}, over what there was at the end of the {by} of the first "
        f"contract{'; more than 100 % where customers grew' if is_value else ''}. A figure opens its rows.",
        "Came in",
        [f"Came with, {unit}", *(_age(age * MONTHS[by]) for age in range(1, ages))],
        rows,
        None,
        NOT_THEN if frame.past is not None else NONE_YET if MrrRollUp.objects.exists() else NOT_YET,
        "p-span-12",
        _notes(earlier, is_value=is_value),
        [(f"By {one}", frame.scope.url(cohorts=None if one == DEFAULT else one), one == by) for one in MONTHS],
    )


def _notes(earlier: Sequence[str], *, is_value: bool) -> list[str]:
    notes = [f"{one}: those there when the ledger begins, measured from then on." for one in earlier]
    if not is_value:
        notes.append("A customer of several owners counts for the one with the largest part of what it bought first.")
    return notes


def _age(months: int) -> str:
    return f"{months // 12} y" if not months % 12 else f"{months} mo"


def _row(frame: Frame, one: Cohort, ages: int, *, is_value: bool) -> Row:
    numbers: Sequence[Decimal | int] = one.values if is_value else one.counts
    urls = [_rows_url(frame, one, month) for month in one.last_months]
    came = Cell(numbers[0], Kind.MONEY if is_value else Kind.COUNT, urls[0])
    shares = [_share(number, numbers[0]) for number in numbers[1:]]
    cells = [Cell(share, Kind.RATE, url, heat_of(share)) for share, url in zip(shares, urls[1:], strict=True)]
    return Row(one.label, [came, *cells, *_blanks(ages - len(numbers))])


def _blanks(count: int) -> list[Cell]:
    return [Cell(None, Kind.RATE) for _ in range(count)]


def _all(cohorts: Sequence[Cohort], ages: int, *, is_value: bool) -> Row:
    """Of each age: what the cohorts that are that old have, over what these came with."""
    levels = [one.values if is_value else one.counts for one in cohorts]
    whole = sum((Decimal(own[0]) for own in levels), Decimal(0))
    cells = [Cell(whole, Kind.MONEY) if is_value else Cell(int(whole), Kind.COUNT)]
    for age in range(1, ages):
        there = [own for own in levels if len(own) > age]
        share = _share(
            sum((Decimal(own[age]) for own in there), Decimal(0)), sum((Decimal(own[0]) for own in there), Decimal(0))
        )
        cells.append(Cell(share, Kind.RATE, heat=heat_of(share)))
    return Row("All since", cells, is_total=True)


def _share(number: Decimal | int, whole: Decimal | int) -> Number:
    return Decimal(number) / Decimal(whole) if whole else None


def heat_of(share: Number) -> int:
    """1 to 6, the stronger the more is left; 0 where there is nothing to shade."""
    return 0 if share is None else 1 + sum(share >= one for one in HEATS)


def _rows_url(frame: Frame, one: Cohort, month: int) -> str:
    size = MONTHS[cohorts_by(frame)]
    came = BEFORE if one.first_month is None else f"{first_day(one.first_month):%Y-%m}"
    until = "" if one.first_month is None else f"{first_day(one.first_month + size - 1):%Y-%m}"
    more = {"came": came} | ({"came_to": until} if until else {})
    return rows_url(frame.scope, "closing", first_day(month), state="actual", **more)
