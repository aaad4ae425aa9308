"""How much work the open tasks are, by person and week: what capacity adds up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, DateField, F, Sum, Value
from django.db.models.functions import Coalesce, Greatest, Trunc

from engagement.models.tasks import Task


@dataclass(frozen=True)
class Week:
    """Open tasks of a person that fall into a week, which begins on `monday`."""

    owner_id: int
    monday: dt.date
    minutes: int
    task_count: int


def workload(
    user_ids: Collection[int], from_on: dt.date, to_on: dt.date, *, kinds: Collection[str] = tuple(Task.Kind.values)
) -> list[Week]:
    """Estimated minutes of open tasks by person and week, of `from_on` to `to_on`, both included. One statement.

    A task falls on its due date, or on the day until which it is put off. What should have been done before `from_on`
    is to be done now: it falls on `from_on`.
    """
    day = Greatest(
        Greatest(F("due_on"), Coalesce(F("snoozed_until"), F("due_on"))), Value(from_on), output_field=DateField()
    )
    found = (
        Task.objects.open()
        .filter(owner__in=user_ids, kind__in=kinds)
        .annotate(falls_on=day)
        .filter(falls_on__lte=to_on)
        .order_by()
        .values("owner", monday=Trunc("falls_on", "week", output_field=DateField()))
        .annotate(minutes=Sum("estimated_minutes"), task_count=Count("pk"))
        .order_by("owner", "monday")
    )
    return [Week(row["owner"], row["monday"], row["minutes"], row["task_count"]) for row in found]
