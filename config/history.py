"""History: database triggers keep the row as it was before every update and delete, raw SQL included.

Statement-level triggers, so that a bulk edit of 10,000 rows costs one insert. What a row was at a moment is its first
event after that moment, or the row itself where there is none; inserts therefore need no event.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pghistory
from django.db.models import Model

M = TypeVar("M", bound=type[Model])


def track_history(*, exclude: tuple[str, ...] = ("updated_at",)) -> Callable[[M], M]:
    """Class decorator: keep every earlier state of the model's rows, less the excluded columns."""
    return pghistory.track(  # type: ignore[no-any-return]
        pghistory.UpdateEvent("before_update", row=pghistory.Old, level=pghistory.Statement),
        pghistory.DeleteEvent("before_delete", row=pghistory.Old, level=pghistory.Statement),
        exclude=list(exclude),
    )


@contextmanager
def recorded_as(*, user_id: int | None, how: str, **details: object) -> Iterator[None]:
    """Everything written inside is recorded as done by this user in this way (cell, bulk, import, rule, job)."""
    with pghistory.context(user=user_id, how=how, **details):
        yield
