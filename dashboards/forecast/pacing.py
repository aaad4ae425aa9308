"""How a period fills up, day by day, against those before it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from django.db.models import DecimalField, Sum
from django.db.models.functions import Least

from accounts.exchange import read_rates
from accounts.templatetags.money import exact_rate
from dashboards.forecast.reading import Outlook, due_in, is_kept
from dashboards.frame import Frame
from dashboards.models import Pace
from dashboards.rollups.pacing import FROM_START, TO_END, days_of, paces_of
from dashboards.rollups.reading import EPOCH, facts_of
from dashboards.tiles import Column, Kind, Number, Tile, lines, tile
from forecasting.engine.timing import TimingClass as Timing
from forecasting.overview.dashboard import Period
from forecasting.periods import Grain, period_of
from forecasting.scopes.lines import KEPT, rows_of

BEFORE: Final = 4  # a year of quarters: the same one of last year is among them
COLOURS: Final = ("total", "win-back", "late", "won", "expected")  # the newest last
AMOUNT: Final = DecimalField(max_digits=20, decimal_places=2)
NO_DUE: Final = "Nothing was due in this period or the four before it, so there is nothing to divide by."

# Of a period and its days: the share kept by each of them.
Shares = Callable[..., list[Number]]
Orders = Mapping[dt.date, Sequence[tuple[dt.date, str, Decimal]]]  # by period: when, in which currency, how much


def pacing_tiles(frame: Frame, outlook: Outlook, chosen: Period) -> list[Tile]:
    """Kept of what was due by days from the period's start, and by days to its end."""
    at = outlook.at(chosen)
    periods = outlook.periods[max(at - BEFORE, 0) : at + 1]
    rates = read_rates(as_of=frame.as_of, reporting_currency=frame.currency)
    sums = _read_kept if is_kept(frame) else _read_ordered
    shares = sums(frame, periods, rates)
    return [
        _tile(frame, periods, shares, is_to_end=False),
        _tile(frame, periods, shares, is_to_end=True),
    ]


def _read_ordered(frame: Frame, periods: Sequence[Period], rates: Mapping[str, Decimal]) -> Shares:
    """From the orders, day by day."""
    orders = _read_orders(frame, periods)

    def shares(period: Period, days: Sequence[dt.date], *, is_to_end: bool) -> list[Number]:
        return shares_by(period, orders.get(period.starts_on, ()), rates, days, frame.as_of)

    return shares


def _read_kept(frame: Frame, periods: Sequence[Period], rates: Mapping[str, Decimal]) -> Shares:
    """From what is kept of each day that is drawn."""
    rows: dict[dt.date, list[Pace]] = defaultdict(list)
    for row in paces_of(frame.grain, frame.scope.segment, [period.starts_on for period in periods]):
        rows[row.starts_on].append(row)

    def shares(period: Period, days: Sequence[dt.date], *, is_to_end: bool) -> list[Number]:
        by_currency: dict[str, list[int]] = {}
        for row in rows[period.starts_on]:
            if row.currency in rates:
                cents = row.to_end_cents if is_to_end else row.from_start_cents
                known = by_currency.get(row.currency)
                by_currency[row.currency] = [a + b for a, b in zip(known, cents, strict=True)] if known else cents
        due = period.line.due_amount
        return [
            sum((_converted(Decimal(one[at]) / 100, rates[name]) for name, one in by_currency.items()), Decimal(0))
            / due
            if due and day <= frame.as_of
            else None
            for at, day in enumerate(days)
        ]

    return shares


def _tile(frame: Frame, periods: Sequence[Period], shares_of: Shares, *, is_to_end: bool) -> Tile:
    days = days_of((TO_END if is_to_end else FROM_START)[Grain(frame.grain)])
    labels = [f"{day:+d}".replace("-", "−") if day else "0" for day in days]
    columns = []
    for period, colour in zip(periods, COLOURS[-len(periods) :], strict=True):
        origin = period.ends_on if is_to_end else period.starts_on
        on = [origin + dt.timedelta(days=day) for day in days]
        urls = [period.rows_url(frame.scope, timing=("early", "on_time", "late"), ordered_to=day) for day in on]
        shares = shares_of(period, on, is_to_end=is_to_end)
        columns.append(Column(period.label, Kind.RATE, shares, colour, urls, urls))
    side = "to its end" if is_to_end else "from its start"
    return tile(
        "pace-end" if is_to_end else "pace-start",
        f"Pacing by days {side}, % of what was due",
        _caption(columns, periods[-1], frame.as_of),
        labels=labels,
        label_head="Day",
        columns=columns,
        figure=lines(columns, labels) if any(period.line.due_amount for period in periods) else None,
        empty=NO_DUE,
    )


def _caption(columns: Sequence[Column], period: Period, as_of: dt.date) -> str:
    """Where the period stands, and where the others stood on the same day of theirs."""
    words = "Kept, min(R, B), of what is due in the period, by when it was ordered; nothing is drawn beyond today."
    known = [at for at, share in enumerate(columns[-1].numbers) if share is not None]
    if not known:
        return words
    others = [number for column in columns[:-1] if (number := column.numbers[known[-1]]) is not None]
    told = f"{period.label} stands at {exact_rate(Decimal(columns[-1].numbers[known[-1]] or 0))}"
    if others and not period.is_over:
        mean = sum(map(Decimal, others), Decimal(0)) / len(others)
        told += f", {exact_rate(mean)} on average of the {len(others)} before it on the same day"
    return f"{told}. {words}"


def shares_by(
    period: Period,
    orders: Sequence[tuple[dt.date, str, Decimal]],
    rates: Mapping[str, Decimal],
    days: Sequence[dt.date],
    as_of: dt.date,
) -> list[Number]:
    """Share of what was due in a period that was kept by each day; None beyond `as_of`, and where nothing was due."""
    due = period.line.due_amount
    waiting = sorted(orders, reverse=True)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    found: list[Number] = []
    for day in days:
        while waiting and waiting[-1][0] <= day:
            _, currency, amount = waiting.pop()
            sums[currency] += amount
        # Each currency is converted once, as the forecast line does: the last day is its gross rate exactly.
        kept = sum((_converted(amount, rates[currency]) for currency, amount in sums.items()), Decimal(0))
        found.append(kept / due if due and day <= as_of else None)
    return found


def _converted(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(Decimal("0.01"))


def _read_orders(frame: Frame, periods: Sequence[Period]) -> Orders:
    if frame.past is not None:
        return _past_orders(frame)
    rates = read_rates(as_of=frame.as_of, reporting_currency=frame.currency)
    sums = (
        rows_of(frame.user, frame.scope)
        .due_between(periods[0].starts_on, periods[-1].ends_on)
        .filter(is_excluded=False, score__timing_class__in=KEPT, currency__in=list(rates), ordered_on__isnull=False)
        .values("currency", "ordered_on", starts_on=due_in(periods))
        .annotate(amount=Sum(Least("final_amount", "baseline_amount"), output_field=AMOUNT))
        .order_by()
    )
    found: dict[dt.date, list[tuple[dt.date, str, Decimal]]] = defaultdict(list)
    for row in sums:
        assert row["ordered_on"] is not None  # filtered above
        found[row["starts_on"]].append((row["ordered_on"], row["currency"], row["amount"]))
    return found


def _past_orders(frame: Frame) -> Orders:
    """As the book stood: each converted by itself, by the rates of then."""
    assert frame.past is not None
    facts = facts_of(frame.past.only(frame.past.within(frame.scope)))
    is_kept = (facts["timing"] >= Timing.EARLY) & (facts["timing"] <= Timing.LATE)
    own = {name: facts[name][is_kept].tolist() for name in ("due", "ordered", "baseline", "renewed")}
    found: dict[dt.date, list[tuple[dt.date, str, Decimal]]] = defaultdict(list)
    for due, ordered, baseline, renewed in zip(*own.values(), strict=True):
        due_on, ordered_on = (EPOCH + dt.timedelta(days=int(day)) for day in (due, ordered))
        starts_on = period_of(frame.grain, due_on, frame.company.fiscal_year_start_month).starts_on
        found[starts_on].append((ordered_on, frame.currency, Decimal(int(min(baseline, renewed))) / 100))
    return found
