"""A recompute beside edits: what a person wrote meanwhile is what is judged."""

import datetime as dt
import time
from threading import Thread

import pytest
from django.db import connection, connections

from renewals.models import Renewal, RenewalQuality
from renewals.quality.evaluate import LOCK, evaluate_all
from tests.cast import Cast, make_renewal

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
AS_OF = dt.date(2026, 11, 21)


def evaluate_elsewhere() -> None:
    try:
        evaluate_all(as_of=AS_OF)
    finally:
        connections.close_all()


def wait_until_it_waits() -> None:
    """Until somebody waits for the lock: the pass over the book is done, and nothing of it is written."""
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone() == (1,):
                return
            time.sleep(0.02)
    raise AssertionError("The recompute did not get to its lock.")


def test_row_that_changed_after_the_pass_is_judged_as_it_is_now(transactional_db: None, cast: Cast) -> None:
    mended, broken, other = (make_renewal(owner=cast.rep, due_on=dt.date(2027, 11, 21), confidence=95) for _ in "abc")
    evaluate_all(as_of=AS_OF)
    Renewal.objects.filter(pk=mended.pk).update(confidence=94)
    RenewalQuality.objects.filter(pk__in=[mended.pk, other.pk]).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        thread = Thread(target=evaluate_elsewhere)
        thread.start()
        wait_until_it_waits()
        # The pass has found all three broken.
        Renewal.objects.filter(pk=mended.pk).update(confidence=40)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    thread.join(20)
    assert set(RenewalQuality.objects.values_list("pk", flat=True)) == {broken.pk, other.pk}
