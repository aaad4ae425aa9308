"""Dashboards: each page against the bare SQL over its roll-ups and against its own time in a small book, and what
keeping the roll-ups costs: of the whole book after a run, and of the quarters that an edit marks.

A page is measured twice: as it is set for the first time after its sums changed, and as it is read after that.
"""

from __future__ import annotations

import statistics

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.figures import Figure, against, seconds
from bench.pages import admin_client, run_bare, side_by_side
from dashboards import kept
from dashboards.models import Cell, RollUp, StaleCell
from dashboards.rollups.services import bring_up_to_date

PAGES = {"retention": "/dashboards/retention/", "timing": "/dashboards/timing/"}
ROLL_UPS = ("dashboards_", "forecasting_mrr")
SMALL_BAR = 1.5


def measure_small() -> dict[str, float]:
    """Milliseconds of each page, set anew, in the small book."""
    bring_up_to_date()
    client = admin_client()
    return {name: _set_anew(client, address) for name, address in PAGES.items()}


def measure(count: int, small: dict[str, float]) -> list[Figure]:
    rolled_up = seconds(bring_up_to_date)
    client = admin_client()
    found = [Figure(f"roll-ups of {count:,}: {Cell.objects.count():,} cells", rolled_up, "s")]
    for name, address in PAGES.items():
        found += _page(client, name, address, small.get(name))
    return [*found, _edited()]


def _page(client: Client, name: str, address: str, small_ms: float | None) -> list[Figure]:
    kept.forget()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    statements = [query["sql"] for query in captured.captured_queries if any(t in query["sql"] for t in ROLL_UPS)]
    page_ms, floor_ms = side_by_side(lambda: client.get(address), lambda: run_bare(statements), times=11)
    anew_ms = _set_anew(client, address)
    figures = [
        against(f"dashboard {name}", page_ms, floor_ms, unit="ms", what="bare SQL over its roll-ups", bar=3),
        Figure(f"dashboard {name}, set anew", anew_ms, "ms", bar=100),
    ]
    if small_ms is not None:
        what = f"itself at {10_000:,}"
        figures.append(against(f"dashboard {name}, set anew", anew_ms, small_ms, unit="ms", what=what, bar=SMALL_BAR))
    return figures


def _set_anew(client: Client, address: str) -> float:
    """Median milliseconds of a page none of which is kept."""

    def page() -> None:
        kept.forget()
        client.get(address)

    page()
    return statistics.median(seconds(page) for _ in range(9)) * 1000


def _edited() -> Figure:
    """What the first reader after a decision waits for: one fiscal quarter of the whole book, added up."""
    done = RollUp.objects.get()

    def refresh() -> float:
        StaleCell.objects.create(month_on=done.as_of_on.replace(day=1), account_id=1)
        return seconds(bring_up_to_date)

    return Figure("the fiscal quarter that an edit marked, added up", min(refresh() for _ in range(5)) * 1000, "ms")
