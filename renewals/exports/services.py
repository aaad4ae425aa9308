"""Writes: take rows away as a file, at once or by a worker, and let go of files that were kept."""

from __future__ import annotations

import datetime as dt
import logging
import tempfile
from pathlib import Path

from django.db import transaction
from django.http import QueryDict
from django.utils import timezone

from accounts.models import Company, User, get_company
from renewals.exports.columns import Column, file_columns
from renewals.exports.files import XLSX_MOST_ROWS, OnRows, TooManyRows, file_name_of, write_csv, write_xlsx
from renewals.exports.parts import keep_parts
from renewals.exports.rows import count_rows, read_rows
from renewals.jobs import EXPORT_LOCK, MOST_ATTEMPTS, only_one, progress_of, send
from renewals.models import Export, FilePart
from renewals.table.columns import COLUMNS
from renewals.table.filter_kinds import Reader
from renewals.table.filters import Query, read_query

log = logging.getLogger(__name__)
State, Format = Export.State, Export.Format

TASK = "renewals.exports.process"
AT_ONCE = 20_000  # rows that are written while the person waits; more go to a worker
KEPT_FOR = dt.timedelta(hours=24)
COME_BACK = (
    "Change cells, save, and bring the file back under Export, “Bring an edited file back”. "
    "Leave the columns id and _state as they are."
)


def request_export(*, query_string: str, format: str, user: User) -> Export:
    """Ask for what the table shows at this address. Raises TooManyRows; then nothing is kept."""
    company = get_company()
    query = _read(query_string, user, company)
    count = count_rows(query, user)
    if format == Format.XLSX and count > XLSX_MOST_ROWS:
        raise TooManyRows(count)
    return Export.objects.create(
        format=format,
        requested_by=user,
        query=query_string,
        filters=_in_words(query),
        columns=list(query.columns),
        expected_count=count,
    )


def is_small(export: Export) -> bool:
    return export.expected_count <= AT_ONCE


def write_now(*, export: Export, path: Path) -> None:
    """Write the file of a small export where the caller hands it over; it is recorded, and not kept."""
    count, made_on = _write(export, path, lambda count: None)
    _finish(export, count, made_on, byte_count=path.stat().st_size, kept_until=None)


def send_export(export: Export) -> None:
    transaction.on_commit(lambda: send(TASK, export.pk))


def process_export(export_id: int) -> None:
    """Write the file and keep it. Harmless when called twice, or again after a kill: there is a whole file or none."""
    with only_one(EXPORT_LOCK, export_id) as is_mine:
        export = Export.objects.select_related("requested_by").filter(pk=export_id).first() if is_mine else None
        if export is None or not export.is_working:
            return
        export.attempt_count += 1
        export.save(update_fields=["attempt_count"])
        if export.attempt_count > MOST_ATTEMPTS:
            _fail(
                export, f"The work stopped {MOST_ATTEMPTS} times before its end. Filter the table and try fewer rows."
            )
        elif not export.requested_by.is_active:
            _fail(export, "The person who asked for it does not sign in any more.")
        else:
            _keep(export)


def _keep(export: Export) -> None:
    table = Export._meta.db_table
    with (
        tempfile.TemporaryDirectory(prefix="perennial-") as folder,
        progress_of(table, "row_count", export.pk) as progress,
    ):
        path = Path(folder) / "export"
        try:
            count, made_on = _write(export, path, progress.show)
        except TooManyRows as error:
            _fail(export, str(error))
            return
        with transaction.atomic():
            byte_count = keep_parts(path, export=export)
            _finish(export, count, made_on, byte_count=byte_count, kept_until=timezone.now() + KEPT_FOR)


def _write(export: Export, path: Path, on_rows: OnRows) -> tuple[int, dt.date]:
    company, user = get_company(), export.requested_by
    query = _read(export.query, user, company)
    columns: list[Column] = file_columns(query.columns)
    blocks = read_rows(query, user, columns)
    today = company.today()
    if export.format == Format.CSV:
        return write_csv(path, columns, blocks, on_rows), today
    about = [
        ("Filters", _in_words(query) or "None: all rows that you may see"),
        ("Sorted by", _order_in_words(query.sort)),
        ("As of", f"{today:%d %b %Y}"),
        ("Exported at", f"{timezone.now():%Y-%m-%d %H:%M} UTC"),
        ("By", str(user)),
        ("To change them", COME_BACK),
    ]
    return write_xlsx(path, columns, blocks, on_rows, about=about), today


def _finish(export: Export, count: int, made_on: dt.date, *, byte_count: int, kept_until: dt.datetime | None) -> None:
    export.state, export.row_count, export.byte_count, export.kept_until = State.DONE, count, byte_count, kept_until
    export.file_name = file_name_of(count, made_on, export.format)
    export.finished_at = timezone.now()
    export.save()


def _fail(export: Export, message: str) -> None:
    export.state, export.message, export.finished_at = State.FAILED, message, timezone.now()
    export.save(update_fields=["state", "message", "finished_at"])


def _read(query_string: str, user: User, company: Company) -> Query:
    """The address as the table reads it."""
    params = QueryDict(query_string)
    reader = Reader(user, company.today(), company.fiscal_year_start_month)
    return read_query(params, reader)


def _in_words(query: Query) -> str:
    return "; ".join(f"{condition.label}: {condition.text}" for condition in query.conditions)


def _order_in_words(sort: str) -> str:
    label = COLUMNS[sort.removeprefix("-")].verbose_name
    return f"{label}, last first" if sort.startswith("-") else str(label)


def forget_old_files(*, now: dt.datetime) -> int:
    """Let go of files past their day; the record of who took what stays. How many parts."""
    return FilePart.objects.filter(export__kept_until__lt=now).delete()[0]
