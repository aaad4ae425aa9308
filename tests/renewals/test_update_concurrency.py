"""Two people on one row at the same moment, with real threads and real commits."""

import datetime as dt
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

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
