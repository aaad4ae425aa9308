"""A figure as PNG, drawn on the server: for mail, where no browser draws it.

It reads what charts.js would draw (bars, and lines with marks), and the colours of the light theme from the stylesheet
of the page, so that a picture cannot say anything else than its page. Matplotlib is loaded by whoever draws.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from django.conf import settings
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

INCHES: Final = (6.0, 2.7)
DOTS: Final = 200  # an inch: twice the 600 pixels that it is shown at
FONT_SIZE: Final = 7.5
NAMED: Final = re.compile(r"var\((--[a-z-]+)\)")
PAPER: Final = "#ffffff"


class NotDrawable(ValueError):
    """A figure of a kind that is only drawn by the browser."""


@cache
def read_colours() -> Mapping[str, str]:
    """Value by name of the light theme's variables; those that are no plain colour are left out."""
    text = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()
    light = text.partition('[data-bs-theme="dark"]')[0]
    return dict(re.findall(r"(--p-[a-z-]+): (#[0-9a-f]{6});", light))


def draw_png(figure: Mapping[str, Any]) -> bytes:
    """`figure` as `forecasting.pictures.drawn` gives it. Raises NotDrawable for marks that it does not know."""
    layout, traces = figure["layout"], figure["data"]
    labels = list(dict.fromkeys(label for trace in traces for label in trace["x"]))
    paper = Figure(figsize=INCHES, dpi=DOTS, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(paper)
    axes = paper.add_subplot()
    _draw_grounds(axes, layout)
    bars = [trace for trace in traces if trace["type"] == "bar"]
    _draw_bars(axes, bars, labels, layout["barmode"])
    for trace in traces:
        if trace["type"] == "scatter":
            _draw_line(axes, trace, labels)
        elif trace["type"] != "bar":
            raise NotDrawable(f"A {trace['type']} is drawn by the browser only.")
    _dress(axes, layout, labels)
    written = io.BytesIO()
    paper.savefig(written, format="png", metadata={"Software": None})
    return written.getvalue()


def _colour(text: str) -> str:
    named = NAMED.fullmatch(text)
    return read_colours()[named.group(1)] if named else text


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]


def _draw_grounds(axes: Axes, layout: Mapping[str, Any]) -> None:
    for shape in layout.get("shapes", ()):
        axes.axvspan(shape["x0"], shape["x1"], color=_colour(shape["fillcolor"]), linewidth=0, zorder=0)


def _draw_bars(axes: Axes, bars: Sequence[Mapping[str, Any]], labels: Sequence[str], mode: str) -> None:
    """Beside each other, or on top of each other: gains above the line and losses below it."""
    width = 0.64 / (len(bars) if mode == "group" else 1) if bars else 0.0
    tops = {True: np.zeros(len(labels)), False: np.zeros(len(labels))}
    for place, trace in enumerate(bars):
        heights = np.zeros(len(labels))
        for label, value in zip(trace["x"], _numbers(trace["y"]), strict=True):
            heights[labels.index(label)] = np.nan_to_num(value)
        at = np.arange(len(labels), dtype=float)
        below = np.zeros(len(labels))
        if mode == "group":
            at += (place - (len(bars) - 1) / 2) * width
        else:
            below = np.where(heights >= 0, tops[True], tops[False])
            tops[True], tops[False] = tops[True] + heights.clip(0), tops[False] + heights.clip(None, 0)
        colour = _colour(trace["marker"]["color"])
        axes.bar(at, heights, width, below, color=colour, label=trace["name"], alpha=trace.get("opacity", 1), zorder=2)


def _draw_line(axes: Axes, trace: Mapping[str, Any], labels: Sequence[str]) -> None:
    if trace.get("fill") or "lines" not in trace["mode"]:
        raise NotDrawable("Bands and marks without a line are drawn by the browser only.")
    colour = _colour(trace["line"]["color"])
    marks = "markers" in trace["mode"]
    axes.plot(
        [labels.index(label) for label in trace["x"]],
        _numbers(trace["y"]),
        color=colour,
        linewidth=1.4,
        linestyle=":" if trace["line"].get("dash") == "dot" else "-",
        marker="o" if marks else "",
        markersize=4,
        label=trace["name"],
        zorder=3,
    )


def _dress(axes: Axes, layout: Mapping[str, Any], labels: Sequence[str]) -> None:
    """Axes, grid and legend in the type and the colours of the page."""
    ink, grid = _colour(layout["font"]["color"]), _colour(layout["yaxis"]["gridcolor"])
    axes.set_xlim(-0.5, max(len(labels), 1) - 0.5)
    axes.set_xticks(range(len(labels)), [label.replace(" ", "\n") for label in labels])
    axes.tick_params(length=0, labelsize=FONT_SIZE, labelcolor=ink)
    suffix = layout["yaxis"].get("ticksuffix", "")
    axes.yaxis.set_major_locator(MaxNLocator(layout["yaxis"]["nticks"] - 1))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}{suffix}".replace("-", "−"))
    axes.grid(axis="y", color=grid, linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False, fontsize=FONT_SIZE, labelcolor=ink,
        handlelength=1.2, borderaxespad=0.2,
    )  # fmt: skip
