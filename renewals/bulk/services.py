"""Writes: ask for an edit of many rows, prepare it, confirm it, discard it. Each step may be taken twice."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from accounts.models import User, get_company
from accounts.moments import CompanyZone
from renewals.bulk.apply import apply_rows
from renewals.bulk.changes import Change, ChangesInvalid, changes_from, compile_changes
from renewals.bulk.edited_file import FileUnreadable, plan_file
from renewals.bulk.plan import plan_given_values, plan_selection
from renewals.bulk.selection import Selection, SelectionUnreadable
from renewals.exports.parts import keep_parts
from renewals.forms import Editing
from renewals.imports.files import spooled
from renewals.jobs import EDIT_LOCK, MOST_ATTEMPTS, only_one, progress_of, send
from renewals.models import BulkEdit, BulkEditRow, FilePart

log = logging.getLogger(__name__)
State, Kind = BulkEdit.State, BulkEdit.Kind

TASK = "renewals.bulk.process"
AT_ONCE = 500  # rows that are written while the person waits; more go to a worker
PLANNED_AT_ONCE = 20_000
READ_AT_ONCE = 2 * 1024 * 1024  # bytes of an edited file
KEPT_FOR = dt.timedelta(days=30)


class NotWaiting(ValueError):
    """The edit is not in a state for this; the text says in which one it is."""


def plan_edit(*, selection: Selection, changes: Sequence[Change], user: User) -> BulkEdit:
    """Ask for an edit of a selection. Small ones are prepared at once.

    Raises ChangesInvalid and SelectionUnreadable; then nothing is kept.
    """
    company = get_company()
    compiled = compile_changes(changes, Editing(user, company.today()))
    count = selection.matching(user, company)[: PLANNED_AT_ONCE + 1].count()
    with transaction.atomic():
        edit = BulkEdit.objects.create(
            kind=Kind.SELECTION,
            requested_by=user,
            request={"changes": [change.as_json() for change in changes], **selection.as_json()},
            description="; ".join(one.text for one in compiled)[:300],
            row_count=count,
        )
        _go_on(edit, is_small=count <= PLANNED_AT_ONCE)
    return edit


def plan_values(
    *, values: Sequence[Mapping[str, Any]], description: str, user: User, not_yours_count: int = 0
) -> BulkEdit:
    """Ask for an edit that gives each renewal values of its own. Small ones are prepared at once.

    Each of `values` has `renewal_id`, `given` and `seen_before`: texts by column (rules.COLUMNS) that it is to get, and
    that it had when these were thought of; a row that has others by now is skipped when the edit is applied.
    `not_yours_count` is how many more were meant that the user may not edit.
    """
    with transaction.atomic():
        edit = BulkEdit.objects.create(
            kind=Kind.SELECTION,
            requested_by=user,
            request={"values": list(values)},
            description=description[:300],
            row_count=len(values),
            not_yours_count=not_yours_count,
        )
        _go_on(edit, is_small=len(values) <= PLANNED_AT_ONCE)
    return edit


def receive_edited_file(*, file_name: str, chunks: Iterable[bytes], user: User) -> BulkEdit:
    """Keep an exported file that was edited, and prepare what it would change. Raises FileRejected."""
    with spooled(chunks) as (path, _), transaction.atomic():
        edit = BulkEdit.objects.create(kind=Kind.FILE, requested_by=user, file_name=Path(file_name).name[-255:])
        edit.description = f"Edited file {edit.file_name}"[:300]
        edit.save(update_fields=["description"])
        keep_parts(path, edit=edit)
        _go_on(edit, is_small=path.stat().st_size <= READ_AT_ONCE)
    return edit


def confirm_edit(*, edit: BulkEdit, row_ids: Sequence[int] | None = None) -> None:
    """Apply a planned edit: all rows that are ready, or only these of them. Raises NotWaiting."""
    with transaction.atomic():
        _move(edit, State.PLANNED, State.APPLYING, attempt_count=0, done_count=0)
        if row_ids is not None:
            BulkEditRow.objects.filter(edit=edit, verdict=BulkEditRow.Verdict.READY).exclude(pk__in=row_ids).update(
                is_chosen=False
            )
        count = edit.ready_count if row_ids is None else len(row_ids)
        _go_on(edit, is_small=count <= AT_ONCE)


def discard_edit(*, edit: BulkEdit) -> None:
    """Raises NotWaiting."""
    _move(edit, State.PLANNED, State.DISCARDED, finished_at=timezone.now())


def _move(edit: BulkEdit, before: str, after: str, **values: Any) -> None:
    """Two people, or two clicks, never both get through."""
    moved = BulkEdit.objects.filter(pk=edit.pk, state=before).update(state=after, **values)
    edit.refresh_from_db()
    if not moved:
        raise NotWaiting(f"This edit is {edit.get_state_display().lower()} already.")


def _go_on(edit: BulkEdit, *, is_small: bool) -> None:
    """Do what the edit waits for, at once or by a worker."""
    if is_small:
        _work(edit, on_progress=None)
    else:
        transaction.on_commit(lambda: send(TASK, edit.pk))


def process_edit(edit_id: int) -> None:
    """Do what the edit waits for. Harmless when called twice, or again after a kill: all of it is one transaction."""
    with only_one(EDIT_LOCK, edit_id) as is_mine:
        edit = BulkEdit.objects.select_related("requested_by").filter(pk=edit_id).first() if is_mine else None
        if edit is None or not edit.is_working:
            return
        edit.attempt_count += 1
        edit.save(update_fields=["attempt_count"])
        if edit.attempt_count > MOST_ATTEMPTS:
            _fail(edit, f"The work stopped {MOST_ATTEMPTS} times before its end. Edit fewer rows at once.")
            return
        table = BulkEdit._meta.db_table
        with timezone.override(CompanyZone()), progress_of(table, "done_count", edit_id) as progress:
            _work(edit, on_progress=progress.show)


def _work(edit: BulkEdit, *, on_progress: Any) -> None:
    as_of = get_company().today()
    try:
        with transaction.atomic():
            if edit.state == State.PLANNING:
                _plan(edit, as_of)
                edit.state = State.PLANNED
            else:
                apply_rows(edit, as_of=as_of, on_progress=on_progress)
                edit.state, edit.finished_at = State.DONE, timezone.now()
            edit.save()
    except (ChangesInvalid, SelectionUnreadable, FileUnreadable) as error:
        _fail(edit, str(error))
    except (IntegrityError, DataError) as error:
        log.exception("Bulk edit %s was refused by the database.", edit.pk)
        _fail(edit, f"The database refused the edit as a whole, and nothing was changed: {str(error).splitlines()[0]}")


def _plan(edit: BulkEdit, as_of: dt.date) -> None:
    company = get_company()
    if edit.kind == Kind.FILE:
        plan_file(edit, as_of=as_of)
        return
    if "values" in edit.request:
        plan_given_values(edit, as_of=as_of)
        return
    compiled = compile_changes(changes_from(edit.request["changes"]), Editing(edit.requested_by, as_of))
    plan_selection(edit, Selection.from_json(edit.request), compiled, company=company, as_of=as_of)


def _fail(edit: BulkEdit, message: str) -> None:
    edit.state, edit.message, edit.finished_at = State.FAILED, message, timezone.now()
    edit.save(update_fields=["state", "message", "finished_at"])


def forget_old_edits(*, now: dt.datetime) -> None:
    """Clear away the rows and files of edits that ended, or were left lying, a month ago. What they did is history."""
    old = BulkEdit.objects.filter(requested_at__lt=now - KEPT_FOR).exclude(state__in=[State.PLANNING, State.APPLYING])
    FilePart.objects.filter(edit__in=old).delete()
    BulkEditRow.objects.filter(edit__in=old).delete()
