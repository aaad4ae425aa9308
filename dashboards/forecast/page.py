"""The tiles of the forecast page."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from accounts.strip import Total
from accounts.templatetags.money import compact_money, currency_sign, exact_money, percent
from dashboards.forecast.pacing import pacing_tiles
from dashboards.forecast.reading import Outlook
from dashboards.forecast.waterfall import waterfall_tile
from dashboards.frame import Frame
from dashboards.tiles import Cell, Kind, Row, Tile
from forecasting.as_at import known_since, parse_moment
from forecasting.charts import Chart
from forecasting.overview.charts import booking_chart
from forecasting.overview.dashboard import OPEN, WON, Period, range_text
from forecasting.pictures import Series, band, bar, drawn, empty_figure, line, unit_of

NOTHING: Final = "Nothing was won and nothing is open in these periods, for this choice of filters."
DAYS_BACK: Final = (7, 30, 90)


def build_tiles(frame: Frame, outlook: Outlook, chosen: Period) -> list[Tile]:
    booking = booking_chart(frame.scope, frame.currency, outlook.periods)
    return [
        value_tile(frame, outlook),
        waterfall_tile(frame, chosen),
        tile_of(booking),
        *pacing_tiles(frame, outlook, chosen),
        bridge_tile(frame, chosen),
    ]


def build_totals(frame: Frame, outlook: Outlook, chosen: Period) -> list[Total]:
    """Six figures of the chosen period."""
    one, at, rows = chosen.line, outlook.at(chosen), chosen.rows_url(frame.scope)
    won_url = chosen.rows_url(frame.scope, timing=WON)
    open_urls = {name: chosen.rows_url(frame.scope, timing=OPEN, category=name) for name in ("commit", "best_case")}
    target, last_year = outlook.targets[at], outlook.last_year[at]

    def total(label: str, amount: Decimal | None, qualifier: str, meaning: str, url: str) -> Total:
        title = meaning if amount is None else f"{exact_money(amount, frame.currency)}. {meaning}"
        return Total(label, compact_money(amount, frame.currency), qualifier, title, url)

    between = range_text(one.p10_amount, one.p90_amount, beside=one.expected_amount)
    return [
        total(
            f"Weighted, {chosen.label}",
            one.expected_amount,
            between,
            "Won so far and the open ones by forecast probability; beside it P10 to P90.",
            rows,
        ),
        total("Won so far", one.won_amount, _of(one.won_amount, one.due_amount), "What was renewed.", won_url),
        total(
            "Commit, open",
            one.commit_amount,
            _of(one.commit_amount, one.due_amount),
            "Open ones in a stage of commit, beside them their share of what is due.",
            open_urls["commit"],
        ),
        total(
            "Best case, open",
            one.best_case_amount,
            _of(one.best_case_amount, one.due_amount),
            "Open ones in a stage of best case, beside them their share of what is due.",
            open_urls["best_case"],
        ),
        total(
            "Target",
            target,
            _of(one.expected_amount, target) if target else "none set",
            "What was set for the period; beside it the weighted forecast as a share of it.",
            reverse("forecasting:targets"),
        ),
        total(
            "Last year",
            last_year,
            _of(one.expected_amount, last_year) if last_year else "nothing known",
            "What was renewed of the same period a year before; beside it the weighted forecast as a share of it.",
            "",
        ),
    ]


def _of(amount: Decimal, whole: Decimal | None) -> str:
    return percent(amount / whole) if whole else "nothing due"


def words(frame: Frame, outlook: Outlook, chosen: Period) -> str:
    """The page in a sentence."""
    one, target = chosen.line, outlook.targets[outlook.at(chosen)]
    if not one.due_count:
        return f"Nothing is due in {chosen.label} for this choice of filters."
    between = f"{compact_money(one.p10_amount, frame.currency)} and {compact_money(one.p90_amount, frame.currency)}"
    told = (
        f"{chosen.label} is expected to bring {compact_money(one.expected_amount, frame.currency)} of "
        f"{compact_money(one.due_amount, frame.currency)} due, with 80 % probability between {between}"
    )
    if target is None:
        return f"{told}."
    gap = one.expected_amount - target
    side = "above" if gap >= 0 else "below"
    return f"{told}; that is {compact_money(abs(gap), frame.currency)} {side} its target."


def value_tile(frame: Frame, outlook: Outlook) -> Tile:
    """Won, commit and best case stacked; the forecasts, the target and last year as lines."""
    periods, scope = outlook.periods, frame.scope

    def amounts(name: str, colour: str, field: str, **filters: Any) -> Series:
        urls = [period.rows_url(scope, **filters) for period in periods]
        return Series(name, [getattr(period.line, field) for period in periods], urls, colour)

    stacked = [
        amounts("Won", "won", "won_amount", timing=WON),
        amounts("Commit", "commit", "commit_amount", timing=OPEN, category="commit"),
        amounts("Best case", "best", "best_case_amount", timing=OPEN, category="best_case"),
    ]
    weighted = amounts("Weighted", "expected", "expected_amount")
    low, high = amounts("P10", "band", "p10_amount"), amounts("P90", "band", "p90_amount")
    middle = amounts("P50", "band", "p50_amount")
    whole = weighted.urls
    model = Series("Model", outlook.model, whole, "win-back")
    target = Series("Target", outlook.targets, [reverse("forecasting:targets")] * len(periods), "call")
    last_year = Series("Last year", outlook.last_year, [""] * len(periods), "total")
    series = [*stacked, weighted, model, low, middle, high, target, last_year]
    divisor, unit = unit_of(frame.currency, *series)
    labels = [period.label for period in periods]
    figure = empty_figure("stack", labels, current=next(one.label for one in periods if one.is_current))
    for one in stacked:
        figure.add_trace(bar(one, labels, divisor, frame.currency))
    figure.add_traces(band(low, high, labels, divisor))
    for one in (weighted, target):
        figure.add_trace(line(one, labels, divisor, frame.currency))
    for one in (model, last_year):
        figure.add_trace(line(one, labels, divisor, frame.currency, is_thin=True))
    has_any = any(value for one in series for value in one.values)
    chart = Chart(
        "value",
        f"Forecast by {frame.grain}, {unit}",
        "Bars: won, and open in commit and best case. Weighted: won and the open ones by forecast probability, as "
        "on the forecast page; model: by likelihood alone, without the reps’ confidence. Last year: what was "
        "renewed of the same period a year before."
        + (" Targets are kept as they are today, and not drawn of a past moment." if frame.past else ""),
        labels,
        frame.grain.capitalize(),
        series,
        currency_sign(frame.currency),
        drawn(figure) if has_any else None,
        NOTHING,
        "p-span-12",
    )
    return tile_of(chart)


def tile_of(chart: Chart) -> Tile:
    """A chart of the forecast page as a tile."""
    shown = [series for series in chart.series if series.is_in_table]
    rows = [
        Row(
            label,
            [Cell(one.values[at], Kind.RATE if one.is_rate else Kind.MONEY, one.urls[at]) for one in shown],
        )
        for at, label in enumerate(chart.labels)
    ]
    return Tile(
        chart.key,
        chart.title,
        chart.caption,
        chart.label_head,
        chart.heads,
        rows if chart.figure else [],
        chart.figure,
        chart.empty,
        chart.span,
    )


def bridge_tile(frame: Frame, chosen: Period) -> Tile:
    """Where to see what moved the forecast of the period, since any date."""
    title = f"What moved the forecast of {chosen.label}"
    today = frame.company.today()
    days = [(f"{back} days ago", today - dt.timedelta(days=back)) for back in DAYS_BACK]
    if chosen.starts_on < today:
        days.append((f"{chosen.label} began", chosen.starts_on))
    since = known_since()
    rows = [
        Row(f"Since {day:%d %b %Y}: {label}", [Cell((today - day).days, Kind.COUNT)], _bridge_url(frame, chosen, day))
        for label, day in sorted(days, key=lambda one: one[1], reverse=True)
        if since is not None and parse_moment(day.isoformat(), frame.company).moment >= since.at
    ]
    rows.append(Row("Since any other date, or a frozen call", [Cell(None, Kind.COUNT)], _bridge_url(frame, chosen)))
    return Tile(
        "bridge",
        title,
        "The bridge takes the change apart to the cent: new, won, lost, pushed, pulled in, amount, probability, "
        "reclassified, removed.",
        "Bridge",
        ["Days ago"],
        rows,
        span="p-span-12",
    )


def _bridge_url(frame: Frame, chosen: Period, day: dt.date | None = None) -> str:
    query: dict[str, str] = {"by": frame.grain, **frame.scope.chosen, "period": chosen.starts_on.isoformat()}
    if day is not None:
        query |= {"from": day.isoformat(), "to": "now"}
    return f"{reverse('forecasting:bridge')}?{urlencode(query)}"
