"""The list of tasks: what its address asks for, the rows of a page, and the counts above them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.http import urlencode

from accounts.models import Account, User
from accounts.strip import Total
from accounts.templatetags.money import compact_money
from engagement.models.tasks import Task, TaskQuerySet

PAGE_SIZE = 50
MOST_PAGES = 1000
MOST_AT_ONCE = 500
DONE_DAYS = 7
STATES = {"open": "To do", "snoozed": "Snoozed", "done": "Done"}
TOTALS = ("Overdue", "Due today", "Due in 7 days", "Later", "Snoozed", "Done in 7 days")
DUES = {"overdue": "Overdue", "today": "Due today", "week": "Due in 7 days", "later": "Later"}
WHOSE = {"mine": "Mine", "team": "My team's", "nobody": "Nobody's", "all": "All I see"}


@dataclass(frozen=True)
class Filters:
    """What the address asks for; what it does not say, or says wrongly, is the default."""

    whose: str
    owner_id: int | None = None
    state: str = "open"
    due: str = ""
    kind: str = ""
    account_id: int | None = None
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        return bool(self.due or self.kind or self.account_id or self.owner_id)

    def query(self, **changed: Any) -> str:
        """The address with some of it changed, from its first page on."""
        kept: dict[str, Any] = {
            "whose": "" if self.owner_id else self.whose,
            "owner": self.owner_id,
            "state": "" if self.state == "open" else self.state,
            "due": self.due,
            "kind": self.kind,
            "account": self.account_id,
        }
        return "?" + urlencode({name: value for name, value in (kept | changed).items() if value})


def read_filters(params: Mapping[str, str], user: User) -> Filters:
    def one_of(name: str, known: Mapping[str, str], default: str = "") -> str:
        return params.get(name, "") if params.get(name) in known else default

    return Filters(
        whose=one_of("whose", whose_of(user), next(iter(whose_of(user)))),
        owner_id=_number(params.get("owner", "")),
        state=one_of("state", STATES, "open"),
        due=one_of("due", DUES),
        kind=one_of("kind", dict(Task.Kind.choices)),
        account_id=_number(params.get("account", "")),
        page=min(_number(params.get("page", "")) or 1, MOST_PAGES),
    )


def whose_of(user: User) -> dict[str, str]:
    """Whose tasks a user can ask for, what they see first in front: a rep's own, a manager's team's, else all."""
    first = {User.Role.REP: "mine", User.Role.MANAGER: "team"}.get(User.Role(user.role), "all")
    known = [first, *(name for name in WHOSE if name != first)]
    if user.team_id is None:
        known.remove("team")
    if user.role == User.Role.VIEWER:
        known.remove("mine")  # nobody gives them any
    return {name: WHOSE[name] for name in known}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def scope_of(user: User, filters: Filters) -> TaskQuerySet:
    """Whose tasks, of which account and kind, in any state."""
    tasks = Task.objects.visible_to(user)
    if filters.owner_id:
        tasks = tasks.filter(owner=filters.owner_id)
    elif filters.whose == "mine":
        tasks = tasks.filter(owner=user)
    elif filters.whose == "team":
        tasks = tasks.filter(owner__in=list(User.objects.filter(team=user.team_id).values_list("pk", flat=True)))
    elif filters.whose == "nobody":
        tasks = tasks.filter(owner__isnull=True)
    if filters.kind:
        tasks = tasks.filter(kind=filters.kind)
    return tasks.filter(account=filters.account_id) if filters.account_id else tasks


def due_of(name: str, today: dt.date) -> Q:
    week = today + dt.timedelta(days=7)
    return {
        "overdue": Q(due_on__lt=today),
        "today": Q(due_on=today),
        "week": Q(due_on__gte=today, due_on__lte=week),
        "later": Q(due_on__gt=week),
    }[name]


def matching(user: User, filters: Filters, today: dt.date) -> TaskQuerySet:
    """The tasks of the list in its order: what is open by priority, what is done newest first."""
    tasks = scope_of(user, filters)
    if filters.state == "done":
        return tasks.done().order_by("-done_at", "-pk")
    tasks = tasks.snoozed(today) if filters.state == "snoozed" else tasks.awake(today)
    if filters.due:
        tasks = tasks.filter(due_of(filters.due, today))
    return tasks.order_by("-priority", "pk")


def find_every(user: User, filters: Filters, today: dt.date) -> set[int]:
    """The tasks that a list shows on all of its pages: so many as one step takes, and one more where there are more.

    Without their order, so that the database stops at that many.
    """
    return set(matching(user, filters, today).order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


@dataclass(frozen=True)
class Row:
    task: Task
    days_left: int

    @property
    def is_overdue(self) -> bool:
        return self.days_left < 0 and self.task.done_at is None

    @property
    def days_late(self) -> int:
        return -self.days_left


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    has_more: bool
    first_row: int

    @property
    def last_row(self) -> int:
        return self.first_row + len(self.rows) - 1


def read_page(tasks: QuerySet[Task], number: int, today: dt.date) -> Page:
    """Two queries: which they are, of a page and one row more, from an index; and what the page shows of them. In one,
    a list that was filled a moment ago is joined with the whole book and put in order after that."""
    first = (number - 1) * PAGE_SIZE
    ids = list(tasks.values_list("pk", flat=True)[first : first + PAGE_SIZE + 1])
    loaded = Task.objects.select_related("account", "owner", "renewal__contract", "done_by").in_bulk(ids)
    found = [loaded[pk] for pk in ids if pk in loaded]
    rows = [row_of(task, today) for task in found[:PAGE_SIZE]]
    return Page(rows, len(ids) > PAGE_SIZE, first + 1)


def row_of(task: Task, today: dt.date) -> Row:
    return Row(task, (task.due_on - today).days)


def read_totals(user: User, filters: Filters, *, today: dt.date, currency: str, week_ago: dt.datetime) -> list[Total]:
    """Six totals of whose tasks these are, whatever the state and day asked for. Two queries."""
    scope = scope_of(user, filters)
    is_awake = Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=today)
    found: dict[str, Any] = (
        scope.open()
        .order_by()
        .aggregate(
            snoozed=Count("pk", filter=Q(snoozed_until__gt=today)),
            minutes=Sum("estimated_minutes", filter=is_awake),
            stake=Sum("stake_amount", filter=is_awake & due_of("week", today)),
            **{name: Count("pk", filter=is_awake & due_of(name, today)) for name in DUES},
        )
    )
    done_count = scope.done().filter(done_at__gte=week_ago).order_by().count()
    stake = compact_money(found["stake"] or Decimal(0), currency)
    links = {name: filters.query(state="", due=name) for name in DUES}
    return [
        Total("Overdue", f"{found['overdue']:,}", href=links["overdue"]),
        Total("Due today", f"{found['today']:,}", href=links["today"]),
        Total("Due in 7 days", f"{found['week']:,}", f"{stake} at stake", "Each task's own stake", links["week"]),
        Total("Later", f"{found['later']:,}", href=links["later"]),
        Total("Snoozed", f"{found['snoozed']:,}", href=filters.query(state="snoozed", due="")),
        Total("Done in 7 days", f"{done_count:,}", hours(found["minutes"] or 0), "Estimated for what is to do",
              filters.query(state="done", due="")),
    ]  # fmt: skip


def hours(minutes: int) -> str:
    """Minutes as people plan them: "3.5 h to do"."""
    return f"{minutes / 60:,.1f} h to do" if minutes else ""


def find_account(user: User, account_id: int | None) -> Account | None:
    return Account.objects.visible_to(user).filter(pk=account_id).first() if account_id else None
