import datetime as dt

import pytest
from django.db.models import Q

from accounts.models import AccountSignal, get_company
from engagement.demo.health import MONTHS, fill_health
from tests.cast import make_account, make_renewal

pytestmark = pytest.mark.django_db


def test_moods_and_logins_of_a_year_follow_what_was_measured(cast):
    today = get_company().today()
    renewal = make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=30))
    AccountSignal.objects.create(account=renewal.account, measured_on=today - dt.timedelta(days=400), nps_score=100)
    AccountSignal.objects.create(account=make_account(), measured_on=today, nps_score=100)  # nothing open
    fill_health()
    told = AccountSignal.objects.filter(Q(sentiment_score__isnull=False) | Q(login_change_rate__isnull=False))
    assert set(told.values_list("account", flat=True)) == {renewal.account_id}
    days = list(told.order_by("measured_on").values_list("measured_on", flat=True))
    assert len(days) == MONTHS
    assert days[-1] <= today
    assert days[0] > today - dt.timedelta(days=30 * MONTHS)
    before = list(AccountSignal.objects.order_by("pk").values())
    fill_health()
    assert list(AccountSignal.objects.order_by("pk").values()) == before
