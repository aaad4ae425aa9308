"""Recorded work of renewed renewals by month, segment, team and owner: one statement."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMonth

from accounts.models import User
from dashboards.learning_curve.engine import Counted, Month, months_of
from engagement.models import Task
from engagement.models.tasks import taken_minutes
from forecasting.scopes.lines import rows_of
from forecasting.scopes.scope import Scope
from renewals.models import Renewal


@dataclass(frozen=True)
class Done:
    """Renewals ordered in a month, with the tasks that were done for them and their minutes: those that were recorded
    (of `recorded` tasks), or what the others were estimated at."""

    month_on: dt.date
    segment_id: int | None
    team_id: int | None
    rep_id: int | None
    count: int
    minutes: int
    tasks: int
    recorded: int


def scoped(user: User, scope: Scope) -> Q:
    """The renewals of a scope that a user sees, from a task or a renewal."""
    return Q(pk__in=rows_of(user, scope).filter(is_excluded=False).order_by().values("pk"))


def read_done(user: User, scope: Scope, as_of: dt.date) -> list[Done]:
    """The oldest month first. A renewal counts in the month in which it was ordered, if work was recorded on it."""
    renewals = Renewal.objects.filter(scoped(user, scope), outcome=Renewal.Outcome.RENEWED, ordered_on__lte=as_of)
    found = (
        Task.objects.done()
        .filter(renewal__in=renewals.order_by().values("pk"))
        .order_by()
        .values(
            month_on=TruncMonth("renewal__ordered_on"),
            segment_id=F("renewal__account__segment_id"),
            team_id=F("renewal__owner__team_id"),
            rep_id=F("renewal__owner_id"),
        )
        .annotate(
            count=Count("renewal_id", distinct=True),
            minutes=Sum(taken_minutes()),
            tasks=Count("pk"),
            recorded=Count("spent_minutes"),
        )
        .order_by("month_on", "segment_id", "team_id", "rep_id")
    )
    return [Done(**row) for row in found]


def months_by(done: Iterable[Done], key: Callable[[Done], object]) -> dict[object, list[Month]]:
    """The months of each group, in their order."""
    groups: defaultdict[object, defaultdict[dt.date, list[Done]]] = defaultdict(lambda: defaultdict(list))
    for one in done:
        groups[key(one)][one.month_on].append(one)
    return {
        group: months_of([_counted(of_month) for _, of_month in sorted(by_month.items())])
        for group, by_month in groups.items()
    }


def _counted(done: Sequence[Done]) -> Counted:
    return Counted(
        sum(one.count for one in done),
        sum(one.minutes for one in done) / 60,
        sum(one.tasks for one in done),
        sum(one.recorded for one in done),
    )


def due_ahead(user: User, scope: Scope, as_of: dt.date, until: dt.date) -> int:
    """Open renewals that are due after today, until a day."""
    rows = Renewal.objects.filter(scoped(user, scope)).open().filter(due_on__gt=as_of, due_on__lte=until)
    return rows.count()
