"""The full recompute against one INSERT ... SELECT of the same derived columns."""

import json
import resource
import subprocess
import sys

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


def recompute(*arguments: str) -> tuple[float, dict[str, object]]:
    """Wall seconds of the command as a whole process, and what it says of itself."""
    done: list[subprocess.CompletedProcess[str]] = []
    command = [sys.executable, "manage.py", "recompute", "--json", *arguments]
    wall = seconds(lambda: done.append(subprocess.run(command, check=True, capture_output=True, text=True)))
    return wall, json.loads(done[0].stdout.strip().splitlines()[-1])


def measure(count: int) -> list[Figure]:
    first_wall, _ = recompute()
    again_wall, _ = recompute()
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    floor = sorted(seconds(copy_derived_columns) for _ in range(3))[1]
    what = "INSERT ... SELECT of the same columns"
    return [
        against(f"recompute of {count:,}: every row new", first_wall, floor, unit="s", what=what, bar=3),
        against(f"recompute of {count:,}: nothing changed", again_wall, floor, unit="s", what=what, bar=3),
        Figure(f"recompute of {count:,}: peak memory of a process", peak_mb, "MB", bar=MEMORY_BAR_MB),
    ]
