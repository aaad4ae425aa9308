"""The page of the workload: hours of open tasks by person and week."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from accounts.models import User, get_company, people_visible_to
from engagement.tasks.workload import workload

WEEKS_SHOWN = 8


@dataclass(frozen=True)
class PersonRow:
    person: User
    hours: list[float]
    total: float


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The people whose tasks a user sees, those with the most to do first."""
    user, today = signed_in(request), get_company().today()
    people = people_visible_to(user).filter(is_active=True)
    by_id = people.in_bulk()
    first = today - dt.timedelta(days=today.weekday())
    mondays = [first + dt.timedelta(weeks=place) for place in range(WEEKS_SHOWN)]
    minutes: defaultdict[int, dict[dt.date, int]] = defaultdict(dict)
    for week in workload(list(by_id), today, mondays[-1] + dt.timedelta(days=6)):
        minutes[week.owner_id][week.monday] = week.minutes
    rows = [_row(by_id[pk], of_weeks, mondays) for pk, of_weeks in minutes.items()]
    rows.sort(key=lambda row: (-row.total, row.person.name, row.person.pk))
    totals = [sum(row.hours[place] for row in rows) for place in range(WEEKS_SHOWN)]
    return render(request, "tasks/workload.html", {"rows": rows, "mondays": mondays, "totals": totals, "as_of": today})


def _row(person: User, minutes: dict[dt.date, int], mondays: list[dt.date]) -> PersonRow:
    hours = [minutes.get(monday, 0) / 60 for monday in mondays]
    return PersonRow(person, hours, sum(hours))
