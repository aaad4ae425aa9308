"""What the demo company is held to, and what its people were told in the last days.

Targets stand a little below what is expected of each quarter and month of the fiscal year, a few above it, by a hash of
whose they are. The rules look once for each of the last days, so that what came near, was opened or left meanwhile is
news of its day. Then things happen today: at some customers use collapses, and their reps note what to do; elsewhere a
rep believes less in a renewal than last week. What that raises is found as it is found in any book.
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
from renewals.models import Renewal
from renewals.services import cell_value, update_renewal

NEWS_DAYS: Final = 10
# Three digits, as people set targets. A person's month is too little to be held to.
FILL_TARGETS: Final = """
INSERT INTO forecasting_target (grain, starts_on, team_id, owner_id, amount)
SELECT grain, starts_on, team_id, owner_id, round(wanted, 1 - floor(log(wanted))::int)
FROM (
    SELECT l.*, greatest(1000, expected_amount
        * (76 + abs(hashtext(grain || starts_on || coalesce(team_id, 0) || '/' || coalesce(owner_id, 0))) %% 24) / 100)
        AS wanted
    FROM forecasting_forecastline l
    WHERE segment_id IS NULL AND starts_on >= %(first)s AND expected_amount > 0
        AND (owner_id IS NULL OR grain = 'quarter' AND EXISTS (
            SELECT FROM accounts_user u WHERE u.id = owner_id AND u.is_active))
) line
"""
FOR_ADMINS: Final = (AlertRule.Kind.BELOW_TARGET, AlertRule.Kind.RISK_JUMP, AlertRule.Kind.SEVERE_TICKET)
COLLAPSED: Final = 8
# Customers that are well enough to be missed: what is measured of them today is the worst in a year.
COLLAPSE: Final = """
WITH chosen AS (
    SELECT DISTINCT ON (r.account_id) r.account_id, r.id AS renewal_id
    FROM renewals_renewal r JOIN renewals_renewalscore s ON s.renewal_id = r.id
    JOIN accounts_user u ON u.id = r.owner_id
    WHERE r.outcome = 'open' AND NOT r.is_excluded AND r.due_on BETWEEN %(today)s + 20 AND %(today)s + 240
        AND s.risk_score BETWEEN 12 AND 30 AND u.is_active AND u.role = 'rep'
    ORDER BY r.account_id, r.due_on
), picked AS (SELECT * FROM chosen ORDER BY account_id * 7919 %% 1009, account_id LIMIT %(most)s),
told AS (
    INSERT INTO accounts_accountsignal (account_id, measured_on, usage_change_rate, login_change_rate, csat_score,
        nps_score, sentiment_score)
    SELECT account_id, %(today)s, -0.58 - account_id %% 30 / 100.0, -0.5, 1.6, -55, 2 FROM picked
    ON CONFLICT (account_id, measured_on) DO UPDATE SET usage_change_rate = excluded.usage_change_rate,
        login_change_rate = excluded.login_change_rate, csat_score = excluded.csat_score,
        nps_score = excluded.nps_score, sentiment_score = excluded.sentiment_score
)
SELECT renewal_id FROM picked
"""
NEXT_STEP: Final = "Use fell by half: call their sponsor"
CUTS: Final = 5
CUT_POINTS: Final = 30


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
    for days_ago in range(NEWS_DAYS, 0, -1):
        look_for_causes(now=now - dt.timedelta(days=days_ago))
    _let_things_happen(company.today(now))
    look_for_causes(now=now)


def _let_things_happen(today: dt.date) -> None:
    """Signals as they are imported, and edits of the renewals' own reps, each scored as any edit is."""
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        cursor.execute(COLLAPSE, {"today": today, "most": COLLAPSED})
        collapsed = [pk for (pk,) in cursor.fetchall()]
    for renewal in Renewal.objects.filter(pk__in=collapsed).order_by("pk"):
        _edit(renewal, "next_step", NEXT_STEP, today)
    believed = Renewal.objects.open().filter(
        confidence__gte=60, owner__is_active=True, owner__role=User.Role.REP, is_excluded=False, due_on__gt=today
    )
    for renewal in believed.exclude(pk__in=collapsed).order_by("-score__risk_score", "pk")[:CUTS]:
        _edit(renewal, "confidence", (renewal.confidence or 0) - CUT_POINTS, today)


def _edit(renewal: Renewal, field: str, value: object, today: dt.date) -> None:
    owner = renewal.owner
    assert owner is not None  # as they were chosen
    seen = cell_value(renewal, field)
    update_renewal(renewal_id=renewal.pk, field=field, value=value, seen=seen, user=owner, as_of=today)
