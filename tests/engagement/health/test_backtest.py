import datetime as dt
from decimal import Decimal

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import HealthBand, HealthDay
from engagement.health.backtest import difference_interval, measure, read_backtest, summarise, wilson_interval
from renewals.models import RenewalScore, TimingClass
from tests.cast import make_account, make_renewal

AS_OF = dt.date(2026, 11, 22)
DUE_ON = dt.date(2026, 6, 30)
RATES = {"EUR": Decimal(1), "USD": Decimal("0.5")}


def test_intervals_are_the_published_ones():
    # Newcombe (1998), tables of method 3 for one share (81 of 263) and of method 10 for two (56 of 70, 48 of 80).
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert difference_interval((56, 70), (48, 80)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_a_share_lies_within_its_interval(pair):
    count, total = pair
    low, high = wilson_interval(count, total)
    assert 0 <= low <= count / total + 1e-12
    assert count / total - 1e-12 <= high <= 1


def decided(account, timing, *, due_on=DUE_ON, amount=1000, currency="EUR", **fields):
    outcome = {TimingClass.LOST: "lost", TimingClass.LAPSED: "open"}.get(timing, "renewed")
    days = {"renewed": {"ordered_on": due_on, "final_amount": amount}, "lost": {"declined_on": due_on}}
    renewal = make_renewal(
        owner=account.owner, account=account, due_on=due_on, outcome=outcome, currency=currency,
        baseline_amount=Decimal(amount), **days.get(outcome, {}) | fields,
    )  # fmt: skip
    RenewalScore.objects.create(
        renewal=renewal, account=account, timing_class=timing, timing_days=0, risk_score=10, likelihood=0.5,
        likelihood_count=1, probability=0.5, completeness=1, contributions=[],
    )  # fmt: skip
    return renewal


def was(account, band, days_before):
    changed_on = DUE_ON - dt.timedelta(days=days_before)
    HealthDay.objects.create(account=account, changed_on=changed_on, score=50, band=band, completeness=1)


def asked(user, *, horizon=30, segment_id=None):
    found = measure(user, as_of=AS_OF, horizon_days=horizon, segment_id=segment_id, rates=RATES)
    return [
        (row.band, row.account_count, row.gone_account_count, row.renewal_count, row.baseline_amount, row.gone_amount)
        for row in found.rows
    ]


@pytest.mark.django_db
def test_each_decision_counts_by_the_band_before_it(cast):
    healthy, poor, unknown = (make_account(owner=cast.rep) for _ in range(3))
    was(healthy, HealthBand.HEALTHY, 200)
    was(healthy, HealthBand.POOR, 29)  # within the horizon: what came so late was no warning
    was(poor, HealthBand.POOR, 30)
    decided(healthy, TimingClass.ON_TIME)
    decided(healthy, TimingClass.LOST, amount=400, currency="USD")
    decided(poor, TimingClass.LOST)
    decided(poor, TimingClass.LAPSED, amount=50)
    decided(unknown, TimingClass.WIN_BACK, amount=7, ordered_on=DUE_ON + dt.timedelta(days=99))
    decided(unknown, TimingClass.EARLY, due_on=dt.date(2020, 1, 1))  # too long ago
    decided(poor, TimingClass.ON_TIME, is_excluded=True, excluded_reason="Merged")
    decided(make_account(owner=cast.outsider), TimingClass.LOST)  # of another team
    expected = [
        (HealthBand.HEALTHY, 1, 0, 2, Decimal(1200), Decimal(200)),
        (HealthBand.WATCH, 0, 0, 0, Decimal(0), Decimal(0)),
        (HealthBand.POOR, 1, 1, 2, Decimal(1050), Decimal(1050)),
        (None, 1, 1, 1, Decimal(7), Decimal(7)),
    ]
    assert asked(cast.manager) == expected
    assert asked(cast.manager, segment_id=healthy.segment_id) == expected
    assert asked(cast.manager, segment_id=999_999) == [(row[0], 0, 0, 0, 0, 0) for row in expected]
    assert asked(cast.manager, horizon=31)[2][1:3] == (0, 0)
    assert asked(cast.admin)[3][1:3] == (2, 2)


@pytest.mark.django_db
def test_an_account_counts_again_in_another_quarter(cast):
    account = make_account(owner=cast.rep)
    was(account, HealthBand.WATCH, 400)
    for due_on in (DUE_ON, dt.date(2026, 7, 1)):
        decided(account, TimingClass.LATE, due_on=due_on, ordered_on=due_on + dt.timedelta(days=9))
    assert asked(cast.rep)[1][:4] == (HealthBand.WATCH, 2, 0, 2)


@pytest.mark.django_db
def test_the_page_keeps_an_answer_for_a_while_by_reader(cast):
    cache.clear()

    def count(user):
        found = read_backtest(user, as_of=AS_OF, horizon_days=30, segment_id=None, rates=RATES)
        return found.account_count

    assert (count(cast.rep), count(cast.outsider)) == (0, 0)
    decided(make_account(owner=cast.rep), TimingClass.LOST)
    assert count(cast.rep) == 0
    cache.clear()
    assert (count(cast.rep), count(cast.outsider)) == (1, 0)
    cache.clear()


def verdict(healthy, watch, poor):
    logos = {HealthBand.HEALTHY: healthy, HealthBand.WATCH: watch, HealthBand.POOR: poor}
    found = summarise([], logos, RATES)
    return found.separates, found.verdict


def test_it_says_honestly_whether_health_told_them_apart():
    assert verdict((19, 1), (50, 9), (3, 3)) == (
        False, "Too few to tell: 19 healthy and 3 poor, where 20 of each are needed.",
    )  # fmt: skip
    separates, words = verdict((100, 10), (50, 9), (50, 20))
    assert separates
    assert words == (
        "Poor accounts churned 4.0 times as often as healthy ones: +30.0 points, between +15.5 and +44.5 with 95 %"
        " certainty."
    )
    separates, words = verdict((100, 10), (50, 30), (50, 20))
    assert separates
    assert words.endswith("The middle band is out of order, though.")
    separates, words = verdict((100, 30), (50, 9), (50, 15))
    assert not separates
    assert words.startswith("Health did not separate: poor against healthy accounts +0.0 points, between -")


def test_a_currency_without_a_rate_is_named_and_in_no_amount():
    rows = [
        (HealthBand.POOR, "EUR", 2, 1, Decimal(30), Decimal(10)),
        (HealthBand.POOR, "JPY", 3, 3, Decimal(9), Decimal(9)),
    ]
    found = summarise(rows, {HealthBand.POOR: (5, 4)}, RATES)
    poor = found.rows[2]
    assert (poor.renewal_count, poor.gone_renewal_count, poor.baseline_amount, poor.gone_amount) == (5, 4, 30, 10)
    assert (poor.value_rate, found.without_rate) == (pytest.approx(1 / 3), ["JPY"])
