"""Advisory locks of this room, held until the transaction ends.

SCORES: whoever writes one row's score takes it shared, the publish of a run exclusive for as long as its merge takes,
so that the two never wait for each other's rows in a circle. LINES: whoever writes forecast lines takes it exclusive.
"""

from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    SCORES = 7_010_001
    LINES = 7_010_002


def take_lock(lock: Lock, *, is_shared: bool = False) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{'_shared' if is_shared else ''}(%s)", [lock])


def try_lock(lock: Lock) -> bool:
    """False, without waiting, when somebody else holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        return bool(cursor.fetchone()[0])
