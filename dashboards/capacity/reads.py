"""What there is to do and who is there to do it, by person and week: from what is kept by owner.

The lines that these sums are made of are read for whom they are asked.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from django.db import connection
from django.db.models import Count, DateField, F, Q, Value
from django.db.models.functions import Greatest, Trunc

from accounts.models import Segment, Team, User, owners_visible_to, people_visible_to
from dashboards.capacity.engine import WORK_DAYS, Hours, Work, days_present, load_of, productive_hours, spread_of
from dashboards.models import Absence, CapacityTerms, Holiday, OwnerWork, PlannedCustomers
from dashboards.rollups.work import HUNDREDTHS, WEEK, WEEKS, hours_by, keep_work, read_hours, read_terms, weeks_from
from forecasting.engine.arrays import Integers
from forecasting.frames import Arrays, Column, copy_out
from renewals.models import Renewal, RenewalQuerySet, Stage

RENEWALS, PLANS, TASKS, ONBOARDING, SUPPORT = "Renewals", "Plans", "Tasks", "Onboarding", "Support"
KINDS: Final = (RENEWALS, PLANS, TASKS, ONBOARDING, SUPPORT)
HOUR_MINUTES: Final = 60
OWNER: Final = Column("owner_id", "int8", "owner_id")
ACCOUNTS: Final = Column("account_count", "int8", "account_count")
TASKED: Final = ("plan_minutes", "task_minutes")
WITH_TASKS: Final = "(plan_minutes <> '{}' OR task_minutes <> '{}')"


@dataclass(frozen=True)
class WhatIf:
    """What is asked for instead of what is; the default asks for nothing."""

    people_count: int = 0
    utilisation_rate: Decimal | None = None
    renewal_hours: Decimal | None = None


class Person(NamedTuple):
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
class Asked:
    """Whose book it is: what a user sees of an owner, else of a team, else of everybody."""

    user: User
    team: Team | None
    owner: User | None

    @property
    def rows(self) -> RenewalQuerySet:
        rows = Renewal.objects.visible_to(self.user).open()
        if self.owner:
            return rows.filter(owner=self.owner)
        return rows.filter(owner__team=self.team) if self.team else rows

    @cached_property
    def owner_ids(self) -> list[int] | None:
        """Whose work it is; None: everybody's, and what nobody does."""
        if self.user.sees_all and not (self.owner or self.team):
            return None
        people = people_visible_to(self.user)
        if self.owner:
            people = people.filter(pk=self.owner.pk)
        elif self.team:
            people = people.filter(team=self.team)
        return list(people.values_list("pk", flat=True))

    def work(self, *columns: Column, condition: str = "TRUE") -> Arrays:
        """What is kept of each owner: a book has hundreds, each with as many numbers as there are weeks."""
        where, parameters = ("TRUE", []) if self.owner_ids is None else ("owner_id = ANY(%s)", [self.owner_ids])
        with connection.cursor() as cursor:
            return copy_out(
                cursor, (OWNER, *columns), f"dashboards_ownerwork WHERE {where} AND {condition}", parameters
            )


@dataclass(frozen=True, eq=False)
class Book:
    """Everything that capacity is said from. Persons are by index, weeks by their Mondays; work is by kind."""

    asked: Asked
    people: Sequence[Person]
    mondays: Sequence[dt.date]
    work: Mapping[str, Hours]
    days: Integers  # [person, week]
    terms: CapacityTerms
    hours: Callable[[int | None, int | None], Decimal]  # of a renewal by segment and stage
    account_counts: Sequence[int]
    rep_count: int
    is_current: bool = True  # every change is in what is kept by owner

    @cached_property
    def load(self) -> Hours:
        found: Hours = np.sum([self.work[kind] for kind in KINDS], axis=0)
        return found

    def load_by_kind(self, kind: str, people: Sequence[int]) -> Hours:
        found: Hours = self.work[kind][list(people)].sum(axis=0)
        return found

    @cached_property
    def capacity(self) -> Hours:
        return self.days * float(self.full_week_hours) / WORK_DAYS

    @property
    def full_week_hours(self) -> Decimal:
        return productive_hours(1, self.terms.week_hours, self.terms.utilisation_rate, self.terms.overhead_rate)

    @property
    def renewal_hours(self) -> Decimal:
        """Of a renewal whose segment and stage have none of their own."""
        return self.hours(None, None)

    @cached_property
    def at_by_id(self) -> dict[int, int]:
        return {one.user_id: at for at, one in enumerate(self.people) if one.user_id is not None}

    def index_of(self, user_id: int) -> int | None:
        return self.at_by_id.get(user_id)

    @property
    def lines(self) -> list[Line]:
        return self.lines_of(range(len(self.people)))

    def lines_of(self, people: Collection[int]) -> list[Line]:
        """What the work of some people is made of, which adds up to it."""
        return [
            *self.renewal_lines(people),
            *_task_lines(self, people),
            *_support_lines(self, people),
            *_customer_lines(self, people),
        ]

    def renewal_lines(self, people: Collection[int]) -> list[Line]:
        return _renewal_lines(self, people)


def read_book(user: User, as_of: dt.date, *, team: Team | None, owner: User | None, what_if: WhatIf) -> Book:
    """The work that a user sees of an owner, else of a team, else of everybody, and the hours of who does it."""
    is_current = keep_work(as_of=as_of)
    mondays = weeks_from(as_of)
    terms, table = read_terms(), read_hours()
    if what_if.utilisation_rate is not None:
        terms.utilisation_rate = what_if.utilisation_rate
    if what_if.renewal_hours is not None:
        table = {(None, None): what_if.renewal_hours}
    asked = Asked(user, team, owner)
    people, rep_count = _people(asked, what_if.people_count)
    at_by_id = {one.user_id: at for at, one in enumerate(people)}
    kept, each = "due_hundredths", 1 / HUNDREDTHS
    if what_if.renewal_hours is not None:
        kept, each = "due_counts", float(what_if.renewal_hours)
    found = asked.work(ACCOUNTS, _by_week(kept, WEEKS + terms.work_weeks))
    places = _places(found, at_by_id)
    waiting = _of_people(found[kept], places, len(people) + 1)
    waiting[-1] = found[kept][places < 0].sum(axis=0)
    if waiting[-1].any():
        people.append(Person("Without a rep", is_there=False))
    count = len(people)
    renewals = waiting * each @ spread_of(WEEKS, terms.work_weeks)
    account_counts = _of_people(found[ACCOUNTS.name], places, count).tolist()
    tasks = asked.work(*(_by_week(name, WEEKS) for name in TASKED), condition=WITH_TASKS)
    places = _places(tasks, at_by_id)
    plans, others = (_of_people(tasks[name], places, count) / HOUR_MINUTES for name in TASKED)
    customers = _from_customers(mondays, terms, people, rep_count)
    support = [float(own * terms.support_hours) for own in account_counts]
    customers[SUPPORT] += np.array(support, dtype=np.float64)[:, None]
    work = {RENEWALS: renewals[:count], PLANS: plans, TASKS: others, **customers}
    days = _days(mondays, people)
    return Book(asked, people, mondays, work, days, terms, hours_by(table), account_counts, rep_count, is_current)


def _by_week(name: str, size: int) -> Column:
    """What is kept of each owner by week; zeros where there is nothing."""
    return Column(
        name, "int8", f"CASE {name} WHEN '{{}}' THEN array_fill(0::int8, '{{{size}}}') ELSE {name} END", size=size
    )


def _places(rows: Arrays, at_by_id: Mapping[int | None, int]) -> Integers:
    """Where each row's owner is among the people; -1 of who is not."""
    return np.array([at_by_id.get(pk, -1) for pk in rows[OWNER.name].tolist()], dtype=np.int64)


def _of_people(values: Integers, places: Integers, count: int) -> Integers:
    """int64[count, ...]: of each person, without what others have."""
    found = np.zeros((count, *values.shape[1:]), dtype=np.int64)
    is_here = places >= 0
    found[places[is_here]] = values[is_here]
    return found


def _people(asked: Asked, more: int) -> tuple[list[Person], int]:
    """Who works renewals, by name, those to be hired at the end; and how many share out what is new."""
    user, team, owner = asked.user, asked.team, asked.owner
    reps = User.objects.filter(is_active=True, role=User.Role.REP)
    found = reps if user.sees_all else reps.filter(pk__in=owners_visible_to(user))
    if owner:
        found = User.objects.filter(pk=owner.pk, is_active=True).exclude(role=User.Role.VIEWER)
    elif team:
        found = found.filter(team=team)
    rows = found.order_by("name", "pk").values_list("name", "pk", "team_id")
    people = [Person(name, pk, team_id) for name, pk, team_id in rows]
    team_ids = {one.team_id for one in people}
    joins = team.pk if team else next(iter(team_ids)) if len(team_ids) == 1 else None
    people += [Person(f"New person {at + 1}", None, joins) for at in range(more)]
    return people, reps.count() + more


def _from_customers(
    mondays: Sequence[dt.date], terms: CapacityTerms, people: Sequence[Person], rep_count: int
) -> dict[str, Hours]:
    """What planned customers bring to each person who is there."""
    is_there = np.array([one.is_there for one in people], dtype=bool)
    found = {kind: np.zeros((len(people), len(mondays))) for kind in (ONBOARDING, SUPPORT)}
    works = defaultdict[str, list[Work]](list)
    for line in _shared_lines(mondays, terms, rep_count):
        works[line.kind].append(line.work)
    for kind, each in works.items():
        found[kind][is_there] = load_of(each, 1, len(mondays))[0]
    return found


def _renewal_lines(book: Book, people: Collection[int]) -> list[Line]:
    """Open renewals added up by owner, week, segment and stage. What is past due waits in the week before the first."""
    mondays, terms = book.mondays, book.terms
    ids = [one.user_id for at in people if (one := book.people[at]).user_id is not None]
    whose = Q(owner__in=ids)
    nobody = next((at for at in people if not book.people[at].is_there), None)
    if nobody is not None:
        whose |= Q(owner__isnull=True) | ~Q(owner__in=list(book.at_by_id))
    week = Trunc(
        Greatest(F("due_on"), Value(mondays[0] - WEEK), output_field=DateField()), "week", output_field=DateField()
    )
    rows = book.asked.rows.filter(whose, due_on__lt=mondays[-1] + WEEK * terms.work_weeks)
    found = list(
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
        key: (book.hours(*key), f"{segments.get(key[0], 'No segment')}, {stages[key[1]]}")
        for key in {(row[2], row[1]) for row in found}
    }
    lines = []
    for owner_id, stage_id, segment_id, monday, count in found:
        when, first, last = weeks_of[monday]
        each, what = kinds[segment_id, stage_id]
        weeks = last - first + 1
        person = book.at_by_id.get(owner_id, nobody)
        assert person is not None  # filtered above
        work = Work(person, first, last, float(count * each / weeks))
        lines.append(Line(RENEWALS, f"{what}, {when}", count, each, weeks, work, 1, monday, segment_id, stage_id))
    return lines


def _week_of(monday: dt.date, first_monday: dt.date, terms: CapacityTerms) -> tuple[str, int, int]:
    """When what is due in a week is due, in words, and the first and the last week that its work falls on."""
    at = (monday - first_monday).days // 7
    if at < 0:
        return "past due", 0, terms.work_weeks - 1
    return f"due in the week of {monday:%d %b %Y}", max(0, at - terms.work_weeks + 1), at


def _task_lines(book: Book, people: Collection[int]) -> list[Line]:
    """Steps of plans, and other open tasks, in the week that they fall on; each row is the tasks of a week."""
    lines = []
    ids = [one for at in people if (one := book.people[at].user_id) is not None]
    works = {book.at_by_id[one.pk]: one for one in OwnerWork.objects.filter(pk__in=ids)}
    for kind, name, what in ((PLANS, "plan", "steps of plans"), (TASKS, "task", "tasks")):
        for at in people:
            own = works.get(at)
            counts, minutes = (getattr(own, f"{name}_{of}") if own else [] for of in ("counts", "minutes"))
            for week, (count, each) in enumerate(zip(counts, minutes, strict=True)):
                if count:
                    hours = Decimal(each) / HOUR_MINUTES
                    label = f"{count} {what}, {each:,} minutes"
                    lines.append(Line(kind, label, 1, hours, 1, Work(at, week, week, float(hours))))
    return lines


def _support_lines(book: Book, people: Collection[int]) -> list[Line]:
    """Every account of a person takes its support in every week."""
    each = book.terms.support_hours
    return [
        Line(
            SUPPORT, "Accounts, in every week", count, each, 1, Work(at, 0, WEEKS - 1, float(count * each)),
        )
        for at in people
        if each and (count := book.account_counts[at])
    ]  # fmt: skip


def _customer_lines(book: Book, people: Collection[int]) -> list[Line]:
    shared = _shared_lines(book.mondays, book.terms, book.rep_count)
    return [
        replace(line, work=replace(line.work, person=at))
        for at in people
        if book.people[at].is_there
        for line in shared
    ]


def _shared_lines(mondays: Sequence[dt.date], terms: CapacityTerms, rep_count: int) -> list[Line]:
    """Planned new customers, shared out evenly: their onboarding from the first week of their month, then support.

    They are the same for everybody, and told of person 0.
    """
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
        work = Work(0, max(0, start), last, onboarding)
        lines.append(Line(ONBOARDING, label, plan.count, terms.onboarding_hours, terms.onboarding_weeks, work, sharers))
        if terms.support_hours:
            support = float(plan.count * terms.support_hours / sharers)
            work = Work(0, last + 1, max(WEEKS, last + 1), support)
            lines.append(Line(SUPPORT, f"{label}, from then on", plan.count, terms.support_hours, 1, work, sharers))
    return lines


def _days(mondays: Sequence[dt.date], people: Sequence[Person]) -> Integers:
    """Working days of each person by week; nobody has none."""
    last_on = mondays[-1] + WEEK
    holidays = set(Holiday.objects.filter(on__gte=mondays[0], on__lt=last_on).values_list("on", flat=True))
    absences: defaultdict[int | None, list[tuple[dt.date, dt.date]]] = defaultdict(list)
    # Of everybody: the absences of half a year are fewer than the people that a statement would have to name.
    away = Absence.objects.filter(last_on__gte=mondays[0], first_on__lt=last_on)
    for person_id, first_on, to_on in away.values_list("person_id", "first_on", "last_on"):
        absences[person_id].append((first_on, to_on))
    is_there = np.array([one.is_there for one in people], dtype=np.int64)
    days: Integers = np.outer(is_there, days_present(mondays, holidays, ()))
    for at, one in enumerate(people):
        if one.user_id in absences:
            days[at] = days_present(mondays, holidays, absences[one.user_id])
    return days
