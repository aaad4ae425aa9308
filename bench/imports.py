"""An import of contracts from CSV against COPY of the same file into an indexed table."""

import csv
import datetime as dt
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from statistics import median
from typing import Self

from django.db import connection

from bench.figures import Figure, against, seconds
from bench.recompute import settle
from bench.scratch import scratch_database
from renewals.models import Renewal

MILLION = 1_000_000
MEMORY_BAR_MB = 1_000

HEADER = [
    "account_id",
    "account",
    "segment",
    "industry",
    "contract",
    "product",
    "starts_on",
    "ends_on",
    "amount",
    "currency",
]
MAPPING = Path(__file__).parent / "contracts.toml"


def write_contracts(path: Path, count: int) -> None:
    draw = random.Random(1)
    first = dt.date(2026, 1, 1)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(count):
            account = number // 2
            starts = first + dt.timedelta(days=draw.randrange(300))
            writer.writerow([
                f"X-{account}", f"Imported company {account}", "SMB" if account % 3 else "Enterprise", "Software",
                f"K-{number}", "Platform", starts, starts + dt.timedelta(days=364),
                f"{draw.lognormvariate(9, 1):.2f}", draw.choice(["EUR", "USD", "GBP"]),
            ])  # fmt: skip


def copy_into_indexed_table(path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_import")
        columns = ", ".join(
            f"{name} {'date' if name.endswith('_on') else 'numeric(14,2)' if name == 'amount' else 'text'}"
            for name in HEADER
        )
        cursor.execute(f"CREATE TABLE bench_import (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {columns})")
        cursor.execute("CREATE INDEX ON bench_import (account_id)")
        cursor.execute("CREATE UNIQUE INDEX ON bench_import (contract)")
        with path.open() as file:
            cursor.copy_expert(f"COPY bench_import ({', '.join(HEADER)}) FROM STDIN WITH (FORMAT csv, HEADER)", file)
        cursor.execute("DROP TABLE bench_import")


def import_file(path: Path) -> tuple[float, float, float]:
    """Wall seconds of the command as a whole process, and the peak memory in MB of it and of its database session."""
    command = [sys.executable, "manage.py", "import_csv", str(path), "--mapping", str(MAPPING), "--json"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, PeakOfSessions() as sessions:
        assert process.stdout is not None
        answer = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    assert process.returncode == 0, "the import failed"
    summary = json.loads(answer.strip().splitlines()[-1])
    assert not summary["refused_count"], f"the benchmark's own file was refused: {answer[:500]}"
    return wall, usage.ru_maxrss / 1024, sessions.peak_mb


class PeakOfSessions:
    """The most memory of its own, without the shared buffers, that another session of this database has had.

    0 where the server's processes cannot be seen: on another machine, or not on Linux.
    """

    def __enter__(self) -> Self:
        self.peak_mb = 0.0
        self.is_over = threading.Event()
        self.watch = threading.Thread(target=self._watch)
        self.watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.is_over.set()
        self.watch.join()

    def _watch(self) -> None:
        with connection.cursor() as cursor:  # a thread has a connection of its own
            while not self.is_over.wait(0.1):
                cursor.execute(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                for (process_id,) in cursor.fetchall():
                    self.peak_mb = max(self.peak_mb, _own_memory_mb(process_id))
        connection.close()


def _own_memory_mb(process_id: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    return 0.0


def measure(count: int) -> list[Figure]:
    """An import of so many contracts as a company's first, and into the book; of a million too, into a copy of the
    book, where it has as many."""
    settle()
    with scratch_database("perennial_bench_first"):
        empty = connection.settings_dict["NAME"]
        found = _measure(count, "the first", template=empty, turns=5)
    found += _measure(count, "into the book")
    if Renewal.objects.count() >= MILLION:
        found += _measure(MILLION, "into the book", template=connection.settings_dict["NAME"])
    return found


def _measure(count: int, where: str, *, template: str = "", turns: int = 1) -> list[Figure]:
    """Each turn in a copy of the database `template`, or in the book itself: what is in it stays there."""
    floors, imports = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contracts.csv"
        write_contracts(path, count)
        for _ in range(turns):
            with scratch_database("perennial_bench_import", template=template) if template else nullcontext():
                floors += [seconds(lambda: copy_into_indexed_table(path)) for _ in range(3)]
                imports.append(import_file(path))
                floors += [seconds(lambda: copy_into_indexed_table(path)) for _ in range(2)]
    wall, command_mb, session_mb = (median(values) for values in zip(*imports, strict=True))
    what, name = "COPY into an indexed table", f"import of {count:,} contracts, {where}"
    return [
        against(name, wall, median(floors), unit="s", what=what, bar=12),
        Figure(f"{name}: peak memory of the command", command_mb, "MB", bar=MEMORY_BAR_MB),
        Figure(f"{name}: peak memory of its session", session_mb, "MB", bar=MEMORY_BAR_MB),
    ]
