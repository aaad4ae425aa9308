"""The pictures of a backtest: how far off by days before the end, forecast beside what came, and calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import plotly.graph_objects as go

from accounts.templatetags.money import SPACE, currency_sign, exact_rate
from forecasting.accuracy.names import FORECASTER_NAMES
from forecasting.accuracy.verdict import percent
from forecasting.charts import Cell, Chart
from forecasting.learning.figures import Figure
from forecasting.pictures import Series, band, bar, drawn, empty_figure, line, unit_of

COLOURS: Final = {"joined": "expected", "model": "commit", "rep": "late", "last_year": "total", "chance": "grid"}


def error_chart(horizons: Mapping[str, Any]) -> Chart:
    """How far off the totals of periods were, by days before their end, beside what chance alone leaves."""
    keys = sorted(horizons, key=int, reverse=True)
    labels = [f"{key} days" for key in keys]
    found = [horizons[key]["all"] for key in keys]

    def series(name: str, colour: str, forecaster: str, measure: str) -> Series:
        values = [_decimal(one[forecaster][measure]) for one in found]
        return Series(name, values, [""] * len(values), colour, is_rate=True)

    shown = [series(FORECASTER_NAMES[name], COLOURS[name], name, "wape") for name in ("joined", "model", "last_year")]
    chance = series("Chance alone", "won", "joined", "floor")
    leaning = series("Joined, bias", "loss", "joined", "bias")
    figure = empty_figure("group", labels, is_rate=True)
    for one in shown:
        figure.add_trace(line(one, labels, 1))
    figure.add_trace(line(chance, labels, 1, is_dashed=True) | {"showlegend": True})
    joined = found[0]["joined"]
    return Chart(
        "error",
        "How far off, % of what came",
        "Sum of what each period's total was off by, over what came (WAPE), by days before the period's end. The dotted"
        " line is what chance alone leaves when every probability is right."
        f" {int(joined['periods'])} periods, {int(joined['due']):,} renewals.",
        labels,
        "Before the end",
        [*shown, chance, leaning],
        "%",
        drawn(figure),
    )


def periods_chart(content: Mapping[str, Any], horizon: str, currency: str) -> Chart:
    """What was forecast of each period at one horizon, with its band, beside what came."""
    points = [one for one in content.get("series", []) if str(one["horizon"]) == horizon]
    labels = [one["period"] for one in points]

    def series(name: str, colour: str, key: str) -> Series:
        return Series(name, [_money(one[key]) for one in points], [""] * len(points), colour)

    came, joined = series("Came", "won", "came"), series("Forecast", "expected", "joined")
    low, high = series("P10", "band", "p10"), series("P90", "band", "p90")
    others = [series("Model", "commit", "model"), series("Last year's rate", "total", "last_year")]
    chance = series("Chance moves it by", "grid", "chance")
    shown = [came, joined, low, high, *others, chance]
    divisor, unit = unit_of(currency, *shown)
    figure = empty_figure("group", labels)
    figure.add_trace(bar(came, labels, divisor, currency, is_pale=True) | {"showlegend": True})
    figure.add_traces(band(low, high, labels, divisor))
    figure.add_trace(line(joined, labels, divisor, currency))
    figure.add_trace(line(others[1], labels, divisor, currency, is_thin=True))
    return Chart(
        "periods",
        f"Forecast {horizon} days before the end, and what came, {unit}",
        "Each period as it was forecast so long before its end; the ground is P10 to P90, the bar what came.",
        labels,
        "Period",
        shown,
        currency_sign(currency),
        drawn(figure) if points else None,
        "Periods are drawn for the whole book and for teams.",
    )


def calibration_chart(content: Mapping[str, Any], horizon: str) -> Figure:
    """What came against what was said, by tenths of the open renewals; joined, model and rep."""
    found: Mapping[str, Sequence[Mapping[str, float]]] = content.get("tenths", {}).get(horizon, {})
    rows = [
        (
            f"{FORECASTER_NAMES[name]} {at + 1}",
            [
                Cell(f"{one['count']:,.0f}", ""),
                Cell(exact_rate(one["forecast"]), ""),
                Cell(exact_rate(one["came"]), ""),
            ],
        )
        for name in ("joined", "model", "rep")
        for at, one in enumerate(found.get(name, ()))
    ]
    return Figure(
        "calibration",
        "Right as often as they say, %",
        _calibration_caption(found, horizon),
        "Tenth",
        ["Renewals", "Said", "Came"],
        rows,
        _calibration_picture(found) if rows else None,
        "Nothing was open so long before the end, or the choice is neither the whole book nor a team.",
    )


def _calibration_caption(found: Mapping[str, Sequence[Mapping[str, float]]], horizon: str) -> str:
    told = []
    for name in ("joined", "model", "rep"):
        tenths = found.get(name, ())
        count = sum(one["count"] for one in tenths)
        if count:
            error = sum(one["count"] * abs(one["forecast"] - one["came"]) for one in tenths) / count
            told.append(f"{FORECASTER_NAMES[name].lower()} {percent(error)} off (n {count:,.0f})")
    return (
        f"Each point is a tenth of what was open {horizon} days before the end; on the line it came as often as"
        f" was said. On average: {', '.join(told)}."
    )


def _calibration_picture(found: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, Any]:
    figure = empty_figure("group", [], is_rate=True)
    values = [100 * one[side] for tenths in found.values() for one in tenths for side in ("forecast", "came")]
    low = max(min(values) - 5, 0)
    ticks = list(range(10 * int(low / 10), 101, 20 if low < 40 else 10))
    figure.update_xaxes(type="linear", tickvals=ticks, ticktext=[f"{tick}{SPACE}%" for tick in ticks], range=[low, 101])
    figure.update_xaxes(title={"text": "Said", "standoff": 6})
    figure.update_yaxes(range=[low, 101], title={"text": "Came", "standoff": 6})
    straight = {"color": "var(--p-chart-total)", "width": 1, "dash": "dot"}
    figure.add_trace(
        go.Scatter(x=[low, 100], y=[low, 100], mode="lines", name="As said", hoverinfo="skip", line=straight)
    )
    for name, tenths in found.items():
        if tenths:
            figure.add_trace(_calibration_line(name, tenths))
    return drawn(figure)


def _calibration_line(name: str, tenths: Sequence[Mapping[str, float]]) -> go.Scatter:
    colour = f"var(--p-chart-{COLOURS[name]})"
    return go.Scatter(
        x=[100 * one["forecast"] for one in tenths],
        y=[100 * one["came"] for one in tenths],
        mode="lines+markers",
        name=FORECASTER_NAMES[name],
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": 7},
        customdata=[["", f"{one['count']:,.0f}"] for one in tenths],  # the first is the address that a click opens
        hovertemplate=f"{FORECASTER_NAMES[name]} said %{{x:.1f}} %, came %{{y:.1f}} %<br>%{{customdata[1]}} renewals"
        "<extra></extra>",
    )


def _decimal(share: float | None) -> Decimal | None:
    return None if share is None else Decimal(str(round(share, 6)))


def _money(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(str(round(amount, 2)))
