"""Figures as PNG: what is drawn is what the figure says, in the colours of the page."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from matplotlib import image

from dashboards.drawing import NotDrawable, draw_png, read_colours
from dashboards.tiles import Column, Kind, bars, lines
from forecasting.pictures import drawn

LABELS = ["Q1 FY26", "Q2 FY26"]
HEAD = 44  # pixels of the legend, whose squares have the colours of the bars


def column(name: str, colour: str, *amounts: int | None) -> Column:
    return Column(name, Kind.MONEY, [None if one is None else Decimal(one) for one in amounts], colour)


def pixels_of(figure: dict[str, Any], colour: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where, below the legend, the picture has a colour of the stylesheet."""
    picture = image.imread(io.BytesIO(draw_png(figure)))[HEAD:, :, :3]
    value = read_colours()[f"--p-chart-{colour}"]
    wanted = np.array([int(value[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    found: np.ndarray[Any, np.dtype[np.bool_]] = np.all(np.abs(picture - wanted) < 0.002, axis=2)
    return found


def height_of(found: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    return int(found.any(axis=1).sum())


@pytest.mark.parametrize("mode", ["group", "stack", "relative"])
def test_bars_are_as_high_as_their_numbers(mode: str) -> None:
    columns = [column("Won", "won", 1_000_000, None), column("Lost", "loss", 500_000, 2_000_000)]
    figure = drawn(bars(columns, LABELS, "EUR", mode=mode, current=LABELS[1]))
    won, lost = pixels_of(figure, "won"), pixels_of(figure, "loss")
    middle = won.shape[1] // 2 + 60  # of the axes, which stand to the right of their numbers
    assert not won[:, middle:].any()  # None is no bar
    assert height_of(won[:, :middle]) == pytest.approx(2 * height_of(lost[:, :middle]), abs=3)
    assert height_of(lost[:, middle:]) == pytest.approx(4 * height_of(lost[:, :middle]), abs=5)


def test_losses_hang_below_the_line() -> None:
    columns = [column("New", "won", 10, 10), column("Churn", "loss", -5, -10)]
    figure = drawn(bars(columns, LABELS, "EUR", mode="relative"))
    won, lost = pixels_of(figure, "won"), pixels_of(figure, "loss")
    assert won.any(axis=1).nonzero()[0].max() < lost.any(axis=1).nonzero()[0].min()


def test_lines_leave_gaps_open() -> None:
    labels = ["1", "2", "3", "4"]
    rates = Column("Gross", Kind.RATE, [Decimal("0.5"), Decimal("0.5"), None, Decimal("0.5")], "expected")
    figure = drawn(lines([rates], labels))
    across = pixels_of(figure, "expected").any(axis=0).nonzero()[0]
    widest = int(np.diff(across).max())
    assert widest > 200  # nothing between the second mark and the fourth
    full = drawn(lines([Column("Gross", Kind.RATE, [Decimal("0.5")] * 4, "expected")], labels))
    assert int(np.diff(pixels_of(full, "expected").any(axis=0).nonzero()[0]).max()) == 1


def test_what_only_the_browser_draws_is_refused() -> None:
    figure = drawn(bars([column("Won", "won", 1, 2)], LABELS, "EUR", mode="group"))
    with pytest.raises(NotDrawable):
        draw_png({**figure, "data": [{**figure["data"][0], "type": "waterfall"}]})
    with pytest.raises(NotDrawable):
        draw_png({**figure, "data": [{**figure["data"][0], "type": "scatter", "mode": "markers"}]})
