"""Dashboards: each page against the bare SQL over its roll-ups and against its own time in a small book, and what
keeping the roll-ups costs: of the whole book after a run, and of the quarters that an edit marks.

A page is measured twice: as it is set for the first time after its sums changed, and as it is read after that.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from io import BytesIO

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from bench.figures import Figure, against, seconds
from bench.pages import admin_client, best_ms, run_bare, side_by_side
from bench.recompute import settle
from bench.small import SmallBook
from dashboards.models import Cell, RollUp, StaleCell
from dashboards.rollups.services import bring_up_to_date
from forecasting.kept import forget
from forecasting.mrr.services import roll_up_mrr

PAGES = {
    name: f"/dashboards/{name}/"
    for name in (
        "executive",
        "forecast",
        "retention",
        "timing",
        "risk",
        "review",
        "scorecards",
        "capacity",
        "learning-curve",
    )
}
# What figures are read from; who is signed in, and what things are called, is no part of the floor.
TABLES = ("dashboards_", "forecasting_", "renewals_", "accounts_account", "engagement_")
COPY = "COPY "
SMALL_BAR = 1.5
TURNS = 3


def measure(count: int, small: SmallBook) -> list[Figure]:
    rolled_up = seconds(bring_up_to_date)
    settle()  # what marked the cells is gone, and would be walked over until the next vacuum
    roll_up_mrr()  # which the small book has too
    client = admin_client()
    found = [Figure(f"roll-ups of {count:,}: {Cell.objects.count():,} cells", rolled_up, "s")]
    for name, address in PAGES.items():
        found += _page(client, name, address, small)
    return [*found, _edited()]


def _page(client: Client, name: str, address: str, small: SmallBook) -> list[Figure]:
    statements = _statements(client, address)
    page_ms, floor_ms = side_by_side(lambda: client.get(address), lambda: _run_bare(statements), times=11)
    read = _both(lambda: best_ms(lambda: client.get(address)), lambda: small.ms("page", address))
    anew = _both(lambda: set_anew(client, address), lambda: small.ms("anew", address))
    what, itself = f"its {len(statements)} statements, bare", "itself at 10,000"
    return [
        against(f"dashboard {name}", page_ms, floor_ms, unit="ms", what=what, bar=3),
        against(f"dashboard {name} against 10,000", *read, unit="ms", what=itself, bar=SMALL_BAR),
        Figure(f"dashboard {name}, set anew", anew[0], "ms", bar=100),
        against(f"dashboard {name}, set anew", *anew, unit="ms", what=itself, bar=SMALL_BAR),
    ]


def _both(here: Callable[[], float], small: Callable[[], float]) -> tuple[float, float]:
    """The best of each, measured in turn, so that what else the machine does falls on both."""
    pairs = [(here(), small()) for _ in range(TURNS)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def _statements(client: Client, address: str) -> list[str]:
    """The SQL that a page, set anew, reads its figures by, in plain text."""
    client.get(address)  # adds up what is marked, which is measured by itself
    forget()
    with override_settings(PREPARED_STATEMENTS=False), CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert response.status_code == 200, f"{address} answered {response.status_code}"
    return [sql for sql in (query["sql"] for query in captured.captured_queries) if any(one in sql for one in TABLES)]


def _run_bare(statements: list[str]) -> None:
    run_bare([sql for sql in statements if not sql.startswith(COPY)])
    with connection.cursor() as cursor:
        for sql in statements:
            if sql.startswith(COPY):
                cursor.copy_expert(sql, BytesIO())


def set_anew(client: Client, address: str) -> float:
    """Median milliseconds of a page none of which is kept."""

    def page() -> None:
        forget()
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
