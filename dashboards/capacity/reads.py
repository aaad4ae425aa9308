"""What there is to do and who is there to do it, by person and week: each kind of work by one statement."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np
from django.db.models import Count, DateField, F, Value
from django.db.models.functions import Greatest, Trunc

from accounts.models import Account, Segment, Team, User, owners_visible_to
from dashboards.capacity.engine import WORK_DAYS, Hours, Work, days_present, load_of, productive_hours
from dashboards.models import Absence, CapacityTerms, Holiday, PlannedCustomers, RenewalHours
from engagement.models import Task
from engagement.tasks.workload import workload
from renewals.models import Renewal, Stage

WEEKS: Final = 26
WEEK: Final = dt.timedelta(weeks=1)
STARTING_HOURS: Final = Decimal(16)
RENEWALS, PLANS, TASKS, ONBOARDING, SUPPORT = "Renewals", "Plans", "Tasks", "Onboarding", "Support"
KINDS: Final = (RENEWALS, PLANS, TASKS, ONBOARDING, SUPPORT)


@dataclass(frozen=True)
class WhatIf:
    """What is asked for instead of what is; the default asks for nothing."""

    people_count: int = 0
    utilisation_rate: Decimal | None = None
    renewal_hours: Decimal | None = None


@dataclass(frozen=True)
class Person:
    """Somebody with hours; `user_id` is None for somebody still to be hired, and for nobody."""

    name: str
    user_id: int | None = None
    team_id: int | None = None
    is_there: bool = True  # has hours; not so of what nobody does


@dataclass(frozen=True)
class Line:
    """Work that is alike: `count` x `hours` over `weeks` weeks, and for how many people it is shared out."""

    kind: str
    label: str
    count: int
    hours: Decimal
    weeks: int
    work: Work
    sharers: int = 1
    due_on: dt.date | None = None  # Monday of the week it is due in; of renewals past due the week before the first
    segment_id: int | None = None
    stage_id: int | None = None


@dataclass(frozen=True)
class Book:
    """Everything that capacity is said from. Persons are by index, weeks by their Mondays."""

    people: Sequence[Person]
    mondays: Sequence[dt.date]
    lines: Sequence[Line]
    days: Sequence[Sequence[int]]
    terms: CapacityTerms
    renewal_hours: Decimal  # of a renewal whose segment and stage have none of their own

    @cached_property
    def load(self) -> Hours:
        return load_of([line.work for line in self.lines], len(self.people), len(self.mondays))

    def load_by_kind(self, kind: str, people: Sequence[int]) -> Hours:
        works = [line.work for line in self.lines if line.kind == kind]
        found: Hours = load_of(works, len(self.people), len(self.mondays))[list(people)].sum(axis=0)
        return found

    @cached_property
    def capacity(self) -> Hours:
        days = np.array(self.days, dtype=np.float64).reshape(len(self.people), len(self.mondays))
        return days * float(self.full_week_hours) / WORK_DAYS

    @property
    def full_week_hours(self) -> Decimal:
        return productive_hours(1, self.terms.week_hours, self.terms.utilisation_rate, self.terms.overhead_rate)

    def index_of(self, user_id: int) -> int | None:
        return next((at for at, one in enumerate(self.people) if one.user_id == user_id), None)


def weeks_from(as_of: dt.date) -> list[dt.date]:
    """The Mondays of the horizon. The running week counts as a whole; on a weekend the next one is the first."""
    ahead = as_of + dt.timedelta(days=2 if as_of.weekday() >= WORK_DAYS else 0)
    first = ahead - dt.timedelta(days=ahead.weekday())
    return [first + WEEK * at for at in range(WEEKS)]


def read_terms() -> CapacityTerms:
    return CapacityTerms.objects.first() or CapacityTerms(pk=1)


def read_hours() -> dict[tuple[int | None, int | None], Decimal]:
    found = {(one.segment_id, one.stage_id): one.hours for one in RenewalHours.objects.all()}
    return {(None, None): STARTING_HOURS, **found}


def hours_by(table: dict[tuple[int | None, int | None], Decimal]) -> Callable[[int | None, int | None], Decimal]:
    """Of a segment and stage: their own, else the segment's, else the stage's, else those of all."""

    def hours(segment_id: int | None, stage_id: int | None) -> Decimal:
        keys = ((segment_id, stage_id), (segment_id, None), (None, stage_id), (None, None))
        return next(table[key] for key in keys if key in table)

    return hours


def read_book(user: User, as_of: dt.date, *, team: Team | None, owner: User | None, what_if: WhatIf) -> Book:
    """The work that a user sees of an owner, else of a team, else of everybody, and the hours of who does it."""
    mondays = weeks_from(as_of)
    terms, table = read_terms(), read_hours()
    if what_if.utilisation_rate is not None:
        terms.utilisation_rate = what_if.utilisation_rate
    if what_if.renewal_hours is not None:
        table = {(None, None): what_if.renewal_hours}
    reps = User.objects.filter(is_active=True, role=User.Role.REP)
    rep_count = reps.count() + what_if.people_count
    found = reps if user.sees_all else reps.filter(pk__in=owners_visible_to(user))
    if owner:
        found = User.objects.filter(pk=owner.pk, is_active=True).exclude(role=User.Role.VIEWER)
    elif team:
        found = found.filter(team=team)
    people = [Person(one.name, one.pk, one.team_id) for one in found.order_by("name", "pk")]
    team_ids = {one.team_id for one in people}
    joins = team.pk if team else next(iter(team_ids)) if len(team_ids) == 1 else None
    people += [Person(f"New person {at + 1}", None, joins) for at in range(what_if.people_count)]
    people.append(Person("Without a rep", is_there=False))
    at_by_id = {one.user_id: at for at, one in enumerate(people) if one.user_id is not None}
    lines = [
        *_renewal_lines(user, mondays, terms, hours_by(table), at_by_id, len(people) - 1, team, owner),
        *_task_lines(max(as_of, mondays[0]), mondays, at_by_id),
        *_support_lines(user, terms, at_by_id),
        *_customer_lines(mondays, terms, people, rep_count),
    ]
    if not any(line.work.person == len(people) - 1 for line in lines):
        people.pop()
    return Book(people, mondays, lines, _days(mondays, people), terms, table[(None, None)])


def _renewal_lines(
    user: User,
    mondays: Sequence[dt.date],
    terms: CapacityTerms,
    hours: Callable[[int | None, int | None], Decimal],
    at_by_id: dict[int, int],
    nobody: int,
    team: Team | None,
    owner: User | None,
) -> list[Line]:
    """Open renewals added up by owner, week, segment and stage. What is past due waits in the week before the first."""
    week = Trunc(
        Greatest(F("due_on"), Value(mondays[0] - WEEK), output_field=DateField()), "week", output_field=DateField()
    )
    rows = Renewal.objects.visible_to(user).open().filter(due_on__lt=mondays[-1] + WEEK * terms.work_weeks)
    if owner:
        rows = rows.filter(owner=owner)
    elif team:
        rows = rows.filter(owner__team=team)
    found = (
        rows.order_by()
        .values_list("owner_id", "stage_id", "account__segment_id", week)
        .annotate(count=Count("pk"))
        .order_by("owner_id", week, "account__segment_id", "stage_id")
    )
    segments = dict(Segment.objects.values_list("pk", "name"))
    stages = dict(Stage.objects.values_list("pk", "name"))
    # Of weeks, and of segments with stages, there are few; of lines there are thousands.
    weeks_of = {monday: _week_of(monday, mondays[0], terms) for monday in {row[3] for row in found}}
    kinds = {
        key: (hours(*key), f"{segments.get(key[0], 'No segment')}, {stages[key[1]]}")
        for key in {(row[2], row[1]) for row in found}
    }
    lines = []
    for owner_id, stage_id, segment_id, monday, count in found:
        when, first, last = weeks_of[monday]
        each, what = kinds[segment_id, stage_id]
        weeks = last - first + 1
        work = Work(at_by_id.get(owner_id, nobody), first, last, float(count * each / weeks))
        lines.append(Line(RENEWALS, f"{what}, {when}", count, each, weeks, work, 1, monday, segment_id, stage_id))
    return lines


def _week_of(monday: dt.date, first_monday: dt.date, terms: CapacityTerms) -> tuple[str, int, int]:
    """When what is due in a week is due, in words, and the first and the last week that its work falls on."""
    at = (monday - first_monday).days // 7
    if at < 0:
        return "past due", 0, terms.work_weeks - 1
    return f"due in the week of {monday:%d %b %Y}", max(0, at - terms.work_weeks + 1), at


def _task_lines(as_of: dt.date, mondays: Sequence[dt.date], at_by_id: dict[int, int]) -> list[Line]:
    """Steps of plans, and other open tasks, in the week that they fall on; each row is the tasks of a week."""
    ids = list(at_by_id)
    to_on = mondays[-1] + WEEK - dt.timedelta(days=1)
    lines = []
    for kind, kinds in ((PLANS, [Task.Kind.PLAN]), (TASKS, [Task.Kind.MANUAL, Task.Kind.ALERT])):
        for week in workload(ids, as_of, to_on, kinds=kinds):
            at = (week.monday - mondays[0]).days // 7
            hours = Decimal(week.minutes) / 60
            label = f"{week.task_count} {'steps of plans' if kind == PLANS else 'tasks'}, {week.minutes:,} minutes"
            lines.append(Line(kind, label, 1, hours, 1, Work(at_by_id[week.owner_id], at, at, float(hours))))
    return lines


def _support_lines(user: User, terms: CapacityTerms, at_by_id: dict[int, int]) -> list[Line]:
    """Every account of a person takes its support in every week."""
    if not terms.support_hours:
        return []
    ids = list(at_by_id)
    found = (
        Account.objects.visible_to(user)
        .filter(owner__in=ids)
        .order_by()
        .values("owner_id")
        # What a manager sees of an account is joined with its renewals: once each all the same.
        .annotate(count=Count("pk", distinct=True))
        .order_by("owner_id")
    )
    return [
        Line(
            SUPPORT,
            "Accounts, in every week",
            row["count"],
            terms.support_hours,
            1,
            Work(at_by_id[row["owner_id"]], 0, WEEKS - 1, float(row["count"] * terms.support_hours)),
        )
        for row in found
    ]


def _customer_lines(
    mondays: Sequence[dt.date], terms: CapacityTerms, people: Sequence[Person], rep_count: int
) -> list[Line]:
    """Planned new customers, shared out evenly: their onboarding from the first week of their month, then support."""
    sharing = [at for at, one in enumerate(people) if one.is_there]
    sharers = max(rep_count, 1)
    lines = []
    since = mondays[0] - WEEK * (terms.onboarding_weeks + 1)
    for plan in PlannedCustomers.objects.filter(month_on__gte=since, month_on__lte=mondays[-1] + WEEK):
        start = (plan.month_on - dt.timedelta(days=plan.month_on.weekday()) - mondays[0]).days // 7
        last = start + terms.onboarding_weeks - 1
        if last < 0:
            continue
        label = f"New customers of {plan.month_on:%b %Y}"
        onboarding = float(plan.count * terms.onboarding_hours / terms.onboarding_weeks / sharers)
        support = float(plan.count * terms.support_hours / sharers)
        for at in sharing:
            work = Work(at, max(0, start), last, onboarding)
            lines.append(
                Line(ONBOARDING, label, plan.count, terms.onboarding_hours, terms.onboarding_weeks, work, sharers)
            )
            if terms.support_hours:
                work = Work(at, last + 1, max(WEEKS, last + 1), support)
                lines.append(Line(SUPPORT, f"{label}, from then on", plan.count, terms.support_hours, 1, work, sharers))
    return lines


def _days(mondays: Sequence[dt.date], people: Sequence[Person]) -> list[list[int]]:
    """Working days of each person by week; nobody has none."""
    last_on = mondays[-1] + WEEK
    holidays = set(Holiday.objects.filter(on__gte=mondays[0], on__lt=last_on).values_list("on", flat=True))
    absences: defaultdict[int | None, list[tuple[dt.date, dt.date]]] = defaultdict(list)
    ids = [one.user_id for one in people if one.user_id is not None]
    away = Absence.objects.filter(person__in=ids, last_on__gte=mondays[0], first_on__lt=last_on)
    for person_id, first_on, to_on in away.values_list("person_id", "first_on", "last_on"):
        absences[person_id].append((first_on, to_on))
    return [
        days_present(mondays, holidays, absences[one.user_id]) if one.is_there else [0] * len(mondays) for one in people
    ]
