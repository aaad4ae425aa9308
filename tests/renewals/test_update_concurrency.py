"""Two people on one row at the same moment, with real threads and real commits."""

import datetime as dt
import time
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from accounts.models import User
from renewals.models import Renewal
from renewals.services import StaleRenewal, update_renewal
from tests.cast import Cast, make_renewal

AS_OF = dt.date(2026, 11, 21)


@pytest.fixture
def row(transactional_db: None, cast: Cast) -> Renewal:
    return make_renewal(owner=cast.rep, confidence=10, forecast_amount=Decimal(100))


def edit_at_once(row: Renewal, *edits: tuple[User, str, Any, str]) -> list[object]:
    """Every edit in a thread and a connection of its own, all let go together; what came of each."""
    start = Barrier(len(edits))
    results: list[object] = [None] * len(edits)

    def edit(place: int, user: User, field: str, value: Any, seen: str) -> None:
        try:
            connection.ensure_connection()
            start.wait(10)
            results[place] = update_renewal(
                renewal_id=row.pk, field=field, value=value, seen=seen, user=user, as_of=AS_OF
            )
        except StaleRenewal as stale:
            results[place] = stale
        finally:
            connection.close()

    threads = [Thread(target=edit, args=(place, *one)) for place, one in enumerate(edits)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_on_the_same_field_one_wins_and_the_other_sees_both_values(row: Renewal, cast: Cast) -> None:
    for _ in range(5):
        seen = Renewal.objects.get(pk=row.pk).confidence
        values = (seen + 1, seen + 2)
        results = edit_at_once(
            row, (cast.rep, "confidence", values[0], str(seen)), (cast.manager, "confidence", values[1], str(seen))
        )
        (stale,) = [result for result in results if isinstance(result, StaleRenewal)]
        winner = 1 - results.index(stale)
        assert Renewal.objects.get(pk=row.pk).confidence == values[winner]
        author = (cast.rep, cast.manager)[winner].name
        assert (stale.theirs_value, stale.author.name) == (str(values[winner]), author)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_on_different_fields_both_win(row: Renewal, cast: Cast) -> None:
    results = edit_at_once(
        row, (cast.rep, "confidence", 80, "10"), (cast.manager, "forecast_amount", Decimal(300), "100.00")
    )
    assert [type(result).__name__ for result in results] == ["Change", "Change"]
    fresh = Renewal.objects.get(pk=row.pk)
    assert (fresh.confidence, fresh.forecast_amount, fresh.events.count()) == (80, 300, 2)  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_same_edit_sent_twice_at_once_is_one(row: Renewal, cast: Cast) -> None:
    edit_at_once(row, (cast.rep, "confidence", 55, "10"), (cast.rep, "confidence", 55, "10"))
    fresh = Renewal.objects.get(pk=row.pk)
    assert (fresh.confidence, fresh.events.count()) == (55, 1)  # type: ignore[attr-defined]


def wait_for_a_lock() -> None:
    """Until another connection waits for a row that this one has changed."""
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("Nobody waits.")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_row_that_is_handed_over_meanwhile_is_judged_by_its_new_owner(row: Renewal, cast: Cast) -> None:
    """Both owners are in the manager's team: the edit that waited goes through, and the former owner's does not."""
    answers: dict[str, object] = {}

    def edit(user: User, field: str, value: Any, seen: str) -> None:
        try:
            change = update_renewal(renewal_id=row.pk, field=field, value=value, seen=seen, user=user, as_of=AS_OF)
            answers[user.name] = change.text
        except PermissionDenied as refused:
            answers[user.name] = refused
        finally:
            connection.close()

    for user, field, value, seen in (
        (cast.manager, "confidence", 20, "10"),
        (cast.rep, "forecast_amount", Decimal(300), "100.00"),
    ):
        Renewal.objects.filter(pk=row.pk).update(owner=cast.rep)
        with transaction.atomic():
            Renewal.objects.filter(pk=row.pk).update(owner=cast.team_mate)
            thread = Thread(target=edit, args=(user, field, value, seen))
            thread.start()
            wait_for_a_lock()
        thread.join(30)
    assert answers[cast.manager.name] == f"Confidence of {row.account}: 10% → 20%"
    assert isinstance(answers[cast.rep.name], PermissionDenied)
    fresh = Renewal.objects.get(pk=row.pk)
    assert (fresh.confidence, fresh.forecast_amount) == (20, 100)
