"""Tasks. The one that is asked about is the rep's, of the rep's account."""

import uuid
from typing import Any

from accounts.models import get_company
from engagement.models import Task
from engagement.tasks.services import NewTask, create_task, finish_task
from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody, only
from tests.permissions.touches import account

NOWHERE = {"outsider": 404, "other_manager": 404}
READERS = everybody(200, **NOWHERE)
WRITERS = only("rep", "manager", "admin", status=302, **NOWHERE)
WORKERS = everybody(302, viewer=403, auditor=403, anonymous=302)


def renewal(cast: Cast) -> Renewal:
    return Renewal.objects.filter(owner=cast.rep).first() or make_renewal(owner=cast.rep)


def task(cast: Cast) -> int:
    row, found = renewal(cast), Task.objects.open().first()
    if found is None:
        due_on = get_company().today()
        new = NewTask(account_id=row.account_id, renewal_id=row.pk, title="Call", due_on=due_on)
        found = create_task(user=cast.rep, task=new)
    return found.pk


def done_task(cast: Cast) -> int:
    found = Task.objects.get(pk=task(cast))
    finish_task(user=cast.rep, task=found)
    return found.pk


def own_step(cast: Cast) -> uuid.UUID:
    return finish_task(user=cast.rep, task=Task.objects.get(pk=task(cast))).batch_id


def name_of_account(cast: Cast) -> str:
    return renewal(cast).account.name


FIELDS: dict[str, Any] = {"task-title": "<b>Call</b>", "task-due_on": "2030-01-07", "task-estimated_minutes": "15"}
QUICK = {"task-title": "Call", "task-due_on": "2030-01-07"}
LATE = {"until": "2030-01-07"}
ROWS = [
    Row("tasks:list", everybody(200)),
    Row("tasks:every", everybody(200)),
    Row("tasks:every", everybody(405), method="post"),
    Row("tasks:totals", everybody(200)),
    Row("tasks:totals", everybody(405), method="post"),
    Row("tasks:list", everybody(405), method="post"),
    Row("tasks:workload", everybody(200)),
    Row("tasks:section", READERS, kwargs={"account_id": account}),
    Row("tasks:section", everybody(404), kwargs={"account_id": 999_999_999}),
    Row("tasks:add", WRITERS, kwargs={"account_id": account}, method="post", data=QUICK),
    Row(
        "tasks:add",
        only("rep", "manager", "admin", status=422, **NOWHERE),
        kwargs={"account_id": account},
        method="post",
        data={"task-title": "", "task-due_on": "soon"},
    ),
    Row("tasks:add", everybody(405), kwargs={"account_id": account}),
    Row("tasks:accounts", everybody(200)),
    Row("tasks:new", everybody(200, viewer=403, auditor=403)),
    Row(
        "tasks:new",
        everybody(422, viewer=403, auditor=403) | {"rep": 302, "manager": 302, "admin": 302},
        method="post",
        data={**FIELDS, "task-account": name_of_account},
    ),
    Row("tasks:minutes", everybody(405), kwargs={"pk": done_task}),
    Row("tasks:minutes", WRITERS, kwargs={"pk": done_task}, method="post", data={"took-spent_minutes": "45"}),
    Row(
        "tasks:minutes",
        only("rep", "manager", "admin", status=422, **NOWHERE),
        kwargs={"pk": done_task},
        method="post",
        data={"took-spent_minutes": "0"},
    ),
    Row("tasks:task", READERS, kwargs={"pk": task}),
    Row("tasks:task", WRITERS, kwargs={"pk": task}, method="post", data=FIELDS),
    Row(
        "tasks:task",
        only("rep", "manager", "admin", status=422, **NOWHERE),
        kwargs={"pk": task},
        method="post",
        data={"task-title": ""},
    ),
    Row("tasks:task", everybody(404), kwargs={"pk": 999_999_999}),
    Row("tasks:finish", WRITERS, kwargs={"pk": task}, method="post"),
    Row("tasks:finish", everybody(405), kwargs={"pk": task}),
    Row("tasks:reopen", WRITERS, kwargs={"pk": done_task}, method="post"),
    Row("tasks:snooze", WRITERS, kwargs={"pk": task}, method="post", data=LATE),
    Row("tasks:bulk", WRITERS | {"viewer": 403}, method="post", data={"task": task, "action": "done"}),
    Row("tasks:bulk", WORKERS, method="post", data={"action": "done"}),
    Row("tasks:undo", everybody(404, rep=302), kwargs={"batch_id": own_step}, method="post"),
    Row("tasks:undo", everybody(405), kwargs={"batch_id": own_step}),
]
