"""The full recompute, until it is published, against one INSERT ... SELECT of the same derived columns.

Where nothing changed, the bar is against a table that has its key alone. Where rows are written, it is against one with
the indexes that the scores have too, because readers sort by these columns. The other ratio is told beside each.
"""

import datetime as dt
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from django.db import connection

from bench.figures import Figure, against, seconds

if TYPE_CHECKING:
    from forecasting.models import Run

DERIVED = (
    "renewal_id, account_id, timing_class, timing_days, risk_score, likelihood, likelihood_count, probability, "
    "mean_cents, mean_upsell_cents, mean_cross_sell_cents, completeness, contributions, edit_count"
)
MEMORY_BAR_MB = 700


def copy_derived_columns(likeness: str = ", PRIMARY KEY (renewal_id)") -> None:
    """The floor: the same columns of every row, into a table with the same key, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_floor")
        cursor.execute(f"CREATE TABLE bench_floor (LIKE renewals_renewalscore{likeness})")
        cursor.execute(f"INSERT INTO bench_floor ({DERIVED}) SELECT {DERIVED} FROM renewals_renewalscore")
        cursor.execute("DROP TABLE bench_floor")


def recompute(*arguments: str) -> tuple[float, float]:
    """Wall seconds of the command as a whole process, and the peak memory in MB of the largest of its processes."""
    command = [sys.executable, "manage.py", "recompute", "--json", "--no-data-rules", *arguments]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the recompute failed"
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def last_run() -> "Run":
    from forecasting.models import Run

    run = Run.objects.latest_published()
    assert run is not None, "no run was published"
    return run


def judge_data_rules() -> None:
    from forecasting import services

    assert services.judge_data_rules(), "the data rules were judged already"


def judge_health() -> None:
    from forecasting.health import refresh_health

    refresh_health(as_of=last_run().as_of_on)


def settle() -> None:
    """What the server does by itself within minutes of a great change, at a moment that is not measured."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def measure(count: int) -> list[Figure]:
    settle()
    first_wall, first_mb = recompute()
    first_rules = seconds(judge_data_rules)
    first_health = seconds(judge_health)
    settle()
    # Turn by turn, so that a machine that slows down slows both.
    turns = [(recompute(), seconds(copy_derived_columns)) for _ in range(5)]
    again_wall, again_mb = sorted(wall_and_mb for wall_and_mb, _ in turns)[2]
    floor = sorted(seconds_of_floor for _, seconds_of_floor in turns)[2]
    again_rules, again_health = seconds(judge_data_rules), seconds(judge_health)
    next_wall, next_mb = recompute("--as-of", (last_run().as_of_on + dt.timedelta(days=1)).isoformat())
    judge_data_rules()
    changed = last_run().changed_count
    indexed = sorted(seconds(lambda: copy_derived_columns(" INCLUDING INDEXES")) for _ in range(3))[1]
    run, rules = f"recompute of {count:,} until published", f"data rules over {count:,} after it"
    what, with_indexes = "INSERT ... SELECT of the same columns", "the same into a table with the scores' indexes"
    writing = {"every row new": first_wall, f"the next day, {changed:,} rows changed": next_wall}
    return [
        against(f"{run}: nothing changed", again_wall, floor, unit="s", what=what, bar=3),
        *(
            against(f"{run}: {case}", wall, indexed, unit="s", what=with_indexes, bar=3)
            for case, wall in writing.items()
        ),
        Figure(f"{run}: nothing changed", again_wall, "s", f"{with_indexes}: {indexed:,.2f} s", again_wall / indexed),
        *(
            Figure(f"{run}: {case}", wall, "s", f"{what}: {floor:,.2f} s", wall / floor)
            for case, wall in writing.items()
        ),
        Figure(
            f"recompute of {count:,}: peak memory of a process",
            max(first_mb, again_mb, next_mb),
            "MB",
            bar=MEMORY_BAR_MB,
        ),
        Figure(f"{rules}: every breach new", first_rules, "s"),
        Figure(f"{rules}: nothing changed", again_rules, "s"),
        Figure(f"health of the accounts of {count:,}: all made anew", first_health, "s"),
        Figure(f"health of the accounts of {count:,}: nothing changed", again_health, "s"),
    ]
