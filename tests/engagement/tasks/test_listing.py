"""The list of tasks: its order, filters and totals, the undo of a step, and the workload."""

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User, get_company
from engagement.models import Task
from engagement.tasks.listing import MOST_AT_ONCE, PAGE_SIZE, matching, read_filters, read_page, read_totals
from engagement.tasks.services import NewTask, create_tasks, finish_tasks, reassign_tasks, record_minutes, snooze_tasks
from engagement.tasks.undo import NoSuchStep, undo_step
from engagement.tasks.workload import Week, workload
from tests.cast import Cast, make_renewal

TODAY = dt.date(2026, 11, 25)  # a Wednesday


def make(owner: User, title: str, days: int, **values: Any) -> Task:
    row = make_renewal(owner=owner)
    due_on = TODAY + dt.timedelta(days=days)
    (task,) = create_tasks(user=owner, tasks=[NewTask(row.account_id, title, due_on, row.pk, **values)])
    return task


def titles(user: User, **asked: str) -> list[str]:
    return [task.title for task in matching(user, read_filters(asked, user), TODAY)]


def test_whose_tasks_each_sees_first(cast: Cast) -> None:
    for user in (cast.rep, cast.team_mate, cast.outsider):
        make(user, user.name, 1)
    assert titles(cast.rep) == ["Rhea Rep"]
    assert sorted(titles(cast.rep, whose="all")) == ["Rhea Rep", "Tom Mate"]
    assert sorted(titles(cast.manager)) == ["Rhea Rep", "Tom Mate"]
    assert sorted(titles(cast.admin)) == ["Otto Outsider", "Rhea Rep", "Tom Mate"]
    assert titles(cast.manager, owner=str(cast.outsider.pk)) == []
    assert titles(cast.rep, whose="nonsense", due="x", page="-1", account="9" * 30) == ["Rhea Rep"]


def test_days_and_states(cast: Cast) -> None:
    made = {days: make(cast.rep, str(days), days) for days in (-1, 0, 7, 8)}
    snooze_tasks(user=cast.rep, task_ids=[made[8].pk], until=TODAY + dt.timedelta(days=1), today=TODAY)
    finish_tasks(user=cast.rep, task_ids=[made[-1].pk])
    assert titles(cast.rep) == ["0", "7"]  # the sooner first, where as much is at stake
    assert titles(cast.rep, due="today") == ["0"]
    assert titles(cast.rep, due="week") == ["0", "7"]
    assert titles(cast.rep, state="snoozed") == ["8"]
    assert titles(cast.rep, state="done") == ["-1"]
    found = read_totals(
        cast.rep, read_filters({}, cast.rep), today=TODAY, currency="EUR", week_ago=timezone.now() - dt.timedelta(7)
    )
    assert [total.value for total in found] == ["0", "1", "2", "0", "1", "1"]


def test_page_takes_the_same_statements_for_any_number(cast: Cast) -> None:
    counts = []
    for _ in range(2):
        make(cast.rep, "Call", 3)
        with CaptureQueriesContext(connection) as queries:
            page = read_page(matching(cast.rep, read_filters({}, cast.rep), TODAY), 1, TODAY)
            assert [str(row.task.account) for row in page.rows]
        counts.append(len(queries))
    assert counts == [2, 2]


def test_strip_is_asked_for_after_the_rows(cast: Cast) -> None:
    make(cast.rep, "Call", (get_company().today() - TODAY).days - 3)
    client = cast.client_of("rep")
    page = client.get("/tasks/").content.decode()
    assert 'hx-get="/tasks/totals/?whose=mine"' in page
    assert "p-skeleton" in page
    with CaptureQueriesContext(connection) as queries:
        client.get("/tasks/")
    assert not [query for query in queries if "SUM(" in query["sql"] or "COUNT(" in query["sql"]]
    strip = client.get("/tasks/totals/?whose=mine").content.decode()
    assert '<dt title="Overdue">Overdue</dt><dd><b><a href="?whose=mine&amp;due=overdue">1</a>' in strip


def test_step_is_undone_and_redone(cast: Cast) -> None:
    first, second = make(cast.rep, "First", 1), make(cast.rep, "Second", 2)
    done = finish_tasks(user=cast.rep, task_ids=[first.pk, second.pk], outcome="Signed")
    reassign_tasks(user=cast.manager, task_ids=[make(cast.rep, "Third", 1).pk], owner=cast.team_mate)
    undone = undo_step(user=cast.rep, batch_id=done.batch_id)
    assert (undone.count, undone.kept_count, Task.objects.done().count()) == (2, 0, 0)
    again = undo_step(user=cast.rep, batch_id=undone.batch_id)
    assert (again.count, set(Task.objects.done().values_list("outcome", flat=True))) == (2, {"Signed"})


def test_undo_keeps_what_was_changed_since(cast: Cast) -> None:
    task = make(cast.rep, "First", 1)
    done = snooze_tasks(user=cast.rep, task_ids=[task.pk], until=TODAY + dt.timedelta(days=3), today=TODAY)
    reassign_tasks(user=cast.manager, task_ids=[task.pk], owner=cast.team_mate)
    undone = undo_step(user=cast.rep, batch_id=done.batch_id)
    assert (undone.count, undone.kept_count) == (0, 1)
    task.refresh_from_db()
    assert (task.snoozed_until, task.owner) == (TODAY + dt.timedelta(days=3), cast.team_mate)


def test_done_is_taken_back_after_its_minutes_were_recorded_and_taken_back(cast: Cast) -> None:
    task = make(cast.rep, "First", 1)
    done = finish_tasks(user=cast.rep, task_ids=[task.pk], outcome="Signed")
    took = record_minutes(user=cast.rep, task=task, minutes=25)
    assert undo_step(user=cast.rep, batch_id=done.batch_id).kept_count == 1  # the minutes would be lost
    assert undo_step(user=cast.rep, batch_id=took.batch_id).count == 1
    undone = undo_step(user=cast.rep, batch_id=done.batch_id)
    task.refresh_from_db()
    assert (undone.count, task.done_at, task.outcome, task.spent_minutes) == (1, None, "", None)
    undo_step(user=cast.rep, batch_id=undone.batch_id)
    task.refresh_from_db()
    assert (task.outcome, task.done_by) == ("Signed", cast.rep)
    assert undo_step(user=cast.rep, batch_id=undone.batch_id).kept_count == 1  # it is taken back already


def test_page_that_follows_a_form_offers_its_undo(cast: Cast) -> None:
    task, client = make(cast.rep, "First", 1), cast.client_of("rep")
    form = {"finish-outcome": "Signed", "finish-spent_minutes": "25"}
    page = client.post(f"/tasks/{task.pk}/done/", form, follow=True).content.decode()
    [undo_url] = re.findall(r'data-undo-url="(/tasks/undo/[0-9a-f-]{36}/)"', page)
    assert "Done: First." in page
    assert client.post(undo_url, headers={"HX-Request": "true"}).status_code == 204
    task.refresh_from_db()
    assert (task.done_at, task.spent_minutes) == (None, None)


def test_nobody_undoes_another_s_step(cast: Cast) -> None:
    task = make(cast.rep, "First", 1)
    done = finish_tasks(user=cast.rep, task_ids=[task.pk])
    for user in (cast.manager, cast.admin):
        with pytest.raises(NoSuchStep):
            undo_step(user=user, batch_id=done.batch_id)
    with pytest.raises(NoSuchStep):
        undo_step(user=cast.rep, batch_id=uuid.uuid4())
    User.objects.filter(pk=cast.rep.pk).update(role="viewer")
    with pytest.raises(PermissionDenied):
        undo_step(user=User.objects.get(pk=cast.rep.pk), batch_id=done.batch_id)
    assert Task.objects.done().count() == 1


def test_workload_by_person_and_week(cast: Cast) -> None:
    monday = dt.date(2026, 11, 23)
    make(cast.rep, "Overdue", -30, estimated_minutes=10)
    make(cast.rep, "This week", 2, estimated_minutes=20)
    put_off = make(cast.rep, "Put off", -1, estimated_minutes=40)
    make(cast.rep, "Beyond", 30, estimated_minutes=80)
    make(cast.team_mate, "Sunday", 4, estimated_minutes=5)
    finish_tasks(user=cast.rep, task_ids=[make(cast.rep, "Done", 1, estimated_minutes=999).pk])
    snooze_tasks(user=cast.rep, task_ids=[put_off.pk], until=TODAY + dt.timedelta(days=7), today=TODAY)
    last = monday + dt.timedelta(days=13)
    assert workload([cast.rep.pk, cast.team_mate.pk], TODAY, last) == [
        Week(cast.rep.pk, monday, 30, 2),
        Week(cast.rep.pk, monday + dt.timedelta(days=7), 40, 1),
        Week(cast.team_mate.pk, monday, 5, 1),
    ]


def test_answers_of_the_list(cast: Cast) -> None:
    """Over HTTP: done and taken back, one that needs an answer, several at once with one that is left."""
    client, htmx = cast.client_of("rep"), {"HX-Request": "true"}
    due_on = get_company().today() + dt.timedelta(days=3)
    row = make_renewal(owner=cast.rep)
    plain, wanting = create_tasks(
        user=cast.rep,
        tasks=[
            NewTask(row.account_id, "<b>Call</b>", due_on),
            NewTask(row.account_id, "Sign", due_on, required_outcome="Who"),
        ],
    )
    assert b"&lt;b&gt;Call&lt;/b&gt;" in client.get("/tasks/").content
    answer = client.post(f"/tasks/{plain.pk}/done/", headers=htmx)
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert (answer.status_code, toast["text"]) == (204, "Done: <b>Call</b>.")
    assert toast["minutes"] == {
        "url": f"/tasks/{plain.pk}/minutes/",
        "name": "took-spent_minutes",
        "value": 30,
        "most": 2400,
    }
    took = client.post(toast["minutes"]["url"], {"took-spent_minutes": "45"}, headers=htmx)
    told = json.loads(took.headers["HX-Trigger"])["toast"]
    assert told["text"] == "<b>Call</b> took 45 minutes."
    assert client.post(told["undoUrl"], headers=htmx).status_code == 204
    wrong = client.post(toast["minutes"]["url"], {"took-spent_minutes": "2401"}, headers=htmx)
    assert (wrong.status_code, Task.objects.get(pk=plain.pk).spent_minutes) == (422, None)
    client.post(f"/tasks/{plain.pk}/reopen/", headers=htmx)
    assert Task.objects.done().count() == 0
    asked = client.post(f"/tasks/{wanting.pk}/done/", headers=htmx)
    assert asked.headers["HX-Redirect"] == f"/tasks/{wanting.pk}/#finish"
    several = {"task": [plain.pk, wanting.pk], "action": "done"}
    toast = json.loads(client.post("/tasks/bulk/", several, headers=htmx).headers["HX-Trigger"])["toast"]
    assert toast["text"] == ("Done: <b>Call</b>. 1 left as it is: Sign is done only with what came of it: Who")
    refused = client.post("/tasks/bulk/", {"task": wanting.pk, "action": "snooze", "until": "soon"}, headers=htmx)
    assert json.loads(refused.headers["HX-Trigger"])["toast"] == {"text": "“soon” is not a date.", "level": "error"}
    assert list(Task.objects.done()) == [plain]


@pytest.mark.parametrize("address", ["/tasks/", "/coverage/"])
def test_address_edited_by_hand_names_no_stranger(cast: Cast, address: str) -> None:
    page = cast.client_of("rep").get(address, {"owner": cast.outsider.pk}).content.decode()
    assert cast.outsider.name not in page
    assert cast.outsider.name in cast.client_of("admin").get(address, {"owner": cast.outsider.pk}).content.decode()


def test_every_task_that_matches_is_taken_in_one_step_beyond_the_page(cast: Cast) -> None:
    row, other = make_renewal(owner=cast.rep), make_renewal(owner=cast.team_mate)
    today = get_company().today()
    tasks = [NewTask(row.account_id, f"Call {number}", today) for number in range(PAGE_SIZE + 2)]
    create_tasks(user=cast.rep, tasks=[*tasks, NewTask(row.account_id, "Later", today + dt.timedelta(30))])
    create_tasks(user=cast.team_mate, tasks=[NewTask(other.account_id, "Not mine", today)])
    client, htmx = cast.client_of("rep"), {"HX-Request": "true"}
    html = client.get("/tasks/?due=today").content.decode()
    assert 'hx-get="/tasks/every/?whose=mine&amp;due=today"' in html
    html = client.get("/tasks/every/?due=today").content.decode()
    assert 'name="every" value="?whose=mine&amp;due=today"> All 52 that match' in html
    answer = client.post("/tasks/bulk/", {"every": "?whose=mine&due=today", "action": "done"}, headers=htmx)
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert toast["text"] == "Done: 52 tasks."
    assert sorted(Task.objects.open().values_list("title", flat=True)) == ["Later", "Not mine"]
    assert "data-every" not in client.get("/tasks/").content.decode()
    client.post(toast["undoUrl"], headers=htmx)
    assert Task.objects.done().count() == 0


def test_more_than_one_step_takes_are_not_offered(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    create_tasks(user=cast.rep, tasks=[NewTask(row.account_id, "Call", TODAY) for _ in range(MOST_AT_ONCE + 1)])
    client = cast.client_of("rep")
    assert "more than 500 match" in client.get("/tasks/every/").content.decode()
    answer = client.post("/tasks/bulk/", {"every": "?", "action": "done"}, headers={"HX-Request": "true"})
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert toast == {"text": "At most 500 tasks at once.", "level": "error"}
    assert Task.objects.done().count() == 0
