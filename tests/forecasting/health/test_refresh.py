"""Health in the database: only what is marked, as a whole, and only what differs is written."""

import datetime as dt

import pytest
from django.db import connection

from accounts.models import (
    Account,
    AccountHealth,
    AccountSignal,
    HealthBand,
    HealthDay,
    HealthFactor,
    HealthWeightVersion,
    Segment,
    StaleHealth,
)
from forecasting.health import refresh_health, refresh_health_of
from forecasting.health.refresh import Refreshed
from tests.cast import make_account

pytestmark = pytest.mark.django_db
AS_OF = dt.date(2026, 11, 1)
BANDS = {"healthy_from": 70, "watch_from": 50}


def days_before(count):
    return AS_OF - dt.timedelta(days=count)


@pytest.fixture
def account():
    HealthWeightVersion.objects.create(weights={"nps_score": 3, "sentiment_score": 1}, **BANDS)
    return make_account()


def measure(account, days, **values):
    return AccountSignal.objects.create(account=account, measured_on=days_before(days), **values)


def history_of(account):
    rows = HealthDay.objects.filter(account=account).order_by("changed_on")
    return list(rows.values_list("changed_on", "score", "band", "completeness"))


def test_history_and_present_follow_the_signals(account):
    # NPS runs from -50 to 60 and is missing after 365 days, sentiment from 1 to 5 and after 120.
    measure(account, 200, nps_score=60, sentiment_score=1)
    measure(account, 10, nps_score=5)
    assert refresh_health(as_of=AS_OF) == Refreshed(1, 4)
    assert history_of(account) == [
        (days_before(200), 75.0, HealthBand.HEALTHY, 1.0),
        (days_before(79), 100.0, HealthBand.HEALTHY, 0.75),
        (days_before(10), 50.0, HealthBand.WATCH, 0.75),
    ]
    now = AccountHealth.objects.get(account=account)
    assert (now.score, now.band, now.completeness, now.changed_on) == (50.0, HealthBand.WATCH, 0.75, days_before(10))
    assert (now.score_30_days_before, now.score_90_days_before) == (100.0, 75.0)
    weighed = {factor.key: now.contributions[factor.position] for factor in HealthFactor.objects.all()}
    assert (weighed["nps_score"], weighed["sentiment_score"], weighed["csat_score"]) == (5000, -1, -1)
    # The next thing to change by itself: what was 90 days ago, on the day the sentiment was too old (79 days ago).
    assert now.stands_until_on == AS_OF + dt.timedelta(days=10)


def test_only_accounts_with_news_are_read_and_only_what_differs_is_written(account):
    other = make_account()
    measure(account, 5, nps_score=60)
    measure(other, 5, nps_score=60)
    assert refresh_health(as_of=AS_OF) == Refreshed(2, 4)
    assert refresh_health(as_of=AS_OF) == Refreshed(0, 0)
    AccountSignal.objects.filter(account=other).update(severe_ticket_count=0)  # without weight
    assert refresh_health(as_of=AS_OF) == Refreshed(1, 0)
    AccountSignal.objects.filter(account=other).update(nps_score=5)
    assert refresh_health(as_of=AS_OF) == Refreshed(1, 2)
    assert history_of(account) == [(days_before(5), 100.0, HealthBand.HEALTHY, 0.75)]
    assert history_of(other) == [(days_before(5), 50.0, HealthBand.WATCH, 0.75)]


def test_what_becomes_too_old_is_found_without_news(account):
    measure(account, 0, nps_score=60)
    refresh_health(as_of=AS_OF)
    on = AccountHealth.objects.get(account=account).stands_until_on
    assert on == AS_OF + dt.timedelta(days=29)
    assert refresh_health(as_of=on) == Refreshed(0, 0)
    assert refresh_health(as_of=on + dt.timedelta(days=1)) == Refreshed(1, 1)
    assert AccountHealth.objects.get(account=account).score_30_days_before == 100.0
    refresh_health(as_of=AS_OF + dt.timedelta(days=365))
    assert AccountHealth.objects.get(account=account).score == 100.0
    refresh_health(as_of=AS_OF + dt.timedelta(days=366))
    gone = AccountHealth.objects.get(account=account)
    assert (gone.score, gone.band, gone.completeness) == (None, None, 0.0)


def test_a_signal_that_is_taken_away_takes_its_days_with_it(account):
    measure(account, 5, nps_score=60)
    refresh_health(as_of=AS_OF)
    AccountSignal.objects.all().delete()
    assert refresh_health(as_of=AS_OF) == Refreshed(1, 2)
    assert not AccountHealth.objects.exists()
    assert history_of(account) == []


def test_an_account_that_moves_is_weighed_by_its_new_segment(account):
    small = Segment.objects.create(name="Small")
    HealthWeightVersion.objects.create(segment=small, weights={"sentiment_score": 1}, healthy_from=90, watch_from=80)
    measure(account, 5, nps_score=60, sentiment_score=4)
    refresh_health(as_of=AS_OF)
    assert history_of(account) == [(days_before(5), 93.75, HealthBand.HEALTHY, 1.0)]
    Account.objects.filter(pk=account.pk).update(region="North")
    assert not StaleHealth.objects.exists()
    Account.objects.filter(pk=account.pk).update(segment=small)
    refresh_health(as_of=AS_OF)
    assert history_of(account) == [(days_before(5), 75.0, HealthBand.POOR, 1.0)]
    HealthWeightVersion.objects.create(segment=small, weights={})  # back to those of the others
    refresh_health_of(account_ids=[account.pk], as_of=AS_OF)
    assert history_of(account) == [(days_before(5), 93.75, HealthBand.HEALTHY, 1.0)]


def test_a_custom_value_counts_like_any_other(account):
    HealthFactor.objects.create(
        key="quiz", label="Quiz", position=50, is_custom=True, worst_value=0, best_value=10, stale_days=30
    )
    HealthFactor.objects.filter(position=50).update(position=12)
    HealthWeightVersion.objects.create(weights={"quiz": 1, "nps_score": 1}, **BANDS)
    measure(account, 3, nps_score=60, custom_values={"quiz": 2.5, "unknown": 3})
    measure(account, 2, custom_values={"quiz": "many"})  # not a number: nothing was measured
    refresh_health(as_of=AS_OF)
    assert history_of(account) == [(days_before(3), 62.5, HealthBand.WATCH, 1.0)]


def test_marks_are_taken_in_parts(account):
    for _ in range(5):
        measure(make_account(), 1, nps_score=60)
    assert refresh_health(as_of=AS_OF, accounts_at_once=2).account_count == 5
    assert AccountHealth.objects.count() == 5


def test_signals_written_by_raw_sql_are_found(account):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_accountsignal (account_id, measured_on, nps_score) VALUES (%s, %s, 60)",
            [account.pk, days_before(1)],
        )
    assert refresh_health(as_of=AS_OF).account_count == 1
