"""How a series is drawn: plotly.py makes the figure, static/js/charts.js draws it.

Colours are the names of CSS variables, which the page resolves in the theme of the moment. No text may hold markup:
plotly.js would turn it into inline styles, which the content security policy refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go

from accounts.templatetags.money import NOTHING, SPACE, compact_money, currency_sign, exact_rate

STEPS = ((10**9, "B"), (10**6, "M"), (10**3, "K"), (1, ""))


@dataclass(frozen=True)
class Series:
    """A row of numbers along the periods, with the address of the rows behind each of them.

    `is_rate` says that values are shares of 1; otherwise they are amounts in the reporting currency.
    """

    name: str
    values: Sequence[Decimal | None]
    urls: Sequence[str]
    colour: str
    is_rate: bool = False
    is_in_table: bool = True

    def text(self, value: Decimal | None) -> str:
        if value is None:
            return NOTHING
        return exact_rate(value) if self.is_rate else f"{value:,.2f}"


def unit_of(currency: str, *series: Series) -> tuple[int, str]:
    """The step that amounts are drawn in: the largest that keeps the largest of them at 1 or more."""
    largest = max((abs(value) for one in series for value in one.values if value), default=Decimal(0))
    divisor, letter = next((step for step in STEPS if largest >= step[0]), STEPS[-1])
    return divisor, f"{currency_sign(currency)}{SPACE}{letter}".rstrip()


def empty_figure(
    barmode: str, labels: Sequence[str], *, current: str = "", is_rate: bool = False, every: int = 1
) -> go.Figure:
    """An empty figure in the page's type and colours; the current period stands on a ground of its own.

    `every` second, third... label is written under the axis, on as many lines as it has words.
    """
    axis = {"fixedrange": True, "showline": False, "zeroline": False, "ticks": "", "automargin": True}
    grid = {"gridcolor": "var(--p-chart-grid)", "gridwidth": 1}
    layout = {
        "barmode": barmode,
        "bargap": 0.36,
        "dragmode": False,
        "hovermode": "closest",
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.03, "yanchor": "bottom", "traceorder": "normal", "itemwidth": 30},
        "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
        "font": {"size": 11, "color": "var(--p-chart-ink)"},
        "hoverlabel": {
            "bgcolor": "var(--p-raised)",
            "bordercolor": "var(--p-line-strong)",
            "font": {"size": 12, "color": "var(--p-ink)"},
            "align": "left",
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {
            **axis,
            "type": "category",
            "showgrid": False,
            "tickangle": 0,
            "tickvals": list(labels[::every]),
            "ticktext": [label.replace(" ", "<br>") for label in labels[::every]],
        },
        "yaxis": {**axis, **grid, "ticksuffix": f"{SPACE}%" if is_rate else "", "nticks": 6},
        "shapes": [_ground(labels.index(current))] if current else [],
    }
    figure = go.Figure(layout=layout)  # a layout that is updated later takes five times as long
    figure.layout.template = None  # its defaults are larger than the figure, and all of them are overruled here
    return figure


def _ground(at: int) -> dict[str, Any]:
    across = {"x0": at - 0.5, "x1": at + 0.5, "yref": "paper", "y0": 0, "y1": 1}
    return {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": "var(--p-hover)", **across}


def _points(one: Series, labels: Sequence[str], divisor: int, sign: int, currency: str) -> dict[str, Any]:
    """Where the points are, what they say, and which rows they open."""
    factor = 100 if one.is_rate else 1
    return {
        "x": list(labels),
        "y": [None if value is None else float(value * factor / divisor) * sign for value in one.values],
        "customdata": [
            [url, f"{one.name}, {label}<br>{_hover(one, value, currency)}"]
            for label, value, url in zip(labels, one.values, one.urls, strict=True)
        ],
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        "name": one.name,
    }


def _hover(one: Series, value: Decimal | None, currency: str) -> str:
    return one.text(value) if one.is_rate else f"{compact_money(value, currency)} ({one.text(value)})"


def bar(
    one: Series,
    labels: Sequence[str],
    divisor: int,
    currency: str = "",
    *,
    sign: int = 1,
    group: str = "",
    is_pale: bool = False,
) -> go.Bar:
    return go.Bar(
        **_points(one, labels, divisor, sign, currency),
        marker={"color": f"var(--p-chart-{one.colour})", "line": {"width": 0}},
        opacity=0.45 if is_pale else 1,
        legendgroup=group or one.name,
        showlegend=not is_pale,
    )


def line(
    one: Series,
    labels: Sequence[str],
    divisor: int,
    currency: str = "",
    *,
    hollow: Sequence[bool] = (),
    is_dashed: bool = False,
    is_thin: bool = False,
) -> go.Scatter:
    """A line with a mark at each point; hollow marks are numbers that still move."""
    colour = f"var(--p-chart-{one.colour})"
    return go.Scatter(
        **_points(one, labels, divisor, 1, currency),
        mode="lines" if is_thin else "lines+markers",
        line={"color": colour, "width": 1 if is_thin else 2, "dash": "dot" if is_dashed else "solid"},
        marker={
            "color": ["var(--p-surface)" if is_hollow else colour for is_hollow in hollow] or colour,
            "size": 7,
            "line": {"color": colour, "width": 2},
        },
        legendgroup=one.name,
        showlegend=not is_dashed,
    )


def band(low: Series, high: Series, labels: Sequence[str], divisor: int) -> list[go.Scatter]:
    """P10 to P90: the ground between two unseen lines."""
    edge = {
        "x": list(labels),
        "mode": "lines",
        "line": {"width": 0, "color": "var(--p-chart-band)"},
        "hoverinfo": "skip",
    }
    return [
        go.Scatter(**edge, y=_points(low, labels, divisor, 1, "")["y"], showlegend=False),
        go.Scatter(
            **edge,
            y=_points(high, labels, divisor, 1, "")["y"],
            fill="tonexty",
            fillcolor="var(--p-chart-band)",
            name="P10 to P90",
        ),
    ]


def drawn(figure: go.Figure) -> dict[str, Any]:
    """The figure as plotly.js takes it: data and layout."""
    content: dict[str, Any] = figure.to_plotly_json()
    return content
