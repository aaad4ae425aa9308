"""An import of contracts from CSV against COPY of the same file into an indexed table."""

import csv
import datetime as dt
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from django.db import connection

from bench.figures import Figure, against, seconds

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


def measure(count: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contracts.csv"
        write_contracts(path, count)
        floor = sorted(seconds(lambda: copy_into_indexed_table(path)) for _ in range(5))[2]
        command = [sys.executable, "manage.py", "import_csv", str(path), "--mapping", str(MAPPING), "--json"]
        done: list[subprocess.CompletedProcess[str]] = []
        wall = seconds(lambda: done.append(subprocess.run(command, check=True, capture_output=True, text=True)))
    answer = json.loads(done[0].stdout.strip().splitlines()[-1])
    assert not answer.get("refused_count"), f"the benchmark's own file was refused: {done[0].stdout[:500]}"
    return [against(f"import of {count:,} contracts", wall, floor, unit="s", what="COPY into an indexed table", bar=12)]
