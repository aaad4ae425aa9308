"""What the demo's people were told: raised by what happened in its book, over several days."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import AccountSignal, get_company
from engagement.demo.alerts import COLLAPSED, CUTS, NEXT_STEP, fill_alerts
from engagement.models import Alert, Notification
from forecasting.models import ForecastLine, Target
from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute

pytestmark = pytest.mark.django_db


def test_alerts_come_of_what_happens(cast: Cast) -> None:
    today = get_company().today()
    for number in range(COLLAPSED + CUTS + 4):
        row = make_renewal(owner=cast.rep, due_on=today + dt.timedelta(30 + 8 * number), confidence=80, notice_days=30)
        AccountSignal.objects.create(
            account=row.account, measured_on=today - dt.timedelta(20), usage_change_rate=0.4, csat_score=4.8,
            nps_score=60, sentiment_score=5, login_change_rate=0.3,
        )  # fmt: skip
    recompute()
    fill_alerts()
    cuts = Alert.objects.filter(rule__kind="confidence_cut")
    assert {alert.facts["from"] - alert.facts["to"] for alert in cuts} == {30}
    assert cuts.count() == CUTS
    collapsed = Renewal.objects.filter(next_step=NEXT_STEP)
    jumps = Alert.objects.filter(rule__kind="risk_jump", is_quiet=False)
    assert 0 < jumps.count() <= collapsed.count() <= COLLAPSED
    assert set(jumps.values_list("renewal", flat=True)) <= set(collapsed.values_list("pk", flat=True))
    near = Alert.objects.filter(rule__kind="decision_near", is_quiet=False)
    assert len(set(near.values_list("fired_at__date", flat=True))) > 1
    assert Notification.objects.filter(user=cast.rep).count() >= jumps.count() + CUTS
    assert Target.objects.count() > 0
    for target in Target.objects.all():
        line = ForecastLine.objects.get(
            grain=target.grain, starts_on=target.starts_on, team=target.team, owner=target.owner, segment=None
        )
        assert Decimal("0.75") <= target.amount / line.expected_amount <= Decimal("1.05")
    before = Alert.objects.count()
    fill_alerts()
    assert Alert.objects.count() == before
