"""Undo while somebody else writes: real connections, real commits."""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import pytest
from django.db import connection, connections, transaction

from accounts.models import User
from config.history import recorded_as
from renewals.history.kinds import RENEWAL
from renewals.history.undo import undo_batch
from renewals.models import ChangeBatch, Renewal
from tests.cast import Cast, make_renewal
from tests.renewals.history.steps import AS_OF, bulk, change

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
T = TypeVar("T")


def aside(pool: ThreadPoolExecutor, work: Callable[[], T]) -> "Future[T]":
    """Run in a thread with a connection of its own."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return pool.submit(run)


def is_waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def test_undo_waits_for_an_edit_in_hand_and_keeps_what_it_wrote(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep, confidence=40, next_step="Call") for _ in range(3)]
    batch_id = bulk(rows, cast.rep, "Two columns", confidence=70, next_step="Offer")
    with ThreadPoolExecutor() as pool:
        with transaction.atomic(), recorded_as(user_id=cast.manager.pk, how="cell"):
            Renewal.objects.filter(pk=rows[1].pk).update(confidence=55)
            undoing = aside(pool, lambda: undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF))
            wait_until(is_waiting_for_a_lock)
        answer = undoing.result(timeout=20)

    assert answer.text == "Undone: 5 cells; kept 1 that Mona Manager changed since"
    assert list(Renewal.objects.order_by("pk").values_list("confidence", "next_step")) == [
        (40, "Call"), (55, "Call"), (40, "Call"),
    ]  # fmt: skip


def test_edit_waits_for_an_undo_in_hand_and_nothing_is_lost(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)
            editing = aside(pool, lambda: change(row, cast.manager, next_step="Visit"))
            wait_until(is_waiting_for_a_lock)
        editing.result(timeout=20)
    row.refresh_from_db()
    assert (row.confidence, row.next_step) == (40, "Visit")
    assert RENEWAL.event_model.objects.count() == 3


def test_two_undos_of_one_step_undo_it_once(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep, confidence=40) for _ in range(20)]
    batch_id = bulk(rows, cast.rep, "Confidence of 20 renewals", confidence=70)
    start = threading.Barrier(2)

    def undo() -> str:
        start.wait()
        return undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF).text

    with ThreadPoolExecutor() as pool:
        texts = sorted(one.result(timeout=20) for one in [aside(pool, undo), aside(pool, undo)])

    assert texts == ["It is already as it was before.", "Undone: 20 cells"]
    assert set(Renewal.objects.values_list("confidence", flat=True)) == {40}
    assert ChangeBatch.objects.filter(how="undo").count() == 1
    assert RENEWAL.event_model.objects.count() == 40


def test_every_edit_under_way_beside_undos_stands_once_in_the_history(cast: Cast) -> None:
    """Four people write one column while a fifth undoes steps: the chain of old rows has no gap and no fork."""
    rows = [make_renewal(owner=cast.rep, confidence=0) for _ in range(5)]
    writers = [cast.rep, cast.manager, cast.admin, cast.team_mate]
    done: list[uuid.UUID] = []

    def write(number: int, user: User) -> None:
        for step in range(10):
            with recorded_as(user_id=user.pk, how="cell") as batch_id:
                Renewal.objects.filter(pk=rows[step % 5].pk).update(confidence=1 + number * 20 + step)
            done.append(batch_id)

    def undo() -> int:
        count = 0
        for _ in range(25):
            time.sleep(0.002)
            if done:
                batch_id = done[len(done) // 2]
                count += undo_batch(batch_id=batch_id, user=cast.admin, as_of=AS_OF).batch_id is not None
        return count

    with ThreadPoolExecutor() as pool:
        writing = [aside(pool, lambda pair=pair: write(*pair)) for pair in enumerate(writers)]
        undone = aside(pool, undo).result(timeout=60)
        for one in writing:
            one.result(timeout=60)

    events = list(RENEWAL.event_model.objects.order_by("pgh_id").values("pgh_obj_id", "confidence", "pgh_context"))
    assert sum(event["pgh_context"]["how"] == "cell" for event in events) == 40
    assert sum(event["pgh_context"]["how"] in {"undo", "redo"} for event in events) == undone
    for row in Renewal.objects.all():
        states = [event["confidence"] for event in events if event["pgh_obj_id"] == row.pk] + [row.confidence]
        assert states[0] == 0
        assert all(before != now for before, now in pairwise(states))


def test_times_of_events_do_not_decide_their_order(cast: Cast) -> None:
    """A transaction that began first and wrote last: its event is older by the clock and newer in the chain."""
    row = make_renewal(owner=cast.rep, confidence=40)
    with ThreadPoolExecutor() as pool, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")
        quick = aside(pool, lambda: change(row, cast.manager, confidence=50)).result(timeout=20)
        change(row, cast.rep, confidence=60)
    events = RENEWAL.event_model.objects.order_by("pgh_id")
    first, second = events
    assert first.pgh_created_at > second.pgh_created_at
    answer = undo_batch(batch_id=quick, user=cast.rep, as_of=AS_OF)
    assert answer.text == "Nothing was undone: kept 1 that Rhea Rep changed since"
    assert answer.kept[0].at == second.pgh_created_at
    assert isinstance(answer.kept[0].at, dt.datetime)
