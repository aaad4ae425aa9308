"""The central table beside Django's own admin over the same 100,000 rows: a page of 50, and the save of one value."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

from bench import scratch
from bench.figures import Figure, against

MOST_ROWS = 100_000
TIMES_FASTER = 3


def measure(count: int, load: Callable[[int], None]) -> list[Figure]:
    """`load` fills a database with that many scored renewals. Both are asked in a process of their own, because the
    admin has to be installed for it."""
    count = min(count, MOST_ROWS)
    with scratch.scratch_database("perennial_bench_admin") as url:
        load(count)
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.admin_site.settings", "DATABASE_URL": url}
        for command in (["manage.py", "migrate", "-v0", "admin"], ["-m", "bench.admin_site.compare"]):
            run = subprocess.run(
                [sys.executable, *command], env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
    ms: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    bar = round(1 / TIMES_FASTER, 3)
    what = "Django's admin"
    whole = ms["page"] + ms["totals"]
    return [
        against(
            f"page of 50 at {count:,}", ms["page"], ms["changelist"], unit="ms", what=f"{what}, with its count", bar=bar
        ),
        against(f"page of 50 at {count:,} and all its totals", whole, ms["changelist"], unit="ms", what=what, bar=1),
        against(f"save of one value at {count:,}", ms["save"], ms["admin_save"], unit="ms", what=what, bar=bar),
    ]
