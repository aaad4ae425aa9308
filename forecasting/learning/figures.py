"""The two pictures of a fitted likelihood: is it right as often as it says, and what does it rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from accounts.models import AttributeDefinition
from accounts.templatetags.money import SPACE, exact_rate
from forecasting.charts import Cell
from forecasting.learning.words import label_of
from forecasting.pictures import drawn, empty_figure

MOST_FACTORS = 15
THOUSAND = 1000  # a loss is told in thousandths: the whole numbers are readable


@dataclass(frozen=True)
class Figure:
    """A figure with its words and its numbers, as the chart's partial takes it."""

    key: str
    title: str
    caption: str
    label_head: str
    heads: Sequence[str]
    rows: Sequence[tuple[str, list[Cell]]]
    figure: dict[str, Any] | None
    empty: str
    span: str = "p-span-6"

    @property
    def figure_id(self) -> str:
        return f"{self.key}-figure"


def calibration_figure(unseen: Mapping[str, Any] | None) -> Figure:
    """What came against what was forecast, by tenths of the renewals that the fit was not learned on."""
    bins = unseen["bins"] if unseen else []
    rows = [
        (
            f"{at + 1}",
            [Cell(f"{one['count']:,}", ""), Cell(exact_rate(one["forecast"]), ""), Cell(exact_rate(one["came"]), "")],
        )
        for at, one in enumerate(bins)
    ]
    return Figure(
        "calibration",
        "Right as often as it says, %",
        _calibration_caption(unseen) if unseen else "",
        "Tenth",
        ["Renewals", "Forecast", "Came"],
        rows,
        _calibration_picture(bins) if bins else None,
        "There are too few decided renewals to keep some apart and ask about them.",
    )


def _calibration_caption(unseen: Mapping[str, Any]) -> str:
    return (
        f"Each point is a tenth of the {unseen['row_count']:,} newest decided renewals, which this fit had not seen; on"
        f" the line it came as often as was said. On average {exact_rate(unseen['calibration_error'])} off."
    )


def _calibration_picture(bins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    figure = empty_figure("group", [], is_rate=True)
    forecast, came = [100 * one["forecast"] for one in bins], [100 * one["came"] for one in bins]
    low = max(min(*forecast, *came) - 5, 0)
    ticks = list(range(10 * int(low / 10), 101, 10))
    figure.update_xaxes(type="linear", tickvals=ticks, ticktext=[f"{tick}{SPACE}%" for tick in ticks], range=[low, 101])
    figure.update_xaxes(title={"text": "Forecast", "standoff": 6})
    figure.update_yaxes(range=[low, 101], title={"text": "Came", "standoff": 6})
    figure.add_trace(
        go.Scatter(
            x=[low, 100],
            y=[low, 100],
            mode="lines",
            name="As said",
            hoverinfo="skip",
            line={"color": "var(--p-chart-total)", "width": 1, "dash": "dot"},
        )
    )
    figure.add_trace(
        go.Scatter(
            x=forecast,
            y=came,
            mode="lines+markers",
            name="Renewed",
            line={"color": "var(--p-chart-expected)", "width": 2},
            marker={"color": "var(--p-chart-expected)", "size": 8},
            customdata=[["", f"{one['count']:,}"] for one in bins],  # the first is the address that a click opens
            hovertemplate="Forecast %{x:.1f} %, came %{y:.1f} %<br>%{customdata[1]} renewals<extra></extra>",
        )
    )
    return drawn(figure)


def importance_figure(
    unseen: Mapping[str, Any] | None, attributes: Mapping[str, AttributeDefinition], why_empty: str
) -> Figure:
    """By how much the fit gets worse without what a factor says, with its 95 % interval; the greatest first."""
    found = unseen["importance"] if unseen else []
    rows = [
        (
            label_of(one["column"], attributes),
            [
                Cell(_thousandths(one["loss"]), ""),
                Cell(f"{_thousandths(one['lowest'])} to {_thousandths(one['highest'])}", ""),
                Cell("Yes" if one["lowest"] > 0 else "Not shown", ""),
            ],
        )
        for one in found
    ]
    certain = sum(one["lowest"] > 0 for one in found)
    caption = (
        f"How much worse the log loss gets, in thousandths, when the factor's values are dealt to other renewals; the"
        f" bars are 95 % intervals. {certain} of {len(found)} factors matter beyond chance."
    )
    return Figure(
        "importance",
        "What it rests on, thousandths of log loss",
        caption,
        "Factor",
        ["Loss without it", "95 % interval", "Matters"],
        rows,
        _importance_picture(found, attributes) if found else None,
        why_empty,
    )


def _importance_picture(
    found: Sequence[Mapping[str, Any]], attributes: Mapping[str, AttributeDefinition]
) -> dict[str, Any]:
    shown = list(found[:MOST_FACTORS])[::-1]
    labels = [_plain(label_of(one["column"], attributes)) for one in shown]
    figure = empty_figure("group", labels)
    figure.update_layout(showlegend=False)
    ticks = _ticks(THOUSAND * max(one["highest"] for one in shown))
    figure.update_xaxes(type="linear", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_xaxes(showgrid=True, gridcolor="var(--p-chart-grid)")
    figure.update_yaxes(type="category", showgrid=False, nticks=None, tickvals=labels)
    losses = [THOUSAND * one["loss"] for one in shown]
    figure.add_trace(
        go.Bar(
            x=losses,
            y=labels,
            orientation="h",
            name="Loss without it",
            marker={
                "color": ["var(--p-chart-commit)" if one["lowest"] > 0 else "var(--p-chart-total)" for one in shown],
                "line": {"width": 0},
            },
            error_x={
                "type": "data",
                "array": [THOUSAND * (one["highest"] - one["loss"]) for one in shown],
                "color": "var(--p-chart-ink)",
                "thickness": 1,
                "width": 3,
            },
            customdata=[["", f"{label}<br>{_interval(one)}"] for label, one in zip(labels, shown, strict=True)],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    )
    return drawn(figure)


def _ticks(highest: float) -> list[float]:
    """From 0 on, in steps that are a power of ten, halved until there are four."""
    step = 10.0 ** np.floor(np.log10(max(highest, 1e-6)))
    while highest / step < 4:
        step /= 2
    return [float(tick) for tick in np.arange(0, highest + step, step)]


def _thousandths(loss: float) -> str:
    return f"{THOUSAND * loss:.1f}".replace("-", "−")


def _interval(one: Mapping[str, Any]) -> str:
    return f"{_thousandths(one['loss'])} ({_thousandths(one['lowest'])} to {_thousandths(one['highest'])})"


def _plain(label: str) -> str:
    """An admin's words without what plotly.js would take for markup."""
    return label.replace("<", "‹").replace(">", "›").replace("&", "+")
