"""The book as at a moment beside the same read of present rows, with five events a renewal."""

import datetime as dt
import resource
import time
from collections.abc import Callable

from django.db import connection

from bench.figures import Figure, against
from forecasting.frames import Accounts, load_rules, read_book

EVERYBODY = Accounts("TRUE", ())
TURNS = 3


def measure(count: int) -> list[Figure]:
    """`bench.history.fill` has run: the events lie in the past; half of them after the moment that is asked for."""
    rules = load_rules(None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(pgh_created_at) FROM renewals_renewalevent")
        event_count, last = cursor.fetchone()
        cursor.execute("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY pgh_created_at) FROM renewals_renewalevent")
        (middle,) = cursor.fetchone()
        # The rows of this book were made when it was loaded, after the events that were drawn for them.
        cursor.execute("SELECT max(created_at) FROM renewals_renewal")
        now = max(cursor.fetchone()[0], last) + dt.timedelta(seconds=1)

        def read(moment: dt.datetime | None) -> Callable[[], object]:
            return lambda: read_book(cursor, rules, EVERYBODY, moment=moment)

        took: dict[str, list[float]] = {"present rows": [], "now": [], "the middle": []}
        for _ in range(TURNS):
            for name, moment in (("present rows", None), ("now", now), ("the middle", middle)):
                started = time.perf_counter()
                read(moment)()
                took[name].append(time.perf_counter() - started)
    floor = min(took["present rows"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        against(f"book of {count:,} as at now", min(took["now"]), floor, unit="s", what="read as it is", bar=2.0),
        against(
            f"as at the middle of {event_count:,} events",
            min(took["the middle"]),
            floor,
            unit="s",
            what="read as it is",
            bar=4.0,
        ),
        Figure("peak memory of these reads", peak, "MB"),
    ]
