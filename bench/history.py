"""A long history for the book; undo of a bulk edit against one bulk UPDATE of the same cells, and the audit page."""

import statistics

from django.db import connection

from accounts.models import User, get_company
from bench.figures import Figure, against, median_ms, seconds
from bench.recompute import settle
from renewals.history.batches import recorded_batch
from renewals.history.kinds import RENEWAL
from renewals.history.log import Filters, read_page
from renewals.history.undo import undo_batch
from renewals.models import Renewal, Stage

UNDONE_ROWS = 10_000
EVENTS_PER_RENEWAL = 5
CELLS = "UPDATE renewals_renewal SET stage_id = %s, confidence = %s, next_step = %s WHERE id = ANY(%s)"


def measure(count: int) -> list[Figure]:
    admin = User.objects.filter(role=User.Role.ADMIN).first()
    assert admin
    page_ms = median_ms(lambda: read_page(Filters(), admin))
    events = f"{count * EVENTS_PER_RENEWAL:,} changes"
    return [
        *undo_figures(min(count // 5, UNDONE_ROWS), admin),
        Figure(f"audit page, newest of {events}", page_ms, "ms"),
    ]


def undo_figures(count: int, admin: User) -> list[Figure]:
    ids = list(Renewal.objects.order_by("pk").values_list("pk", flat=True)[:count])
    stages, as_of = list(Stage.objects.values_list("pk", flat=True)), get_company().today()
    floors, undos = [], []
    for turn in range(5):
        values = [stages[turn % len(stages)], turn, f"Turn {turn}", ids]
        with connection.cursor() as cursor, recorded_batch(user=admin, how="bulk", description="Benchmark") as batch:
            floors.append(seconds(lambda cursor=cursor, values=values: cursor.execute(CELLS, values)))
        undos.append(seconds(lambda batch=batch: undo_batch(batch_id=batch.id, user=admin, as_of=as_of)))
    floor, undo = statistics.median(floors), statistics.median(undos)
    return [against(f"undo of a bulk edit of {count:,} rows", undo, floor, unit="s", what="one bulk UPDATE", bar=6)]


def fill(count: int) -> Figure:
    """A past for the book, before pages and saves are measured: 5,000,000 events at 1,000,000 renewals.

    Each event is a row as it is, but for its next step, by one of the users, on some day.
    """
    events = count * EVENTS_PER_RENEWAL
    filled = seconds(lambda: add_events(events))
    settle()
    return Figure(f"history of {events:,} changes, filled", filled, "s")


def add_events(count: int) -> None:
    columns = ", ".join([*RENEWAL.columns, "id", "created_at"])
    values = ", ".join("'Earlier'" if name == "next_step" else f"r.{name}" for name in columns.split(", "))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {RENEWAL.event_table}
                ({columns}, pgh_obj_id, pgh_label, pgh_created_at, pgh_context, pgh_context_id)
            SELECT {values}, r.id, 'before_update', now() - make_interval(days => 700) + make_interval(secs => n * 10),
                jsonb_build_object('user', u.ids[1 + n %% cardinality(u.ids)], 'how', 'cell'), gen_random_uuid()
            FROM (SELECT *, row_number() OVER (ORDER BY turn, random()) AS n
                  FROM {RENEWAL.table}, generate_series(1, %s) turn) r,
                (SELECT array_agg(id) AS ids FROM accounts_user) u
            """,
            [EVENTS_PER_RENEWAL],
        )
        assert cursor.rowcount == count
