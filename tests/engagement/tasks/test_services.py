"""What is written of tasks: made, done, put off, handed on, each by who may, in history, with what is at stake."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from engagement.models import Task
from engagement.models.tasks import taken_minutes
from engagement.tasks.services import (
    NewTask,
    TaskRefused,
    create_task,
    create_tasks,
    edit_task,
    finish_task,
    finish_tasks,
    reassign_tasks,
    record_minutes,
    reopen_task,
    snooze_task,
)
from engagement.tasks.stakes import refresh_stakes
from engagement.tasks.undo import undo_step
from renewals.models import Renewal, RenewalScore
from renewals.scoring import scoring
from tests.cast import Cast, make_account, make_rate, make_renewal

TODAY = dt.date(2026, 11, 22)
DUE = TODAY + dt.timedelta(days=7)


def new(row: Renewal, **values: Any) -> NewTask:
    return NewTask(**{"account_id": row.account_id, "renewal_id": row.pk, "title": "Call", "due_on": DUE, **values})


def scored(row: Renewal, probability: float) -> Renewal:
    scoring().score_renewals([row.pk], as_of=TODAY)
    RenewalScore.objects.filter(pk=row.pk).update(probability=probability)
    return row


def events() -> list[tuple[str, Any]]:
    model: Any = Task._meta.get_field("events").related_model
    return list(model.objects.order_by("pgh_id").values_list("pgh_label", "pgh_context__user"))


def test_task_belongs_to_who_owns_the_renewal_and_knows_what_is_at_stake(cast: Cast) -> None:
    row = scored(make_renewal(owner=cast.rep, baseline_amount=Decimal("10000.01")), 0.75)
    task = create_task(user=cast.manager, task=new(row, note=" Ask\r\nfor the order \x00"))
    task.refresh_from_db()
    assert (task.owner, task.created_by, task.note) == (cast.rep, cast.manager, "Ask\nfor the order")
    assert (task.stake_amount, task.kind, task.estimated_minutes) == (Decimal("2500.00"), "manual", 30)


def test_stake_of_an_account_is_that_of_its_open_renewals_in_the_reporting_currency(cast: Cast) -> None:
    make_rate("USD", "0.5")
    account = make_account(owner=cast.rep)
    rows = [
        scored(make_renewal(owner=cast.rep, account=account, baseline_amount=Decimal(1000)), 0.9),
        scored(make_renewal(owner=cast.rep, account=account, baseline_amount=Decimal(4000), currency="USD"), 0.5),
        scored(make_renewal(owner=cast.rep, account=account, baseline_amount=Decimal(4000), currency="XAU"), 0.5),
    ]
    lost = make_renewal(owner=cast.rep, account=account, outcome="lost", final_amount=0, declined_on=TODAY)
    scored(lost, 0)
    task = create_task(user=cast.rep, task=NewTask(account.pk, "Review", DUE))
    task.refresh_from_db()
    assert task.stake_amount == Decimal("1100.00")

    RenewalScore.objects.filter(pk=rows[0].pk).update(probability=0.4)
    assert refresh_stakes(as_of=TODAY, account_ids=[account.pk]) == 1
    assert refresh_stakes(as_of=TODAY) == 0  # nothing is written twice
    task.refresh_from_db()
    assert task.stake_amount == Decimal("1600.00")
    assert events() == []  # what is derived is no history


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"title": "  "}, "title", "A task says what is to be done."),
        ({"title": "x" * 201}, "title", "At most 200 characters fit here, not 201."),
        ({"due_on": dt.date(1999, 12, 31)}, "due_on", "A task is due between 2000 and 2100, not on 1999-12-31."),
        ({"estimated_minutes": 0}, "estimated_minutes", "A task takes 1 to 2,400 minutes."),
        ({"kind": "odd"}, "kind", "odd is no kind of task."),
        ({"account_id": 0}, "account", "There is no account 0."),
    ],
)
def test_what_cannot_be_a_task_is_refused(cast: Cast, values: dict[str, Any], field: str, message: str) -> None:
    row = make_renewal(owner=cast.rep)
    with pytest.raises(TaskRefused) as refused:
        create_tasks(user=cast.admin, tasks=[new(row, **values)])
    assert (refused.value.field, str(refused.value)) == (field, message)
    assert Task.objects.count() == 0


def test_all_tasks_or_none_and_the_place_of_the_wrong_one(cast: Cast) -> None:
    row, other = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep)
    with pytest.raises(TaskRefused, match=r"Task 2 of 2: the renewal is not one of this account\."):
        create_tasks(user=None, tasks=[new(row), new(row, renewal_id=other.pk)])
    assert Task.objects.count() == 0


def test_many_tasks_take_as_many_statements_as_two(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep) for _ in range(12)]
    counts = []
    for number in (2, 12):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            create_tasks(user=None, tasks=[new(row, owner_id=cast.rep.pk) for row in rows[:number]])
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert set(Task.objects.values_list("created_by", "owner")) == {(None, cast.rep.pk)}


def test_who_makes_tasks(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    for user in (cast.team_mate, cast.viewer, cast.outsider, cast.auditor):
        with pytest.raises(PermissionDenied):
            create_task(user=user, task=new(row))
    assert Task.objects.count() == 0
    assert create_task(user=cast.manager, task=new(row, owner_id=cast.team_mate.pk)).owner == cast.team_mate


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("viewer", "Vera Viewer cannot have tasks: only looks."),
        ("outsider", "Otto Outsider does not see Lindt."),
    ],
)
def test_task_is_given_to_who_can_do_it(cast: Cast, name: str, message: str) -> None:
    row = make_renewal(owner=cast.rep, account=make_account(owner=cast.rep, name="Lindt"))
    person: User = getattr(cast, name)
    with pytest.raises(TaskRefused, match=message):
        create_task(user=cast.admin, task=new(row, owner_id=person.pk))
    task = create_task(user=cast.admin, task=new(row))
    with pytest.raises(TaskRefused, match=message):
        reassign_tasks(user=cast.admin, task_ids=[task.pk], owner=person)
    with pytest.raises(TaskRefused, match=message):
        edit_task(user=cast.admin, task=task, values={"owner": person})
    assert Task.objects.get().owner == cast.rep


def test_done_and_open_again(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    task = create_task(user=cast.rep, task=new(row, required_outcome="Who signs"))
    with pytest.raises(TaskRefused, match="Call is done only with what came of it: Who signs"):
        finish_task(user=cast.rep, task=task, outcome="  ")
    at = timezone.now()
    finish_task(user=cast.rep, task=task, outcome=" Mrs Field ", now=at)
    task.refresh_from_db()
    assert (task.done_at, task.done_by, task.outcome) == (at, cast.rep, "Mrs Field")
    with pytest.raises(TaskRefused, match=r"Call is done already\."):
        finish_task(user=cast.rep, task=task, outcome="again")
    reopen_task(user=cast.manager, task=task)
    task.refresh_from_db()
    assert (task.done_at, task.done_by, task.outcome) == (None, None, "")
    with pytest.raises(TaskRefused, match=r"Call is open\."):
        reopen_task(user=cast.rep, task=task)
    assert events() == [("before_update", cast.rep.pk), ("before_update", cast.manager.pk)]


def test_minutes_that_a_task_took(cast: Cast) -> None:
    task = create_task(user=cast.rep, task=new(make_renewal(owner=cast.rep)))
    with pytest.raises(TaskRefused, match=r"Call is open: minutes are recorded once it is done\."):
        record_minutes(user=cast.rep, task=task, minutes=20)
    finish_task(user=cast.rep, task=task)
    task.refresh_from_db()
    assert task.spent_minutes is None  # nobody said
    for wrong in (0, 2401):
        with pytest.raises(TaskRefused, match=f"A task takes 1 to 2,400 minutes, not {wrong:,}"):
            record_minutes(user=cast.rep, task=task, minutes=wrong)
    with pytest.raises(PermissionDenied):
        record_minutes(user=cast.viewer, task=task, minutes=20)
    batch = record_minutes(user=cast.rep, task=task, minutes=45).batch_id
    record_minutes(user=cast.manager, task=task, minutes=50)
    assert undo_step(user=cast.rep, batch_id=batch).kept_count == 1
    task.refresh_from_db()
    assert task.spent_minutes == 50
    assert Task.objects.values_list(taken_minutes(), flat=True).get() == 50
    reopen_task(user=cast.rep, task=task)
    task.refresh_from_db()
    assert task.spent_minutes is None
    done = finish_task(user=cast.rep, task=task, spent_minutes=40)
    undo_step(user=cast.rep, batch_id=done.batch_id)
    task.refresh_from_db()
    assert (task.done_at, task.spent_minutes) == (None, None)


def test_an_open_task_took_nothing_yet(cast: Cast) -> None:
    task = create_task(user=cast.rep, task=new(make_renewal(owner=cast.rep)))
    with pytest.raises(IntegrityError, match="task_spent_minutes"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(spent_minutes=10)


def test_database_wants_the_outcome_too(cast: Cast) -> None:
    task = create_task(user=cast.rep, task=new(make_renewal(owner=cast.rep), required_outcome="Who signs"))
    with pytest.raises(IntegrityError, match="task_done_with_outcome"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(done_at=timezone.now())


def test_of_several_those_that_need_an_outcome_are_left(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    plain, wanting = create_tasks(user=cast.rep, tasks=[new(row), new(row, title="Sign", required_outcome="Date")])
    done = finish_tasks(user=cast.rep, task_ids=[plain.pk, wanting.pk])
    assert [task.pk for task in done.tasks] == [plain.pk]
    assert done.refused == {wanting.pk: "Sign is done only with what came of it: Date"}
    assert list(Task.objects.done()) == [plain]


def test_put_off_until_a_day_to_come(cast: Cast) -> None:
    task = create_task(user=cast.rep, task=new(make_renewal(owner=cast.rep)))
    for until in (TODAY, dt.date(2100, 1, 2)):
        with pytest.raises(TaskRefused, match="put off to a day after today, 22 Nov 2026"):
            snooze_task(user=cast.rep, task=task, until=until, today=TODAY)
    snooze_task(user=cast.rep, task=task, until=DUE, today=TODAY)
    assert (list(Task.objects.awake(TODAY)), list(Task.objects.snoozed(TODAY))) == ([], [task])
    assert list(Task.objects.awake(DUE)) == [task]
    snooze_task(user=cast.rep, task=task, until=None, today=TODAY)
    assert list(Task.objects.awake(TODAY)) == [task]


def test_who_writes_to_a_task(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    task = create_task(user=cast.manager, task=new(row, owner_id=cast.team_mate.pk))
    for user in (cast.viewer, cast.outsider, cast.other_manager, cast.auditor):
        with pytest.raises(PermissionDenied):
            finish_task(user=user, task=task)
    for user in (cast.team_mate, cast.rep, cast.manager, cast.admin):
        snooze_task(user=user, task=task, until=DUE, today=TODAY)
    assert Task.objects.get().done_at is None


def test_who_sees_a_task(cast: Cast) -> None:
    task = create_task(user=cast.rep, task=new(make_renewal(owner=cast.rep)))
    seeing = [name for name in vars(cast) if Task.objects.visible_to(getattr(cast, name)).filter(pk=task.pk).exists()]
    assert seeing == ["admin", "auditor", "manager", "rep", "team_mate", "viewer"]


def test_order_by_what_is_at_stake_and_how_soon(cast: Cast) -> None:
    rows = [scored(make_renewal(owner=cast.rep, baseline_amount=Decimal(amount)), 0) for amount in (1000, 2000, 2100)]
    last, second, first = create_tasks(
        user=None,
        tasks=[
            new(rows[0], due_on=TODAY),
            new(rows[1], due_on=TODAY + dt.timedelta(days=14)),  # twice the stake, fourteen days later: as much
            new(rows[2], due_on=TODAY + dt.timedelta(days=14)),
        ],
    )
    priorities = dict(Task.objects.values_list("pk", "priority"))
    assert priorities[last.pk] == pytest.approx(priorities[second.pk], abs=1e-9)
    assert Task.objects.order_by("-priority").first() == first
