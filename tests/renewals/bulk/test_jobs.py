"""Large edits: in the background, killed and done again, with the broker away; all of it or nothing."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from config.celery import app
from renewals.bulk import services
from renewals.bulk.changes import read_changes
from renewals.bulk.selection import Selection
from renewals.bulk.tasks import dispatch_waiting_edits
from renewals.jobs import EDIT_LOCK, is_worked_on, send
from renewals.models import BulkEdit, ChangeBatch, Renewal
from tests.cast import Cast, make_account, make_renewal

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
CONFIDENT = {"confidence_action": "set", "confidence_value": "70"}


def planned_large(cast: Cast, monkeypatch: Any, count: int = 6) -> BulkEdit:
    """An edit that is too large to be applied while the person waits."""
    monkeypatch.setattr(services, "AT_ONCE", 3)
    account = make_account(owner=cast.rep)
    rows = [make_renewal(owner=cast.rep, account=account, confidence=number) for number in range(count)]
    ids = tuple(row.pk for row in rows)
    return services.plan_edit(selection=Selection(ids=ids), changes=read_changes(CONFIDENT), user=cast.rep)


def queue_length() -> int:
    with app.connection_for_read() as link:
        key = settings.CELERY_TASK_DEFAULT_QUEUE
        return int(link.default_channel.client.llen(key))


def confidences() -> set[int | None]:
    return set(Renewal.objects.values_list("confidence", flat=True))


def test_a_large_edit_waits_for_a_worker_and_is_done_by_it(cast: Cast, monkeypatch: Any) -> None:
    edit = planned_large(cast, monkeypatch)
    services.confirm_edit(edit=edit)
    assert (edit.state, confidences()) == ("applying", set(range(6)))
    services.process_edit(edit.pk)
    edit.refresh_from_db()
    assert (edit.state, edit.done_count, edit.written_count, confidences()) == ("done", 6, 6, {70})


def test_progress_is_seen_from_outside_while_it_is_written(cast: Cast, monkeypatch: Any) -> None:
    from renewals.bulk import apply

    monkeypatch.setattr(apply, "ROWS_AT_ONCE", 2)
    edit = planned_large(cast, monkeypatch)
    services.confirm_edit(edit=edit)
    seen: list[tuple[int, set[int | None]]] = []
    outside = connection.copy()
    score = apply._score

    def look(*arguments: Any) -> None:
        with outside.cursor() as cursor:
            cursor.execute(f"SELECT done_count FROM {BulkEdit._meta.db_table} WHERE id = %s", [edit.pk])
            done = cursor.fetchone()[0]
            cursor.execute("SELECT DISTINCT confidence FROM renewals_renewal")
            seen.append((done, {value for (value,) in cursor.fetchall()}))
        score(*arguments)

    monkeypatch.setattr(apply, "_score", look)
    services.process_edit(edit.pk)
    outside.close()
    assert seen == [(6, set(range(6)))]  # all counted, and to others still as before
    assert confidences() == {70}


WORK = """
import django, sys
django.setup()
from renewals.bulk.services import process_edit
process_edit(int(sys.argv[1]))
"""


def start_process(edit: BulkEdit) -> "subprocess.Popen[bytes]":
    """Another process at work on this edit, in the test's database."""
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={database['HOST']}"
    url += f"&port={database['PORT']}" if database["PORT"] else ""
    settings_of = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORK, str(edit.pk)],
        cwd=settings.BASE_DIR,
        env={**os.environ, **settings_of, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def is_somebody_waiting_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_a_worker_killed_in_the_middle_leaves_nothing_and_the_next_one_does_it_all(
    cast: Cast, monkeypatch: Any
) -> None:
    edit = planned_large(cast, monkeypatch)
    services.confirm_edit(edit=edit)
    last = Renewal.objects.order_by("-pk").first()
    assert last is not None
    with transaction.atomic():
        # The worker locks the first five rows and waits for the last.
        Renewal.objects.select_for_update().get(pk=last.pk)
        worker = start_process(edit)
        wait_until(is_somebody_waiting_for_a_row)
        assert is_worked_on(EDIT_LOCK, edit.pk)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    wait_until(lambda: not is_worked_on(EDIT_LOCK, edit.pk))
    edit.refresh_from_db()
    assert (edit.state, edit.attempt_count, confidences()) == ("applying", 1, set(range(6)))
    assert not ChangeBatch.objects.exists()
    services.process_edit(edit.pk)
    edit.refresh_from_db()
    assert (edit.state, edit.written_count, confidences()) == ("done", 6, {70})
    assert ChangeBatch.objects.get().row_count == 6


def test_what_kills_its_worker_is_not_tried_for_ever(cast: Cast, monkeypatch: Any) -> None:
    edit = planned_large(cast, monkeypatch)
    services.confirm_edit(edit=edit)
    BulkEdit.objects.filter(pk=edit.pk).update(attempt_count=3)
    services.process_edit(edit.pk)
    edit.refresh_from_db()
    assert (edit.state, confidences()) == ("failed", set(range(6)))
    assert edit.message == "The work stopped 3 times before its end. Edit fewer rows at once."


def test_done_twice_is_done_once(cast: Cast, monkeypatch: Any) -> None:
    edit = planned_large(cast, monkeypatch)
    services.confirm_edit(edit=edit)
    for _ in range(2):
        services.process_edit(edit.pk)
    assert ChangeBatch.objects.count() == 1


def test_with_the_broker_away_the_edit_waits_and_the_sweep_sends_it(cast: Cast, monkeypatch: Any) -> None:
    edit = planned_large(cast, monkeypatch)
    there = app.conf.broker_url
    app.conf.broker_url = "redis://127.0.0.1:1/0"
    started = time.monotonic()
    try:
        services.confirm_edit(edit=edit)
    finally:
        app.conf.broker_url = there
    assert time.monotonic() - started < 5
    edit.refresh_from_db()
    assert edit.state == "applying"
    BulkEdit.objects.filter(pk=edit.pk).update(requested_at=timezone.now() - dt.timedelta(minutes=1))
    before = queue_length()
    dispatch_waiting_edits()
    assert queue_length() == before + 1


def test_the_sweep_leaves_alone_what_is_worked_on(cast: Cast, monkeypatch: Any) -> None:
    edit = planned_large(cast, monkeypatch)
    services.confirm_edit(edit=edit)
    BulkEdit.objects.filter(pk=edit.pk).update(requested_at=timezone.now() - dt.timedelta(minutes=1))
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [EDIT_LOCK, edit.pk])
        before = queue_length()
        dispatch_waiting_edits()
        assert queue_length() == before
        services.process_edit(edit.pk)
    other.close()
    assert confidences() == set(range(6))


def test_a_lost_message_is_told_and_not_raised() -> None:
    there = app.conf.broker_url
    app.conf.broker_url = "redis://127.0.0.1:1/0"
    try:
        assert send(services.TASK, 1) is False
    finally:
        app.conf.broker_url = there


def test_two_edits_of_the_same_rows_at_once_are_one_after_the_other(cast: Cast, monkeypatch: Any) -> None:
    """The second waits for the locks of the first, then finds the rows changed since its plan."""
    edit = planned_large(cast, monkeypatch)
    ids = tuple(Renewal.objects.values_list("pk", flat=True))
    asked = read_changes({"confidence_action": "set", "confidence_value": "20"})
    second = services.plan_edit(selection=Selection(ids=ids), changes=asked, user=cast.manager)
    services.confirm_edit(edit=edit)
    services.confirm_edit(edit=second)
    workers = [start_process(edit), start_process(second)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    edit.refresh_from_db()
    second.refresh_from_db()
    assert sorted([(edit.written_count, edit.skipped_count), (second.written_count, second.skipped_count)]) == [
        (0, 6),
        (6, 0),
    ]
    assert confidences() in ({70}, {20})


def test_rows_and_files_of_old_edits_are_cleared_away(cast: Cast, monkeypatch: Any) -> None:
    edit = planned_large(cast, monkeypatch)
    services.forget_old_edits(now=timezone.now())
    assert edit.rows.count() == 6
    services.forget_old_edits(now=timezone.now() + services.KEPT_FOR)
    assert edit.rows.count() == 0
    assert BulkEdit.objects.filter(pk=edit.pk).exists()
