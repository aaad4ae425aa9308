"""A bulk edit of 10,000 rows and its undo against one UPDATE of the same cells; an export of 100,000 rows against a
server-side cursor and a csv writer."""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import django
import psycopg2

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if __name__ == "__main__":
    django.setup()

from django.db import connection
from django.http import QueryDict

from accounts.models import User, get_company
from bench.figures import Figure, against, seconds
from renewals.bulk.changes import read_changes
from renewals.bulk.selection import Selection
from renewals.bulk.services import confirm_edit, plan_edit, process_edit
from renewals.exports.columns import file_columns
from renewals.exports.rows import ordering
from renewals.exports.services import process_export, request_export
from renewals.history.undo import undo_batch
from renewals.models import BulkEdit, Export, Renewal
from renewals.table.columns import DEFAULT_COLUMNS
from renewals.table.filter_kinds import Reader
from renewals.table.filters import read_query

EDITED, EXPORTED = 10_000, 100_000
BAR, EXPORT_BAR, MEMORY_BAR_MB = 6, 3, 40
TIMES = 3


def admin() -> User:
    found = User.objects.filter(role=User.Role.ADMIN).first()
    assert found is not None
    return found


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def update_cells(url: str, ids: list[int], confidence: int) -> float:
    """The floor: one statement that writes two cells of every row, with the history that no write avoids."""
    link = psycopg2.connect(url)

    def update() -> None:
        with link.cursor() as cursor:
            cursor.execute(
                "UPDATE renewals_renewal SET confidence = %s, forecast_amount = round(forecast_amount * 1.01, 2)"
                " WHERE id = ANY(%s)",
                [confidence, ids],
            )
        link.commit()

    taken = seconds(update)
    link.close()
    return taken


def edit_once(ids: list[int], confidence: int) -> tuple[BulkEdit, float, float]:
    """Seconds of the dry run and of the edit itself, as the person and the worker ask for them."""
    asked = {"confidence_action": "set", "confidence_value": str(confidence)}
    asked |= {"forecast_amount_action": "scale", "forecast_amount_percent": "1"}
    made: list[BulkEdit] = []

    def plan() -> None:
        made.append(plan_edit(selection=Selection(ids=tuple(ids)), changes=read_changes(asked), user=admin()))

    planning = seconds(plan)
    edit = made[0]
    assert edit.ready_count == len(ids), (edit.state, edit.message, edit.ready_count)

    def apply() -> None:
        confirm_edit(edit=edit)
        process_edit(edit.pk)

    applying = seconds(apply)
    edit.refresh_from_db()
    assert edit.written_count == len(ids), (edit.state, edit.message, edit.written_count)
    return edit, planning, applying


def undo_once(edit: BulkEdit) -> float:
    batch_id = edit.batch_id
    assert batch_id is not None
    return seconds(lambda: undo_batch(batch_id=batch_id, user=admin(), as_of=get_company().today()))


def edits(count: int, url: str) -> list[Figure]:
    rows = Renewal.objects.exclude(forecast_amount=None).order_by("?").values_list("pk", flat=True)
    ids = sorted(rows[:EDITED])
    floors, plans, edits, undos = [], [], [], []
    for turn in range(TIMES):
        floors.append(update_cells(url, ids, 31 + turn))
        edit, planning, applying = edit_once(ids, 61 + turn)
        plans.append(planning)
        edits.append(applying)
        undos.append(undo_once(edit))
    floor, what = median(floors), "one UPDATE of the same cells"
    name = f"of {len(ids):,} rows at {count:,}"
    return [
        against(f"bulk edit {name}", median(edits), floor, unit="s", what=what, bar=BAR),
        against(f"bulk edit {name}, dry run too", median(edits) + median(plans), floor, unit="s", what=what, bar=BAR),
        against(f"undo of a bulk edit {name}", median(undos), floor, unit="s", what=what, bar=BAR),
    ]


def copy_rows(url: str, path: Path, count: int) -> None:
    """The floor: the same columns and order through a server-side cursor to a csv writer."""
    reader = Reader(admin(), get_company().today())
    query = read_query(QueryDict("outcome=all"), reader)
    columns = [column.accessor for column in file_columns(DEFAULT_COLUMNS)]
    rows = query.apply(Renewal.objects.all()).order_by(*ordering(query)).values_list(*columns)
    sql, params = rows[:count].query.sql_with_params()
    link = psycopg2.connect(url)
    with link.cursor("rows") as cursor, path.open("w", newline="") as file:
        cursor.itersize = 2000
        cursor.execute(sql, params)
        csv.writer(file).writerows(cursor)
    link.close()


def due_first(count: int) -> str:
    """The address of the first `count` rows by due date, more or less."""
    dates = Renewal.objects.order_by("due_on").values_list("due_on", flat=True)
    last = dates[min(count, dates.count()) - 1]
    return f"outcome=all&due_to={last}"


def peak_mb(query_string: str, format: str) -> tuple[float, int]:
    """Peak memory of a process of its own that writes this export, above what it needs to start; and its rows."""
    export = request_export(query_string=query_string, format=format, user=admin())
    command = [sys.executable, "-m", "bench.bulk", str(export.pk)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    export.refresh_from_db()
    assert export.state == Export.State.DONE, export.message
    return float(done.stdout.strip().splitlines()[-1]), export.row_count


def exports(count: int, url: str) -> list[Figure]:
    floors, whole = [], []
    address = due_first(EXPORTED)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(TIMES):
            export = request_export(query_string=address, format="csv", user=admin())
            floors.append(seconds(lambda rows=export.expected_count: copy_rows(url, Path(folder) / "floor.csv", rows)))
            whole.append(seconds(lambda pk=export.pk: process_export(pk)))
            export.refresh_from_db()
            assert export.row_count == export.expected_count, export.message
    name = f"export of {export.row_count:,} rows at {count:,}"
    what = "server-side cursor and csv writer"
    small, _ = peak_mb(due_first(EXPORTED // 10), "csv")
    large, _ = peak_mb(address, "csv")
    sheet = seconds(lambda: peak_mb(address, "xlsx"))
    return [
        against(f"{name}, CSV", median(whole), median(floors), unit="s", what=what, bar=EXPORT_BAR),
        Figure(f"{name}: more memory than for a tenth", large - small, "MB", bar=MEMORY_BAR_MB),
        Figure(f"{name}, XLSX", sheet, "s"),
    ]


def measure(count: int, url: str) -> list[Figure]:
    connection.close()
    return edits(count, url) + exports(count, url)


def peak() -> float:
    """MB. From the kernel's own line: what getrusage says begins with the peak of the process that started this one."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """In a process of its own: write one export and print the peak of memory above the start's, in MB."""
    started = peak()
    process_export(int(sys.argv[1]))
    print(peak() - started)


if __name__ == "__main__":
    main()
