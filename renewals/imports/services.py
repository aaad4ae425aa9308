"""Writes: receive a file, choose its mapping, check it, import it, cancel it. Each is one step that may be taken
twice."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from accounts.models import AttributeDefinition, User, get_company
from accounts.signals_refresh import refresh_signals
from config.history import recorded_as
from renewals.history.batches import keep_import
from renewals.imports import findings
from renewals.imports.dates import read_date, read_format
from renewals.imports.fields import OF_KNOWN_ACCOUNTS
from renewals.imports.files import keep_file, kept_file, spooled
from renewals.imports.keys import MappingError
from renewals.imports.lookups import Lookups
from renewals.imports.mapping import Mapping, parse_mapping
from renewals.imports.reader import FileRejected, Reading, open_table
from renewals.imports.run import Run
from renewals.imports.staging import Cancelled, Tally, apply_new_names, stage_rows
from renewals.imports.work import Outcome, check_attributes, take_turns, work_through
from renewals.models import ImportBatch, ImportPart
from renewals.scoring import scoring

log = logging.getLogger(__name__)
State = ImportBatch.State

BATCH_LOCK = 7_215_002  # the first half of the lock that says: a process works on this batch
MOST_ATTEMPTS = 3
KEPT_FOR = dt.timedelta(days=30)
SAMPLE_ROWS = 6


class ImportRejected(ValueError):
    """The import is not in a state for this, or was asked to be all or nothing and something was refused."""


def receive_file(*, file_name: str, chunks: Iterable[bytes], user: User | None) -> ImportBatch:
    """Keeps a file that can be read. Raises FileRejected, and then nothing is kept."""
    with spooled(chunks) as (path, digest):
        seen = _look_into(path, Reading())
        with transaction.atomic():
            batch = ImportBatch.objects.create(
                file_name=Path(file_name).name[-255:], content_hash=digest, requested_by=user, **seen
            )
            keep_file(batch=batch, path=path)
    return batch


def _look_into(path: Path, reading: Reading) -> dict[str, Any]:
    """What a batch keeps of its file: the headings, the first rows below them, and where they are."""
    with open_table(path, reading=reading) as table:
        rows = [[cell[:80] for cell in cells] for _, cells in islice(table.rows(), SAMPLE_ROWS)]
        where: dict[str, Any] = {"header_row": table.header_row}
        if table.sheets:
            where |= {"sheet": table.sheet, "sheets": table.sheets}
        return {"header": [name[:200] for name in table.header], "sample": rows, "reading": where}


def read_again(*, batch: ImportBatch, sheet: str, header_row: int) -> None:
    """Looks for the headings in this row of this sheet (of a workbook). Raises FileRejected; ImportRejected where a
    mapping is chosen already."""
    with kept_file(batch) as path:
        seen = _look_into(path, Reading(sheet=sheet, header_row=header_row))
    _move(batch, [State.UPLOADED], State.UPLOADED, **seen)


def _where_rows_are(batch: ImportBatch) -> dict[str, Any]:
    """As the table `file` of a mapping says it."""
    return {key: batch.reading[key] for key in ("header_row", "sheet") if key in batch.reading}


def choose_mapping(*, batch: ImportBatch, mapping: dict[str, Any], name: str) -> None:
    """Sets the mapping and asks for a check. The headings are where the page showed them. Raises MappingError;
    ImportRejected where the batch is past that."""
    parse_mapping(mapping, name)
    mapping = {**mapping, "file": {**mapping.get("file", {}), **_where_rows_are(batch)}}
    _move(
        batch,
        [State.UPLOADED, State.CHECKED, State.FAILED],
        State.CHECKING,
        mapping=mapping,
        mapping_name=name[:120],
        message="",
        done_count=0,
        attempt_count=0,
        started_at=None,
        finished_at=None,
    )
    _dispatch(batch)


def confirm_import(*, batch: ImportBatch, is_all_or_nothing: bool) -> None:
    """Asks for the import of a checked batch."""
    _move(
        batch,
        [State.CHECKED],
        State.IMPORTING,
        is_all_or_nothing=is_all_or_nothing,
        message="",
        done_count=0,
        attempt_count=0,
    )
    _dispatch(batch)


def import_now(
    *, batch: ImportBatch, mapping: dict[str, Any], name: str, is_check: bool, is_all_or_nothing: bool
) -> None:
    """Checks or imports in this process, for a command line. The batch says how it went. Raises MappingError."""
    parse_mapping(mapping, name)
    mapping = {**mapping, "file": {**_where_rows_are(batch), **mapping.get("file", {})}}
    _move(
        batch,
        [State.UPLOADED],
        State.CHECKING if is_check else State.IMPORTING,
        mapping=mapping,
        mapping_name=name[:120],
        is_all_or_nothing=is_all_or_nothing,
    )
    process_batch(batch.pk)
    batch.refresh_from_db()


def cancel_import(*, batch: ImportBatch) -> None:
    """Ends a batch before its rows are in the book. One that is being written is taken back as a whole."""
    _move(
        batch,
        [State.UPLOADED, State.CHECKING, State.CHECKED, State.IMPORTING],
        State.CANCELLED,
        finished_at=timezone.now(),
    )
    ImportPart.objects.filter(batch=batch).delete()


def _move(batch: ImportBatch, before: list[State], after: State, **values: Any) -> None:
    """Changes the state where it still is what it was taken for; two people, or two clicks, never both get through."""
    moved = ImportBatch.objects.filter(pk=batch.pk, state__in=before).update(state=after, **values)
    if not moved:
        batch.refresh_from_db()
        raise ImportRejected(f"This import is {batch.get_state_display().lower()} already.")
    batch.refresh_from_db()


def _dispatch(batch: ImportBatch) -> None:
    from renewals.imports.tasks import send_import

    transaction.on_commit(lambda: send_import(batch.pk))


def process_batch(batch_id: int) -> None:
    """Does what the batch waits for: its check or its import. Harmless when called twice, or again after a kill."""
    with _only_one(batch_id) as is_mine:
        batch = ImportBatch.objects.filter(pk=batch_id).first() if is_mine else None
        if batch is None or not batch.is_working:
            return
        batch.attempt_count += 1
        batch.started_at = timezone.now()
        batch.save(update_fields=["attempt_count", "started_at"])
        if batch.attempt_count > MOST_ATTEMPTS:
            _fail(
                batch,
                f"The work stopped {MOST_ATTEMPTS} times before its end. Split the file, or ask your administrator.",
            )
            return
        try:
            _stage_and_work(batch)
        except Cancelled:
            log.info("Import %s was cancelled while it was worked on.", batch_id)
        except (FileRejected, MappingError, ImportRejected) as error:
            _fail(batch, str(error))
        except (IntegrityError, DataError, ProgrammingError) as error:
            log.exception("Import %s was refused by the database.", batch_id)
            _fail(batch, f"The database refused the import as a whole: {str(error).splitlines()[0]}")


@contextmanager
def _only_one(batch_id: int) -> Iterator[bool]:
    """A lock of the session: it goes with the connection, so a killed process never holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [BATCH_LOCK, batch_id])
        (is_mine,) = cursor.fetchone()
    try:
        yield is_mine
    finally:
        if is_mine and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [BATCH_LOCK, batch_id])


def _fail(batch: ImportBatch, message: str) -> None:
    ImportBatch.objects.filter(pk=batch.pk, state__in=[State.CHECKING, State.IMPORTING]).update(
        state=State.FAILED, message=message, finished_at=timezone.now()
    )


def _stage_and_work(batch: ImportBatch) -> None:
    mapping = parse_mapping(batch.mapping, batch.mapping_name)
    user = batch.requested_by
    is_admin = user is None or user.is_admin
    is_applied = batch.state == State.IMPORTING
    check_attributes(mapping, may_create=is_admin)
    lookups = Lookups(may_create=is_admin, is_applied=is_applied)
    with connection.cursor() as cursor:
        cursor.execute(findings.CREATE)
        with kept_file(batch) as path, open_table(path, mapping) as table:
            tally = stage_rows(cursor, mapping, table, lookups, on_progress=_progress_of(batch))
        run = Run(
            cursor=cursor,
            mapping=mapping,
            as_of=(as_of := get_company().today()),
            file_on=day_of_file(mapping, batch.file_name, as_of),
            user=user,
            is_applied=is_applied,
        )
        author = recorded_as(user_id=user.pk if user else None, how="import", batch=batch.pk)
        with author as step_id, transaction.atomic():
            if is_applied:
                take_turns(cursor)
                apply_new_names(cursor, lookups)
            outcome = work_through(run)
            refused = tally.refused + outcome.refused
            if is_applied and batch.is_all_or_nothing and refused:
                raise ImportRejected(
                    f"{refused:,} rows are refused, and you asked for all or nothing: nothing was imported."
                )
            is_step = is_applied and outcome.has_changes
            _finish(batch, tally, outcome, is_applied=is_applied, step_id=step_id if is_step else None)
            if is_step:
                name = batch.file_name
                keep_import(
                    batch_id=step_id,
                    user=user,
                    file_name=name,
                    row_count=outcome.imported,
                    first_ids=run.first_ids,
                    made_names=lookups.made_by_table() | {AttributeDefinition._meta.db_table: run.made_definitions},
                )
    if is_step and mapping.rows in OF_KNOWN_ACCOUNTS:
        refresh_signals(as_of=as_of)


def _progress_of(batch: ImportBatch) -> Callable[[int], None]:
    def show(read: int) -> None:
        if not ImportBatch.objects.filter(pk=batch.pk, state=batch.state).update(done_count=read, row_count=read):
            raise Cancelled

    return show


def _finish(batch: ImportBatch, tally: Tally, outcome: Outcome, *, is_applied: bool, step_id: uuid.UUID | None) -> None:
    """Findings, counts and the new state, in the transaction of the rows themselves."""
    findings.keep_findings(batch.pk)
    finished = ImportBatch.objects.filter(pk=batch.pk, state=batch.state).update(
        state=State.DONE if is_applied else State.CHECKED,
        message="",
        done_count=tally.read,
        row_count=tally.read,
        imported_count=outcome.imported,
        refused_count=tally.refused + outcome.refused,
        repeated_count=outcome.repeated,
        warning_count=batch.findings.filter(severity="warning").count(),
        left_out={reason: count for reason, count in tally.left_out.items() if count},
        result=outcome.counts,
        preview=outcome.preview,
        finished_at=timezone.now() if is_applied else None,
        step_id=step_id,
    )
    if not finished:
        raise Cancelled
    if is_applied and outcome.has_changes:
        scoring().request_run(reason="import", user=batch.requested_by)


def day_of_file(mapping: Mapping, file_name: str, as_of: dt.date) -> dt.date:
    """The day that a file speaks of: named by the mapping, read from the file's name, or today."""
    if mapping.file_on:
        return mapping.file_on
    if not mapping.file_on_in_name:
        return as_of
    try:
        form = read_format(mapping.file_on_in_name)
    except ValueError as error:
        raise MappingError(f"file.file_on_in_name: {error}") from None
    for start in range(len(file_name)):
        for end in range(len(file_name), start, -1):
            found = read_date(file_name[start:end], [form])
            if found:
                return found[0]
    raise FileRejected(
        f"The mapping reads the day of the file from its name, as {mapping.file_on_in_name}, and “{file_name}” "
        f"has none."
    )


def forget_old_files(*, now: dt.datetime) -> int:
    """Clears away files of imports that ended, or were left lying, a month ago. How many parts."""
    old = ImportBatch.objects.filter(requested_at__lt=now - KEPT_FOR).exclude(
        state__in=[State.CHECKING, State.IMPORTING]
    )
    return ImportPart.objects.filter(batch__in=old).delete()[0]
