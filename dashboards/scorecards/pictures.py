"""What was kept against what was expected, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from accounts.templatetags.money import exact_rate
from dashboards.scorecards.fair import Fair
from forecasting.pictures import drawn, empty_figure

MOST_NAMES: Final = 12  # that have room under a chart of half a page


def expected_figure(judged: Sequence[tuple[str, Fair]]) -> dict[str, Any]:
    """By name: the interval as a bar of error around what is expected, and a mark at what was kept."""
    labels = [name for name, _ in judged]
    figure = empty_figure("group", labels, is_rate=True, every=-(-len(labels) // MOST_NAMES) or 1)
    figure.add_trace(
        go.Scatter(
            x=labels,
            y=[100 * one.expected for _, one in judged],
            mode="markers",
            name="Expected, with its interval",
            marker={"color": "var(--p-chart-total)", "size": 7, "symbol": "line-ew-open"},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [100 * (one.highest - one.expected) for _, one in judged],
                "arrayminus": [100 * (one.expected - one.lowest) for _, one in judged],
                "color": "var(--p-chart-total)",
                "thickness": 2,
                "width": 6,
            },
            customdata=[
                ["", f"{name}: {exact_rate(one.lowest)} to {exact_rate(one.highest)} expected"] for name, one in judged
            ],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=labels,
            y=[100 * one.rate for _, one in judged],
            mode="markers",
            name="Kept",
            marker={"color": "var(--p-chart-won)", "size": 10},
            customdata=[["", f"{name}: {exact_rate(one.rate)} kept, {one.verdict}"] for name, one in judged],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    )
    return drawn(figure)
