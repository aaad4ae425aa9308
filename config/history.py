"""History: database triggers keep the row as it was before every update and delete, raw SQL included.

Statement-level triggers, so that a bulk edit of 10,000 rows costs one insert. What a row was at a moment is its first
event after that moment, or the row itself where there is none; inserts therefore need no event. Events of one row are
in the order of their ids: whoever changes a row holds its lock while the event gets its id. Their times are the starts
of their transactions and may be out of order.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pghistory
from django.db import connection
from django.db.models import F, Index, Model, Q, UUIDField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

M = TypeVar("M", bound=type[Model])
# Stands for the missing batch of a change made outside the product, so that an order over batches has no blanks.
NO_BATCH = uuid.UUID(int=0)
FORGET = "SELECT set_config('pghistory.context_id', '', true), set_config('pghistory.context_metadata', '', true)"


def track_history(*, exclude: tuple[str, ...] = ("updated_at",), is_making_kept: bool = False) -> Callable[[M], M]:
    """Class decorator: keep every earlier state of the model's rows, less the excluded columns.

    `is_making_kept`: an event of its own for a new row, where nothing else tells who made it.
    """
    made = pghistory.InsertEvent("after_insert", row=pghistory.New, level=pghistory.Statement)

    def decorate(model: M) -> M:
        tracked: M = pghistory.track(
            *([made] if is_making_kept else []),
            pghistory.UpdateEvent("before_update", row=pghistory.Old, level=pghistory.Statement),
            pghistory.DeleteEvent("before_delete", row=pghistory.Old, level=pghistory.Statement),
            exclude=list(exclude),
            meta={"indexes": _indexes(model)},
        )(model)
        return tracked

    return decorate


def _indexes(model: type[Model]) -> list[Index]:
    """One per way in: a row's own history, the newest of all and of one person, a batch, an account's deleted rows."""
    name = str(model._meta.model_name)
    newest = (F("pgh_created_at"), Coalesce("pgh_context_id", Value(NO_BATCH, UUIDField())), F("pgh_id"))
    indexes = [
        Index(fields=["pgh_obj", "pgh_id"], name=f"{name}_ev_row"),
        Index(*newest, name=f"{name}_ev_newest"),
        Index(KeyTextTransform("user", "pgh_context"), *newest, name=f"{name}_ev_user"),
        Index(fields=["pgh_context_id"], name=f"{name}_ev_batch"),
    ]
    if any(field.name == "account" for field in model._meta.local_fields):
        deleted = Q(pgh_label="before_delete")
        indexes.append(Index(fields=["account"], name=f"{name}_ev_deleted", condition=deleted))
    return indexes


@contextmanager
def recorded_as(*, user_id: int | None, how: str, **details: object) -> Iterator[uuid.UUID]:
    """Everything written inside is recorded as done by this user in this way (a word of `ChangeBatch.How`).

    Yields the id of the batch that these changes are: each event carries it as `pgh_context_id`. Inside another
    `recorded_as` the outer one's word stands, so that a paste made of cell edits is one batch, and a paste.
    """
    with pghistory.context() as context:
        is_outermost = not context.metadata
        if is_outermost:
            context.metadata.update(user=user_id, how=how, **details)
        yield context.id
    if is_outermost and connection.in_atomic_block and not connection.needs_rollback:
        # The database would go on believing it until the transaction ends, and call it the doing of this user.
        with connection.cursor() as cursor:
            cursor.execute(FORGET)
