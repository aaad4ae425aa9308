"""What the demo company is held to, and what its people were told in the last days.

Targets stand a little above or below what is expected of each quarter and month of the fiscal year, by a hash of whose
they are. The rules first look as if it were three days ago, then now: what came near meanwhile is news.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User, get_company
from config.history import recorded_as
from engagement.alerts.watch import look_for_causes
from engagement.models import Alert, AlertRule, Subscription
from forecasting.models import Target
from forecasting.targets.page import fiscal_year

NEWS_DAYS: Final = 3
FILL_TARGETS: Final = """
INSERT INTO forecasting_target (grain, starts_on, team_id, owner_id, amount)
SELECT grain, starts_on, team_id, owner_id, ceil(expected_amount
    * (96 + abs(hashtext(grain || starts_on || coalesce(team_id, 0) || '/' || coalesce(owner_id, 0))) %% 13) / 100
    / 5000) * 5000
FROM forecasting_forecastline l
WHERE segment_id IS NULL AND starts_on >= %(first)s AND expected_amount > 0
    AND (owner_id IS NULL OR EXISTS (SELECT FROM accounts_user u WHERE u.id = owner_id AND u.is_active))
"""
# A few risks were low until lately, as runs of earlier weeks would have seen them.
LOWER_MARKS: Final = """
UPDATE engagement_riskmark SET reference_risk = risk * 0.55, reference_on = %(day)s, jump = risk * 0.45,
    peak_jump = risk * 0.45, peak_risk = risk
WHERE risk >= 35 AND renewal_id %% 7 = 0
"""
FOR_ADMINS: Final = (AlertRule.Kind.BELOW_TARGET, AlertRule.Kind.RISK_JUMP)


def fill_alerts() -> None:
    """Nothing where a rule has looked already."""
    if Alert.objects.exists() or Target.objects.exists():
        return
    company, now = get_company(), timezone.now()
    year = fiscal_year(company.today(now), company.fiscal_year_start_month)
    first = dt.date(year - (company.fiscal_year_start_month > 1), company.fiscal_year_start_month, 1)
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        cursor.execute(FILL_TARGETS, {"first": first})
        rules = AlertRule.objects.filter(kind__in=FOR_ADMINS)
        Subscription.objects.bulk_create(
            Subscription(user=admin, rule=rule, scope=Subscription.Scope.SEEN)
            for admin in User.objects.filter(role=User.Role.ADMIN)
            for rule in rules
        )
        look_for_causes(now=now - dt.timedelta(days=NEWS_DAYS))
        cursor.execute(LOWER_MARKS, {"day": company.today(now) - dt.timedelta(days=20)})
    look_for_causes(now=now)
