"""How a series is drawn: plotly.py knows the figure, static/js/charts.js draws it.

plotly.py checks each property of each trace, which takes most of the time of a page of charts: how a picture is dressed
is checked by it once (`_dress`), and the points, which are numbers and words, are put in as they are. Tests hold what
the pages draw against it as a whole.

Colours are the names of CSS variables, which the page resolves in the theme of the moment. No text may hold markup:
plotly.js would turn it into inline styles, which the content security policy refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
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


@dataclass(eq=False)
class Drawing:
    """A figure that is being drawn: `data` and `layout` as plotly.js takes them."""

    layout: dict[str, Any]
    data: list[dict[str, Any]] = field(default_factory=list)

    def add_trace(self, trace: Mapping[str, Any] | go.Figure) -> None:
        """A trace of this module, or one that plotly.py made."""
        self.data.append(dict(trace) if isinstance(trace, Mapping) else trace.to_plotly_json())

    def add_traces(self, traces: Iterable[Mapping[str, Any]]) -> None:
        for trace in traces:
            self.add_trace(trace)

    def update_xaxes(self, **changes: Any) -> None:
        _change(self.layout["xaxis"], changes)

    def update_yaxes(self, **changes: Any) -> None:
        _change(self.layout["yaxis"], changes)

    def update_layout(self, **changes: Any) -> None:
        _change(self.layout, changes)


def _change(properties: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """None takes a property away."""
    properties.update(changes)
    for name in [name for name, value in changes.items() if value is None]:
        del properties[name]


def empty_figure(
    barmode: str, labels: Sequence[str], *, current: str = "", is_rate: bool = False, every: int = 1
) -> Drawing:
    """An empty figure in the page's type and colours; the current period stands on a ground of its own.

    `every` second, third... label is written under the axis, on as many lines as it has words.
    """
    layout = _copied(_dress(barmode, is_rate))
    layout["xaxis"] |= {
        "tickvals": list(labels[::every]),
        "ticktext": [label.replace(" ", "<br>") for label in labels[::every]],
    }
    if current:
        layout["shapes"] = [_ground(labels.index(current))]
    return Drawing(layout)


def _copied(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, dict) else value for name, value in properties.items()}


@cache
def _dress(barmode: str, is_rate: bool) -> dict[str, Any]:
    """The layout of every drawing, checked by plotly.py. Not to be changed: drawings take copies of it."""
    axis = {"fixedrange": True, "showline": False, "zeroline": False, "ticks": "", "automargin": True}
    grid = {"gridcolor": "var(--p-chart-grid)", "gridwidth": 1}
    layout = go.Layout(
        {
            "barmode": barmode,
            "bargap": 0.36,
            "dragmode": False,
            "hovermode": "closest",
            "showlegend": True,
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.03,
                "yanchor": "bottom",
                "traceorder": "normal",
                "itemwidth": 30,
            },
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
            "xaxis": {**axis, "type": "category", "showgrid": False, "tickangle": 0},
            "yaxis": {**axis, **grid, "ticksuffix": f"{SPACE}%" if is_rate else "", "nticks": 6},
        }
    )
    properties: dict[str, Any] = layout.to_plotly_json()
    return properties


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
) -> dict[str, Any]:
    return {
        "type": "bar",
        **_points(one, labels, divisor, sign, currency),
        "marker": {"color": f"var(--p-chart-{one.colour})", "line": {"width": 0}},
        "opacity": 0.45 if is_pale else 1,
        "legendgroup": group or one.name,
        "showlegend": not is_pale,
    }


def line(
    one: Series,
    labels: Sequence[str],
    divisor: int,
    currency: str = "",
    *,
    hollow: Sequence[bool] = (),
    is_dashed: bool = False,
    is_thin: bool = False,
) -> dict[str, Any]:
    """A line with a mark at each point; hollow marks are numbers that still move."""
    colour = f"var(--p-chart-{one.colour})"
    return {
        "type": "scatter",
        **_points(one, labels, divisor, 1, currency),
        "mode": "lines" if is_thin else "lines+markers",
        "line": {"color": colour, "width": 1 if is_thin else 2, "dash": "dot" if is_dashed else "solid"},
        "marker": {
            "color": ["var(--p-surface)" if is_hollow else colour for is_hollow in hollow] or colour,
            "size": 7,
            "line": {"color": colour, "width": 2},
        },
        "legendgroup": one.name,
        "showlegend": not is_dashed,
    }


def band(low: Series, high: Series, labels: Sequence[str], divisor: int) -> list[dict[str, Any]]:
    """P10 to P90: the ground between two unseen lines."""
    edge = {
        "type": "scatter",
        "x": list(labels),
        "mode": "lines",
        "line": {"width": 0, "color": "var(--p-chart-band)"},
        "hoverinfo": "skip",
    }
    return [
        {**edge, "y": _points(low, labels, divisor, 1, "")["y"], "showlegend": False},
        {
            **edge,
            "y": _points(high, labels, divisor, 1, "")["y"],
            "fill": "tonexty",
            "fillcolor": "var(--p-chart-band)",
            "name": "P10 to P90",
        },
    ]


def drawn(figure: Drawing) -> dict[str, Any]:
    """The figure as plotly.js takes it: data and layout."""
    return {"data": figure.data, "layout": figure.layout}
