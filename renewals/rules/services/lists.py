"""Rows of the lists that people choose from."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Max, Model

from accounts.models import User
from renewals.models import Stage
from renewals.rules.services.change import request_scores, rule_written

SINGULAR = {
    "accounts": "account",
    "renewals": "renewal",
    "risk factors": "risk factor",
    "timing policies": "timing policy",
    "versions of weights": "version of weights",
}


class StillInUse(Exception):
    """Something refers to this row; the message says what and how many."""


def counted(count: int, words: str) -> str:
    """A count with its words, which are given in the plural."""
    return f"{count:,} {SINGULAR[words] if count == 1 else words}"


def save_item(*, by: User, item: Model, is_scored: bool) -> int | None:
    """Save a row; the id of the recompute where the engine reads it."""
    with rule_written(by):
        if isinstance(item, Stage) and item._state.adding:
            list(Stage.objects.order_by("position").select_for_update().values_list("pk"))
            item.position = (Stage.objects.aggregate(last=Max("position"))["last"] or 0) + 1
        item.save()
        return request_scores(by) if is_scored else None


def delete_item(*, by: User, item: Model, uses: dict[str, int], is_scored: bool) -> int | None:
    """Delete a row that nothing refers to.

    Raises:
        StillInUse: something does, by `uses` (words -> count) or since they were counted.
    """
    if counts := {words: count for words, count in uses.items() if count}:
        named = " and ".join(counted(count, words) for words, count in counts.items())
        raise StillInUse(f"{item} is used by {named}; give these another one first.")
    name = str(item)
    try:
        with rule_written(by), transaction.atomic():
            item.delete()
            return request_scores(by) if is_scored else None
    except IntegrityError as error:  # ProtectedError is one of these
        raise StillInUse(f"{name} came into use just now; nothing was deleted.") from error


def move_stage(*, by: User, stage_id: int, steps: int) -> int | None:
    """Swap a stage with the one so many steps on (before it, where negative); None where there is none."""
    with rule_written(by):
        stages = list(Stage.objects.order_by("position").select_for_update())
        place = next(index for index, stage in enumerate(stages) if stage.pk == stage_id)
        other = place + steps
        if not 0 <= other < len(stages):
            return None
        here, there = stages[place], stages[other]
        free = stages[-1].position + 1  # positions are unique at every moment, so one of the two steps aside
        Stage.objects.filter(pk=here.pk).update(position=free)
        Stage.objects.filter(pk=there.pk).update(position=here.position)
        Stage.objects.filter(pk=here.pk).update(position=there.position)
        return request_scores(by)
