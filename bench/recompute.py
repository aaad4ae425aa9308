"""The full recompute against one INSERT ... SELECT of the same derived columns."""

import os
import subprocess
import sys
import time

from django.db import connection

from bench.figures import Figure, against, seconds

DERIVED = (
    "renewal_id, account_id, timing_class, timing_days, risk_score, likelihood, likelihood_count, probability, "
    "completeness, contributions, edit_count"
)
MEMORY_BAR_MB = 700


def copy_derived_columns() -> None:
    """The floor: the same columns of every row, into a table with the same key, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_floor")
        cursor.execute("CREATE TABLE bench_floor (LIKE renewals_renewalscore, PRIMARY KEY (renewal_id))")
        cursor.execute(f"INSERT INTO bench_floor ({DERIVED}) SELECT {DERIVED} FROM renewals_renewalscore")
        cursor.execute("DROP TABLE bench_floor")


def recompute() -> tuple[float, float]:
    """Wall seconds of the command as a whole process, and the peak memory in MB of the largest of its processes."""
    command = [sys.executable, "manage.py", "recompute", "--json"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the recompute failed"
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def measure(count: int) -> list[Figure]:
    first_wall, first_mb = recompute()
    again_wall, again_mb = recompute()
    floor = sorted(seconds(copy_derived_columns) for _ in range(3))[1]
    what = "INSERT ... SELECT of the same columns"
    return [
        against(f"recompute of {count:,}: every row new", first_wall, floor, unit="s", what=what, bar=3),
        against(f"recompute of {count:,}: nothing changed", again_wall, floor, unit="s", what=what, bar=3),
        Figure(f"recompute of {count:,}: peak memory of a process", max(first_mb, again_mb), "MB", bar=MEMORY_BAR_MB),
    ]
