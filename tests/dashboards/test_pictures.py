"""What the pages draw is what plotly.py takes: the charts' points are put in without its checks."""

from __future__ import annotations

import json
import re

import plotly.graph_objects as go
import pytest

from forecasting.mrr.services import roll_up_mrr
from forecasting.pictures import empty_figure
from tests.cast import Cast
from tests.dashboards.books import draw_book

PAGES = (
    *(f"/dashboards/{name}/" for name in ("executive", "forecast", "retention", "timing", "risk", "review")),
    *(f"/dashboards/{name}/" for name in ("scorecards", "capacity", "learning-curve")),
    "/forecast/",
    "/forecast/mrr/",
)
FIGURE = re.compile(r'<script id="[\w-]+-figure" type="application/json">(.*?)</script>', re.DOTALL)


def test_every_figure_of_every_page_is_one_of_plotly_s(cast: Cast) -> None:
    draw_book(cast, 3, count=120)
    roll_up_mrr()
    for page in PAGES:
        content = cast.client_of("admin").get(page).content.decode()
        for text in FIGURE.findall(content):
            given = json.loads(text)
            found = go.Figure(given)
            found.layout.template = None  # of its own accord
            assert found.to_plotly_json() == given, page
        if "curve" not in page:  # the book has no recorded work
            assert FIGURE.search(content), page


def test_a_drawing_does_not_change_the_next_one() -> None:
    first = empty_figure("group", ["a", "b"], current="a")
    first.update_yaxes(range=[0, 100])
    first.layout["legend"]["itemsizing"] = "constant"
    second = empty_figure("group", [])
    assert "range" not in second.layout["yaxis"]
    assert "itemsizing" not in second.layout["legend"]
    assert "shapes" not in second.layout
    assert (second.layout["xaxis"]["tickvals"], second.data) == ([], [])


def test_what_plotly_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="barmode"):
        empty_figure("beside", [])
