"""A past moment's book is read once; what could still change is read each time."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from forecasting.as_at import kept, moments
from forecasting.as_at.kept import read_scored_book
from renewals.models import Renewal, TimingPolicyVersion
from tests.cast import Cast, make_renewal
from tests.forecasting.as_at.history import happening_at, unrecorded
from tests.forecasting.forecast_book import recompute

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def _none_kept() -> Iterator[None]:
    kept._kept.clear()
    yield
    kept._kept.clear()


@pytest.fixture
def renewal(cast: Cast) -> Renewal:
    with transaction.atomic():
        with unrecorded():
            TimingPolicyVersion.objects.update(created_at=moment(days=3))
        with happening_at(moment(days=3)):
            return make_renewal(owner=cast.rep, confidence=40)


def moment(**ago: int) -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC) - dt.timedelta(**ago)


def test_a_past_moment_is_read_once_and_anew_under_another_fit(renewal: Renewal) -> None:
    yesterday = moment(days=1)
    book = read_scored_book(yesterday)
    Renewal.objects.filter(pk=renewal.pk).update(confidence=90)
    assert read_scored_book(yesterday) is book
    assert book.rows["confidence"].tolist() == [40]
    run = recompute()
    type(run).objects.filter(pk=run.pk).update(published_at=moment(days=2))
    assert read_scored_book(yesterday).run_id == run.pk


def test_what_may_still_change_is_not_kept(renewal: Renewal) -> None:
    read_scored_book(moment(seconds=0))
    with transaction.atomic():
        read_scored_book(moment(days=1))
    assert kept._kept == {}


def test_a_moment_that_an_open_transaction_could_still_write_is_not_kept(
    renewal: Renewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "SETTLED_AFTER_SECONDS", 0)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT now()")
            began = cursor.fetchone()[0]
            read_scored_book(began)
            assert kept._kept == {}
            cursor.execute("ROLLBACK")
            read_scored_book(began)
    finally:
        other.close()
    assert len(kept._kept) == 1


def test_the_oldest_goes_until_the_rest_fits(renewal: Renewal, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_scored_book(moment(days=2))
    size = next(iter(kept._kept.values())).byte_count
    monkeypatch.setattr(kept, "MOST_BYTES", 2 * size)
    for days in (1, 2):
        read_scored_book(moment(days=days))
    assert first not in [one.book for one in kept._kept.values()]
    assert len(kept._kept) == 2
    monkeypatch.setattr(kept, "MOST_BYTES", size - 1)
    read_scored_book(moment(hours=30))
    assert first is not read_scored_book(first.moment)
