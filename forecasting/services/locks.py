"""Advisory locks of this room, held until the transaction ends.

SCORES: whoever writes one row's score takes it shared, the publish of a run exclusive for as long as its merge takes,
so that the two never wait for each other's rows in a circle. LINES: whoever writes forecast lines takes it exclusive.
DATA_RULES: whoever judges the whole book by the data rules. MRR: whoever writes movements of recurring revenue.
CALLS: whoever measures the calls of reps.
PREPARATION outlasts transactions: whoever prepares the running run, by the signals in parts and by what is learned.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Final

from django.db import connection


class Lock(IntEnum):
    SCORES = 7_010_001
    LINES = 7_010_002
    DATA_RULES = 7_010_004  # 7_010_003 is renewals.quality.evaluate.LOCK
    MRR = 7_010_011
    CALLS = 7_010_015
    PREPARATION = 7_010_016


# How long an edit waits for a publication before it leaves its score for later.
PATIENCE: Final = 0.25
TRY_ALONE: Final = "SELECT pg_try_advisory_xact_lock(%s)"
# A first one that was had once more counts once: both are held until the transaction ends.
TRY_BOTH: Final = (
    "SELECT CASE WHEN pg_try_advisory_xact_lock_shared(%s) THEN pg_try_advisory_xact_lock_shared(%s) ELSE false END"
)


def take_lock(lock: Lock) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def try_lock(lock: Lock) -> bool:
    """False, without waiting, when somebody else holds it."""
    with connection.cursor() as cursor:
        cursor.execute(TRY_ALONE, [lock])
        return bool(cursor.fetchone()[0])


@contextmanager
def hold_alone(lock: Lock) -> Iterator[bool]:
    """Hold it over any number of transactions of the caller's; False, without waiting, when somebody else does.

    A transaction on a connection of its own holds it: it ends with whoever is killed, and poolers keep it together.
    """
    link = connection.copy()
    try:
        link.set_autocommit(False)
        with link.cursor() as cursor:
            cursor.execute(TRY_ALONE, [lock])
            yield bool(cursor.fetchone()[0])
    finally:
        link.close()


def try_to_share(first: int, second: int) -> bool:
    """Take both locks shared, in that order; False when somebody holds one exclusively for longer than PATIENCE."""
    until = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute(TRY_BOTH, [first, second])
            if cursor.fetchone()[0]:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
