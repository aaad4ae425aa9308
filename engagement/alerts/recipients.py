"""Who is told of an alert, by which channel, and when."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any, Final

from accounts.models import Company
from engagement.models import AlertPreference

# Whoever sees the renewal or the target (visible_to, from its other side) and wants to be told, by each of their
# channels. A test asks visible_to for the same.
TELL: Final = """
INSERT INTO engagement_notification (alert_id, user_id, channel, made_at, due_at)
SELECT a.id, u.id, by.channel, %(now)s, CASE
    WHEN by.channel = 'app' THEN NULL
    WHEN by.channel = 'mail' AND s.mail = 'daily' THEN coalesce(p.daily_at, %(daily)s)
    WHEN by.channel = 'mail' AND s.mail = 'weekly' THEN coalesce(p.weekly_at, %(weekly)s)
    ELSE %(now)s END
FROM engagement_alert a
LEFT JOIN renewals_renewal r ON r.id = a.renewal_id
LEFT JOIN forecasting_target t ON t.id = a.target_id
LEFT JOIN accounts_user o ON o.id = coalesce(r.owner_id, t.owner_id)
JOIN accounts_user u ON u.is_active AND (
    u.role = 'admin' OR u.sees_whole_book OR u.id = o.id OR u.team_id = o.team_id OR u.team_id = t.team_id)
LEFT JOIN engagement_subscription s ON s.user_id = u.id AND s.rule_id = a.rule_id
LEFT JOIN unnest(%(users)s::bigint[], %(dailies)s::timestamptz[], %(weeklies)s::timestamptz[])
    AS p (user_id, daily_at, weekly_at) ON p.user_id = u.id
CROSS JOIN LATERAL (VALUES
    ('app', coalesce(s.in_app, true)),
    ('mail', coalesce(s.mail, 'off') <> 'off'),
    ('webhook', coalesce(s.webhook, false))
) AS by (channel, is_wanted)
WHERE a.id = ANY(%(alerts)s) AND by.is_wanted AND CASE
        coalesce(s.scope, CASE u.role WHEN 'rep' THEN 'own' WHEN 'manager' THEN 'seen' ELSE 'none' END)
    WHEN 'own' THEN u.id = o.id OR (u.role = 'manager' AND u.team_id = t.team_id)
    WHEN 'seen' THEN true
    ELSE false END
AND NOT EXISTS (SELECT FROM engagement_alertmute m
    WHERE m.user_id = u.id AND m.rule_id = a.rule_id AND m.account_id = a.account_id)
ON CONFLICT DO NOTHING
"""
DIGEST_AT: Final = dt.time(8)


def tell(cursor: Any, *, alert_ids: list[int], company: Company, now: dt.datetime) -> int:
    """Write down who is told of these alerts, in the caller's transaction; how many notifications that are."""
    if not alert_ids:
        return 0
    zone = zoneinfo.ZoneInfo(company.time_zone)
    own = list(AlertPreference.objects.all())
    values = {
        "alerts": alert_ids,
        "now": now,
        "daily": next_digest(now, zone, DIGEST_AT),
        "weekly": next_digest(now, zone, DIGEST_AT, weekday=AlertPreference.Weekday.MONDAY.value),
        "users": [one.user_id for one in own],
        "dailies": [next_digest(now, zone, one.digest_at) for one in own],
        "weeklies": [next_digest(now, zone, one.digest_at, weekday=one.digest_weekday) for one in own],
    }
    cursor.execute(TELL, values)
    told: int = cursor.rowcount
    return told


def next_digest(now: dt.datetime, zone: zoneinfo.ZoneInfo, at: dt.time, *, weekday: int | None = None) -> dt.datetime:
    """The first moment after `now` that is this time of day there, on that day of the week (Monday is 0) or any."""
    local = now.astimezone(zone)
    for days in range(9):
        moment = dt.datetime.combine(local.date() + dt.timedelta(days=days), at, zone).astimezone(dt.UTC)
        if moment > now and weekday in (None, (local.date() + dt.timedelta(days=days)).weekday()):
            return moment
    raise AssertionError("A week has every day once.")


def is_quiet(preference: AlertPreference | None, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> bool:
    """Whether the person is not to be disturbed at this moment; hours may run over midnight."""
    if preference is None or preference.quiet_from is None or preference.quiet_until is None:
        return False
    time, begin, end = now.astimezone(zone).time(), preference.quiet_from, preference.quiet_until
    return begin <= time < end if begin <= end else time >= begin or time < end
