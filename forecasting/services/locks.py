"""Advisory locks of this room, held until the transaction ends.

SCORES: whoever writes one row's score takes it shared, the publish of a run exclusive for as long as its merge takes,
so that the two never wait for each other's rows in a circle. LINES: whoever writes forecast lines takes it exclusive.
DATA_RULES: whoever judges the whole book by the data rules. MRR: whoever writes movements of recurring revenue.
CALLS: whoever measures the calls of reps.
"""

import time
from enum import IntEnum
from typing import Final

from django.db import connection


class Lock(IntEnum):
    SCORES = 7_010_001
    LINES = 7_010_002
    DATA_RULES = 7_010_004  # 7_010_003 is renewals.quality.evaluate.LOCK
    MRR = 7_010_011
    CALLS = 7_010_015


# How long an edit waits for a publication before it leaves its score for later.
PATIENCE: Final = 0.25
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
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        return bool(cursor.fetchone()[0])


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
