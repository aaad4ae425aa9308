"""Recurring revenue: its page against the bare SQL over its roll-up, the rows behind a figure, and what making them
costs: of the whole book after a run, and of the months that an edit makes stale."""

from __future__ import annotations

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.figures import Figure, against, seconds
from bench.pages import admin_client, side_by_side
from forecasting.frames import read_reporting
from forecasting.kept import forget
from forecasting.models import MrrLine, MrrMovement, MrrRollUp, Run
from forecasting.mrr.services import refresh_movements, roll_up_mrr

PAGE = "/forecast/mrr/"


def measure(count: int) -> list[Figure]:
    rolled_up = seconds(roll_up_mrr)
    pages, rows = _pages(), _rows(admin_client())
    movements, lines = MrrMovement.objects.count(), MrrLine.objects.count()
    return [
        Figure(f"recurring revenue of {count:,}: {movements:,} movements, {lines:,} lines", rolled_up, "s"),
        *pages,
        rows,
        Figure("recurring revenue of a month that an edit made stale", _refresh(), "s"),
    ]


def _pages() -> list[Figure]:
    """As it is read, and as it is set for the first time after a movement changed."""
    client = admin_client()
    forget()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(PAGE).status_code == 200
    statements = [query["sql"] for query in captured.captured_queries if "forecasting_mrr" in query["sql"]]

    def bare() -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.replace("%", "%%"))
                cursor.fetchall()

    page_ms, floor_ms = side_by_side(lambda: client.get(PAGE), bare, times=11)
    return [
        against("recurring revenue, the page", page_ms, floor_ms, unit="ms", what="its bare SQL", bar=3),
        Figure("recurring revenue, set anew", min(seconds(lambda: _set_anew(client)) for _ in range(5)) * 1000, "ms"),
    ]


def _set_anew(client: Client) -> None:
    forget()
    client.get(PAGE)


def _rows(client: Client) -> Figure:
    as_of = MrrRollUp.objects.get().as_of_on
    address = f"{PAGE}rows/?kind=churn&month={as_of:%Y-%m}"
    return Figure(
        "the rows behind a figure of it", min(seconds(lambda: client.get(address)) for _ in range(5)) * 1000, "ms"
    )


def _refresh() -> float:
    run = Run.objects.latest_published()
    assert run is not None
    report = read_reporting(as_of=run.as_of_on)
    with transaction.atomic(), connection.cursor() as cursor:
        return seconds(lambda: refresh_movements(cursor, report, {run.as_of_on.replace(day=1)}))
