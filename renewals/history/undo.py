"""Taking a step back as a whole: every cell that still is as the step left it; the others are kept and listed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import User
from accounts.touches.people import tell_of_champions
from accounts.touches.services import settle_last_touches
from config.history import recorded_as
from renewals.history import plan
from renewals.history.answers import Undone, counted, list_kept_cells, list_kept_rows
from renewals.history.batches import ids_in_ranges, note_created
from renewals.history.families import refuse_loops
from renewals.history.kinds import ACCOUNT, CONTACT, KINDS, NAMES, RENEWAL, TOUCH, UNDOABLE, Kind
from renewals.history.plan import Decision, Rights
from renewals.history.removal import bring_back, refusal_text, remove_made, write_in_halves
from renewals.models import ChangeBatch
from renewals.scoring import scoring

How = ChangeBatch.How
ROWS_AT_ONCE = 10_000  # bounds the memory of an undo, not its size
SCORED_AT_ONCE = 10_000  # a run scores what is beyond


class BatchGone(LookupError):
    """History has no such step, or nothing of it that this user may see."""


class NotYours(Exception):
    """The user may see rows of the step, and change none of them."""


def undo_batch(*, batch_id: uuid.UUID, user: User, as_of: dt.date, renewal_id: int | None = None) -> Undone:
    """Take a step back, in all of its rows or in one renewal, in one transaction. It is a step too: undone, a redo.

    Compared per field: a cell that is no longer as the step left it is kept and listed, and so are cells that this user
    may not write, values that are gone, and what the database's rules refuse. What the customer decided (outcome,
    dates, final amount, churn reason) is put back together or not at all. Rows that the step made are removed where
    nobody touched them since; rows that it removed come back.

    Raises:
        BatchGone: there is nothing of this step that the user may see.
        NotYours: the user may see rows of it, and change none.
    """
    batch = _find(batch_id)
    _check_rights(batch, user, renewal_id)
    how = How.REDO if batch.how == How.UNDO else How.UNDO
    answer = Undone(how=how)
    with transaction.atomic(), recorded_as(user_id=user.pk, how=how) as own_id:
        own = ChangeBatch(id=own_id, how=how, user=user, undoes=batch_id)
        if renewal_id is not None:
            _restore_cells(RENEWAL, batch, user, answer, only=renewal_id)
        else:
            for kind in (*NAMES, *UNDOABLE):
                _return_rows(kind, batch, own, user, answer)
                if kind in UNDOABLE:
                    _restore_cells(kind, batch, user, answer)
            for kind in reversed((*NAMES, *UNDOABLE)):
                _remove_rows(kind, batch, user, answer)
            _settle_accounts(own_id, answer, as_of)
        if answer.row_count:
            own.row_count, own.description = answer.row_count, _description(batch, answer)
            own.save(force_insert=True)
            answer.batch_id = own_id
            _score(answer, user, as_of)
    return answer


def _find(batch_id: uuid.UUID) -> ChangeBatch:
    """The step; of an edit without a row of its own, what its events say."""
    batch = ChangeBatch.objects.filter(pk=batch_id).first()
    if batch:
        return batch
    for kind in UNDOABLE:
        context = _events(kind, batch_id).values_list("pgh_context", flat=True).first()
        if context:
            return ChangeBatch(id=batch_id, how=context.get("how", ""), user_id=context.get("user"))
    raise BatchGone(f"History has no step {batch_id}.")


def _events(kind: Kind, batch_id: uuid.UUID) -> QuerySet[Any]:
    return kind.event_model._default_manager.filter(pgh_context_id=batch_id)


def _check_rights(batch: ChangeBatch, user: User, renewal_id: int | None) -> None:
    if user.is_admin and renewal_id is None:
        return
    is_seen = False
    for kind in UNDOABLE if renewal_id is None else (RENEWAL,):
        changed = _events(kind, batch.pk).values("pgh_obj_id")
        made = RawSQL(ids_in_ranges(), [batch.created_ids.get(kind.table, "{}")])  # noqa: S611  # a constant
        for ids in (changed, made):
            scope = {"pk__in": ids} if renewal_id is None else {"pk__in": ids, "pk": renewal_id}
            if kind.editable_by(user).filter(**scope).exists():
                return
            is_seen = is_seen or kind.visible_to(user).filter(**scope).exists()
    if is_seen:
        raise NotYours
    # Whoever removed rows may bring them back, though there is no row left to ask about.
    if renewal_id is not None or batch.user_id != user.pk:
        raise BatchGone(f"History has no step {batch.pk} that you may see.")


def _restore_cells(kind: Kind, batch: ChangeBatch, user: User, answer: Undone, *, only: int | None = None) -> None:
    ids = plan.touched_ids(kind, batch.pk, made=batch.created_ids.get(kind.table))
    if only is not None:
        ids = [pk for pk in ids if pk == only]
    for start in range(0, len(ids), ROWS_AT_ONCE):
        part = ids[start : start + ROWS_AT_ONCE]
        plan.lock_rows(kind, part)
        rights = Rights.of(user, kind, part)
        decisions = [plan.decide(kind, row, rights) for row in plan.read_touched(kind, batch.pk, part)]
        refused = _put_back(kind, decisions)
        restored = [one for one in decisions if one.restored]
        answer.cell_count += sum(len(one.restored) for one in restored)
        answer.labels += dict.fromkeys(kind.label(column) for one in restored for column in one.restored)
        if restored:
            answer.restored.setdefault(kind.code, []).extend(one.row.id for one in restored)
        list_kept_cells(answer, kind, decisions, refused, user)


def _put_back(kind: Kind, decisions: Iterable[Decision]) -> dict[int, str]:
    """Write the old values, one statement for all rows that get the same columns. Gives what was refused, by row."""
    by_columns: dict[tuple[str, ...], list[Decision]] = {}
    for decision in decisions:
        if decision.restored:
            by_columns.setdefault(decision.restored, []).append(decision)
    refused: dict[int, str] = {}
    for columns, group in by_columns.items():
        for decision, error in write_in_halves(partial(_update, kind, columns), group):
            refused[decision.row.id] = refusal_text(kind, error)
            decision.kept |= dict.fromkeys(decision.restored, plan.REFUSED)
            decision.restored = ()
    return refused


def _update(kind: Kind, columns: Sequence[str], part: Sequence[Decision]) -> None:
    """The old values go straight from the events into the rows, so that nothing is lost on a way through Python."""
    stamp = ", updated_at = now()" if kind.has("updated_at") else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {kind.table} r SET {', '.join(f'{column} = b.{column}' for column in columns)}{stamp} "
            f"FROM {kind.event_table} b WHERE b.pgh_id = ANY(%s) AND r.id = b.pgh_obj_id",
            [[one.row.first_event_id for one in part]],
        )
    if kind == ACCOUNT and "family_id" in columns:
        refuse_loops([one.row.id for one in part])


def _return_rows(kind: Kind, batch: ChangeBatch, own: ChangeBatch, user: User, answer: Undone) -> None:
    back = bring_back(kind, batch.pk, is_allowed=user.is_admin or batch.user_id == user.pk)
    if back.ids:
        note_created(own, kind, back.ids)
        answer.returned[kind.code] = back.ids
    list_kept_rows(answer, kind, back, user)


def _remove_rows(kind: Kind, batch: ChangeBatch, user: User, answer: Undone) -> None:
    gone = remove_made(kind, batch, lambda ids: Rights.of(user, kind, ids).rows)
    if gone.ids:
        answer.removed[kind.code] = gone.ids
    list_kept_rows(answer, kind, gone, user)


def _description(batch: ChangeBatch, answer: Undone) -> str:
    """Undo of Stage of 212 renewals → Proposal; for the edit of a cell, what was put back."""
    what = batch.description.removeprefix("Undo of ").removeprefix("Redo of ")
    if not what:
        rows = [counted(len(ids), KINDS[code].noun) for code, ids in answer.restored.items()]
        what = f"{' and '.join(dict.fromkeys(answer.labels))} of {' and '.join(rows)}"
    return f"{'Redo' if answer.how == How.REDO else 'Undo'} of {what}"[:300]


def _settle_accounts(own_id: uuid.UUID, answer: Undone, as_of: dt.date) -> None:
    """What accounts say of their touches and people, by those that are left: some of them may be of other steps."""
    touched = {*_accounts_of(TOUCH, own_id), *TOUCH.model._default_manager.filter(
        pk__in=answer.returned.get(TOUCH.code, [])).values_list("account_id", flat=True)}  # fmt: skip
    if touched:
        settle_last_touches(touched)
    people = _accounts_of(CONTACT, own_id)
    if people:
        tell_of_champions(people, on=as_of)


def _accounts_of(kind: Kind, batch_id: uuid.UUID) -> list[int]:
    return list(_events(kind, batch_id).values_list("account_id", flat=True).order_by().distinct())


def _score(answer: Undone, user: User, as_of: dt.date) -> None:
    """Score the renewals anew; what reaches further than that, by a run."""
    ids = answer.renewal_ids
    if ids and len(ids) <= SCORED_AT_ONCE:
        scoring().score_renewals(ids, as_of=as_of)
    others = set(answer.restored) | set(answer.returned) | set(answer.removed)
    # What goes or comes back is looked at by the rules of plans and flags, which follow runs.
    if len(ids) > SCORED_AT_ONCE or answer.removed or answer.returned or others - {RENEWAL.code}:
        scoring().request_run(reason="undo", user=user)
