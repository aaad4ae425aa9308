"""Writes to tasks. Each is one transaction and one batch in history, whose id takes it back (engagement.tasks.undo)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.access import may_edit_account
from accounts.models import Account, User, get_company
from config.history import recorded_as
from engagement.models.tasks import MOST_MINUTES, Task
from engagement.plans.gate import refusals
from engagement.tasks.stakes import refresh_stakes
from renewals.models import Renewal

TITLE_LENGTH, NOTE_LENGTH = 200, 4000
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
EDITED = ("title", "note", "due_on", "estimated_minutes", "required_outcome")
NOT_YOURS = "A task is changed by who has to do it, by who writes to the account, their manager or an admin."


class TaskRefused(ValueError):
    """This cannot be a task, or not become of one; the message says why, `field` names what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class NewTask:
    """One task to be made. `owner_id` None: whoever owns the renewal, else the account."""

    account_id: int
    title: str
    due_on: dt.date
    renewal_id: int | None = None
    owner_id: int | None = None
    note: str = ""
    kind: str = Task.Kind.MANUAL
    estimated_minutes: int = 30
    required_outcome: str = ""


@dataclass(frozen=True)
class Done:
    """What came of a write to several tasks. `batch_id` takes it back; `refused`: why, by task, of those left alone."""

    batch_id: UUID
    tasks: list[Task]
    refused: dict[int, str] = field(default_factory=dict)


def create_task(*, user: User, task: NewTask) -> Task:
    """Make a task by hand.

    Raises:
        TaskRefused: a field is wrong, the renewal is another account's, or the owner cannot have it.
        PermissionDenied: the user writes neither to the account nor to the renewal.
    """
    is_own = task.renewal_id and Renewal.objects.editable_by(user).filter(pk=task.renewal_id).exists()
    if not is_own and not may_edit_account(user, task.account_id):
        raise PermissionDenied("Tasks are made by who may edit the account or its renewal.")
    return create_tasks(user=user, tasks=[task])[0]


def create_tasks(*, user: User | None, tasks: Sequence[NewTask]) -> list[Task]:
    """Make all of these or none, in their order, with what is at stake; some statements, however many there are.

    Who asks answers for the accounts: a rule (`user` None), or a person whose right was looked at before.

    Raises:
        TaskRefused: naming which one, its field and the reason.
    """
    if not tasks:
        return []
    owners = _owners_of(tasks)
    made = [_new(task, owner, user) for task, owner in zip(tasks, owners, strict=True)]
    _check_owners(made, tasks)
    with transaction.atomic(), recorded_as(user_id=user.pk if user else None, how="page" if user else "job"):
        Task.objects.bulk_create(made, batch_size=2000)
        refresh_stakes(as_of=get_company().today(), task_ids=[task.pk for task in made])
    return made


def _owners_of(tasks: Sequence[NewTask]) -> list[int | None]:
    """Who is to do each; also proves that accounts and renewals are there and belong together."""
    accounts = dict(Account.objects.filter(pk__in={task.account_id for task in tasks}).values_list("pk", "owner"))
    ids = {task.renewal_id for task in tasks if task.renewal_id}
    rows = Renewal.objects.filter(pk__in=ids).values_list("pk", "account", "owner")
    renewals = {pk: (account, owner) for pk, account, owner in rows}
    found: list[int | None] = []
    for place, task in enumerate(tasks, 1):
        if task.account_id not in accounts:
            raise TaskRefused("account", _named(place, tasks, f"there is no account {task.account_id}."))
        account, owner = renewals.get(task.renewal_id or 0, (None, None))
        if task.renewal_id and account != task.account_id:
            raise TaskRefused("renewal", _named(place, tasks, "the renewal is not one of this account."))
        found.append(task.owner_id or owner or accounts[task.account_id])
    return found


def _named(place: int, tasks: Sequence[NewTask], reason: str) -> str:
    return reason[0].upper() + reason[1:] if len(tasks) == 1 else f"Task {place} of {len(tasks):,}: {reason}"


def _new(new: NewTask, owner_id: int | None, user: User | None) -> Task:
    task = Task(account_id=new.account_id, renewal_id=new.renewal_id, owner_id=owner_id, created_by=user)
    for name in ("title", "note", "due_on", "kind", "estimated_minutes", "required_outcome"):
        setattr(task, name, getattr(new, name))
    _check(task)
    return task


def _check(task: Task) -> None:
    """Clean the text of a task, and refuse what it cannot hold."""
    for name, most in (("title", TITLE_LENGTH), ("note", NOTE_LENGTH), ("required_outcome", TITLE_LENGTH)):
        text = getattr(task, name).replace("\x00", "").replace("\r\n", "\n").strip()
        if len(text) > most:
            raise TaskRefused(name, f"At most {most:,} characters fit here, not {len(text):,}.")
        setattr(task, name, text)
    if not task.title:
        raise TaskRefused("title", "A task says what is to be done.")
    if not EARLIEST <= task.due_on <= LATEST:
        raise TaskRefused("due_on", f"A task is due between {EARLIEST.year} and {LATEST.year}, not on {task.due_on}.")
    if not 1 <= task.estimated_minutes <= MOST_MINUTES:
        raise TaskRefused("estimated_minutes", f"A task takes 1 to {MOST_MINUTES:,} minutes.")
    if task.kind not in Task.Kind.values:
        raise TaskRefused("kind", f"{task.kind} is no kind of task.")


def _check_owners(made: Sequence[Task], tasks: Sequence[NewTask]) -> None:
    """Those who were named must be able to have it; who owns the customer already has it."""
    wanted: dict[int, set[int]] = {}
    for task in tasks:
        if task.owner_id:
            wanted.setdefault(task.owner_id, set()).add(task.account_id)
    for owner_id, account_ids in wanted.items():
        _check_owner(User.objects.select_related("team").filter(pk=owner_id).first(), account_ids)


def _check_owner(owner: User | None, account_ids: Collection[int]) -> None:
    if owner is None:
        raise TaskRefused("owner", "There is no such person.")
    if not owner.is_active or owner.role == User.Role.VIEWER:
        raise TaskRefused("owner", f"{owner} cannot have tasks: {'only looks' if owner.is_active else 'has left'}.")
    if owner.sees_all:
        return
    seen = set(Account.objects.visible_to(owner).filter(pk__in=account_ids).order_by().values_list("pk", flat=True))
    unseen = Account.objects.filter(pk__in=set(account_ids) - seen).first()
    if unseen is not None:
        raise TaskRefused("owner", f"{owner} does not see {unseen}.")


def edit_task(*, user: User, task: Task, values: Mapping[str, Any]) -> Task:
    """Save these of `EDITED`, and `owner`. Raises: TaskRefused, PermissionDenied."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        (task,) = lock_tasks(user, [task.pk])
        for name in EDITED:
            setattr(task, name, values.get(name, getattr(task, name)))
        owner = values.get("owner", task.owner)
        if owner and owner.pk != task.owner_id:
            _check_owner(owner, [task.account_id])
        task.owner = owner
        _check(task)
        if task.done_at and task.required_outcome and not task.outcome:
            raise TaskRefused("required_outcome", "It is done already, and does not say what came of it.")
        task.save(update_fields=[*EDITED, "owner"])
    return task


def finish_task(
    *, user: User, task: Task, outcome: str = "", spent_minutes: int | None = None, now: dt.datetime | None = None
) -> Done:
    """Mark a task as done, with what came of it and, where that is known, the minutes that it took.

    Raises:
        TaskRefused: it needs an outcome and none was given, it is done already, or took no such minutes.
        PermissionDenied: `NOT_YOURS`.
    """
    return _whole(finish_tasks(user=user, task_ids=[task.pk], outcome=outcome, spent_minutes=spent_minutes, now=now))


def finish_tasks(
    *,
    user: User,
    task_ids: Collection[int],
    outcome: str = "",
    spent_minutes: int | None = None,
    now: dt.datetime | None = None,
) -> Done:
    """Mark these as done; those that need an outcome where none is given, or that are done, are refused one by one.

    `spent_minutes` is what each of them took.
    """
    outcome = outcome.replace("\x00", "").replace("\r\n", "\n").strip()
    if len(outcome) > NOTE_LENGTH:
        raise TaskRefused("outcome", f"At most {NOTE_LENGTH:,} characters fit here, not {len(outcome):,}.")
    _check_spent(spent_minutes)
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page") as batch_id:
        locked = lock_tasks(user, task_ids)
        steps = refusals(locked, outcome)  # of a plan: what they wait for, check and have to show
        tasks, refused = _split(
            locked,
            lambda task: (
                f"{task} is done already."
                if task.done_at
                else f"{task}: {steps[task.pk]}"
                if task.pk in steps
                else f"{task} is done only with what came of it: {task.required_outcome}"
                if task.required_outcome and not outcome
                else ""
            ),
        )
        done_at = now or timezone.now()
        _write(tasks, done_at=done_at, done_by=user, outcome=outcome, spent_minutes=spent_minutes, snoozed_until=None)
    return Done(batch_id, tasks, refused)


def record_minutes(*, user: User, task: Task, minutes: int | None) -> Done:
    """Write down how long a done task took; None: nobody knows. Raises: TaskRefused (it is open), PermissionDenied."""
    _check_spent(minutes)
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page") as batch_id:
        tasks, refused = _split(
            lock_tasks(user, [task.pk]),
            lambda task: "" if task.done_at else f"{task} is open: minutes are recorded once it is done.",
        )
        _write(tasks, spent_minutes=minutes)
    return _whole(Done(batch_id, tasks, refused), "spent_minutes")


def _check_spent(minutes: int | None) -> None:
    if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
        raise TaskRefused("spent_minutes", f"A task takes 1 to {MOST_MINUTES:,} minutes, not {minutes:,}.")


def reopen_task(*, user: User, task: Task) -> Done:
    """Make a done task open again; what came of it is in history. Raises: TaskRefused where it is open."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page") as batch_id:
        tasks, refused = _split(lock_tasks(user, [task.pk]), lambda task: "" if task.done_at else f"{task} is open.")
        _write(tasks, done_at=None, done_by=None, outcome="", spent_minutes=None)
        # Nobody kept its stake up to date while it was done.
        refresh_stakes(as_of=get_company().today(), task_ids=[task.pk for task in tasks])
    return _whole(Done(batch_id, tasks, refused))


def snooze_task(*, user: User, task: Task, until: dt.date | None, today: dt.date) -> Done:
    """Put a task off until a day to come, on which it is back; None wakes it. Raises: as finish_task."""
    return _whole(snooze_tasks(user=user, task_ids=[task.pk], until=until, today=today))


def snooze_tasks(*, user: User, task_ids: Collection[int], until: dt.date | None, today: dt.date) -> Done:
    if until is not None and not today < until <= LATEST:
        raise TaskRefused("until", f"A task is put off to a day after today, {today:%d %b %Y}.")
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page") as batch_id:
        tasks, refused = _split(
            lock_tasks(user, task_ids), lambda task: f"{task} is done already." if task.done_at else ""
        )
        _write(tasks, snoozed_until=until)
    return Done(batch_id, tasks, refused)


def reassign_tasks(*, user: User, task_ids: Collection[int], owner: User) -> Done:
    """Give these to somebody else, who has to see their accounts. Raises: TaskRefused, PermissionDenied."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page") as batch_id:
        locked = lock_tasks(user, task_ids)
        _check_owner(owner, {task.account_id for task in locked})
        tasks, refused = _split(locked, lambda task: f"{task} is done already." if task.done_at else "")
        _write(tasks, owner=owner)
    return Done(batch_id, tasks, refused)


def lock_tasks(user: User, task_ids: Collection[int]) -> list[Task]:
    """These tasks, locked in the order of their ids; all of them must be the user's to write."""
    ids = set(task_ids)
    known = set(Task.objects.editable_by(user).filter(pk__in=ids).values_list("pk", flat=True))
    if known != ids:
        raise PermissionDenied(NOT_YOURS)
    return list(Task.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def _split(tasks: Sequence[Task], why_not: Callable[[Task], str]) -> tuple[list[Task], dict[int, str]]:
    refused = {task.pk: reason for task in tasks if (reason := why_not(task))}
    return [task for task in tasks if task.pk not in refused], refused


def _write(tasks: Sequence[Task], **values: Any) -> None:
    """One statement for all of them, and the same on the instances."""
    Task.objects.filter(pk__in=[task.pk for task in tasks]).update(**values)
    for task in tasks:
        for name, value in values.items():
            setattr(task, name, value)


def _whole(done: Done, field: str = "outcome") -> Done:
    for reason in done.refused.values():
        raise TaskRefused(field, reason)
    return done
