"""The forecast of a scope by period: the lines of the forecast page, and what stands beside them here.

Source: docs/domain.md section 5. Everything is in the reporting currency, to the cent of the forecast page.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import numpy as np
from django.db.models import BigIntegerField, Case, DateField, F, FloatField, Func, Sum, Value, When
from django.db.models.functions import Cast
from django.http import Http404

from accounts.exchange import read_rates
from dashboards.frame import Frame
from dashboards.rollups.pacing import keep_likely, likely_by_month
from forecasting.as_at.book import ScoredBook, is_in_lines, lines_of
from forecasting.as_at.lines import as_line
from forecasting.engine.booking import weighted
from forecasting.engine.timing import TimingClass
from forecasting.models import ForecastLine
from forecasting.overview.dashboard import SHOWN, Period
from forecasting.periods import Grain, first_day, month_number, months_of_days, period_of
from forecasting.periods import Period as PlainPeriod
from forecasting.scopes.lines import credit_of_line, read_lines, rows_of
from forecasting.targets import read_targets
from renewals.models import TimingClass as StoredClass

CENT: Final = Decimal("0.01")
OPEN: Final = (StoredClass.UPCOMING, StoredClass.IN_WINDOW, StoredClass.OVERDUE)


@dataclass(frozen=True, eq=False)
class Outlook:
    """`periods` are those of the frame and the next ones, the oldest first; the others are along them.

    `model` is won so far and the open ones by likelihood alone, without the reps' confidence. None is not known.
    """

    periods: list[Period]
    targets: list[Decimal | None]
    last_year: list[Decimal | None]
    model: list[Decimal | None]

    def at(self, period: Period) -> int:
        return next(place for place, one in enumerate(self.periods) if one is period)


def read_outlook(frame: Frame) -> Outlook:
    shown = [*frame.periods, *_next_periods(frame)]
    year_before = [first_day(month_number(period.starts_on) - 12) for period in shown]
    starts = [period.starts_on for period in shown]
    lines = _read_lines(frame, list(dict.fromkeys([*year_before, *starts])))
    blank = ForecastLine(grain=frame.grain)
    periods = [_period(frame, period, lines.get(period.starts_on, blank)) for period in shown]
    expected = _read_model(frame, periods)
    has_targets = frame.past is None and not (frame.scope.segment or frame.scope.slice)
    targets = _read_targets(frame, starts) if has_targets else {}
    return Outlook(
        periods,
        [targets.get(start) for start in starts],
        [lines[start].won_amount if start in lines else None for start in year_before],
        [one.line.won_amount + expected.get(one.starts_on, Decimal(0)) for one in periods],
    )


def chosen_of(frame: Frame, periods: Sequence[Period]) -> Period:
    """The period that the address names; else the running one."""
    if not frame.period_text:
        return next(period for period in periods if period.is_current)
    for period in periods:
        if period.starts_on.isoformat() == frame.period_text:
            return period
    raise Http404(f"There is no period that begins on {frame.period_text!r} among those shown.")


def _next_periods(frame: Frame) -> list[PlainPeriod]:
    current = frame.periods[-1]
    month, step = month_number(current.starts_on), current.month_count
    return [PlainPeriod(frame.grain, first_day(month + step * at)) for at in range(1, SHOWN[Grain(frame.grain)][1] + 1)]


def _period(frame: Frame, period: PlainPeriod, line: ForecastLine) -> Period:
    current = frame.periods[-1]
    return Period(
        period.starts_on,
        period.ends_on,
        frame.label(period),
        line,
        credit_of_line(line),
        is_over=period.starts_on < current.starts_on,
        is_current=period == current,
    )


def _read_lines(frame: Frame, starts: Sequence[dt.date]) -> dict[dt.date, ForecastLine]:
    if frame.past is None:
        return read_lines(frame.scope, starts)
    lines = lines_of(frame.past.only(frame.past.within(frame.scope)))
    wanted = np.flatnonzero(lines["grain"] == int(frame.grain == Grain.QUARTER))
    found = [as_line(lines, int(at), frame.grain) for at in wanted]
    return {line.starts_on: line for line in found}


def _read_targets(frame: Frame, starts: Sequence[dt.date]) -> dict[dt.date, Decimal]:
    """Of the owner, the team or the book; a part of these has none."""
    key = frame.scope.line_key
    return read_targets(frame.grain, starts, team_id=key["team_id"], owner_id=key["owner_id"])


def _read_model(frame: Frame, periods: Sequence[Period]) -> dict[dt.date, Decimal]:
    """What the open ones of each period bring by likelihood: whole cents of each, then converted by currency."""
    past = frame.past
    rates = past.report.rates if past else read_rates(as_of=frame.as_of, reporting_currency=frame.currency)
    if past:
        cents: Mapping[tuple[dt.date, str], int] = _past_cents(frame, past)
    elif is_kept(frame) and keep_likely():
        kept = likely_by_month(frame.scope.segment, periods[0].starts_on, periods[-1].ends_on)
        cents = {key: amount for key, amount in kept.items() if key[1] in rates}
    else:
        cents = _cents(frame, periods, list(rates))
    fiscal_start = frame.company.fiscal_year_start_month
    by_currency: dict[tuple[dt.date, str], int] = defaultdict(int)
    for (month_on, currency), amount in cents.items():
        by_currency[period_of(frame.grain, month_on, fiscal_start).starts_on, currency] += amount
    found: dict[dt.date, Decimal] = defaultdict(Decimal)
    for (starts_on, currency), amount in by_currency.items():
        found[starts_on] += in_reporting_currency(amount, rates[currency])
    return dict(found)


def is_kept(frame: Frame) -> bool:
    """Whether what this page reads beside the lines is kept: of the whole book, and of a segment of it."""
    scope = frame.scope
    return frame.past is None and frame.is_true and not (scope.team or scope.owner or scope.slice)


def in_reporting_currency(cents: int, rate: Decimal) -> Decimal:
    """As a forecast line converts the sum of a currency: to the cent, half to even."""
    return (cents * rate).quantize(Decimal(1), ROUND_HALF_EVEN) * CENT


def _cents(frame: Frame, periods: Sequence[Period], currencies: Sequence[str]) -> Mapping[tuple[dt.date, str], int]:
    """By period and currency, in cents of it."""
    # Of floats, half to even: Django's Round takes each through exact digits.
    amount = F("score__likelihood") * F("score__mean_cents")
    brings = Cast(Func(amount, function="ROUND", output_field=FloatField()), BigIntegerField())
    sums = (
        rows_of(frame.user, frame.scope)
        .open()
        .due_between(periods[0].starts_on, periods[-1].ends_on)
        .filter(is_excluded=False, score__timing_class__in=OPEN, currency__in=currencies)
        .values("currency", starts_on=due_in(periods))
        .annotate(cents=Sum(brings))
        .order_by()
    )
    return {(row["starts_on"], row["currency"]): int(row["cents"]) for row in sums}


def due_in(periods: Sequence[Period]) -> Case:
    """The first day of the period, of these in their order, that a renewal is due in: by comparing days, which costs
    half of cutting each to its month in a time zone."""
    whens = (When(due_on__lte=one.ends_on, then=Value(one.starts_on)) for one in periods)
    return Case(*whens, output_field=DateField())


def _past_cents(frame: Frame, past: ScoredBook) -> Mapping[tuple[dt.date, str], int]:
    """The same as the book stood."""
    own = past.only(past.within(frame.scope))
    is_open = is_in_lines(own) & (own.scores["timing_class"] <= TimingClass.OVERDUE)
    book = own.only(is_open)
    brings = weighted(book.scores["likelihood"], book.scores["mean_cents"])
    months = months_of_days(book.rows["due"]).tolist()
    found: dict[tuple[dt.date, str], int] = defaultdict(int)
    for month, currency, amount in zip(months, book.rows["currency"].tolist(), brings.tolist(), strict=True):
        found[first_day(month), book.report.currencies[currency]] += amount
    return found
