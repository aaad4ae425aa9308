"""Alerts: each person's own, about rows that they see; rules by admins."""

import datetime as dt

from django.utils import timezone

from engagement.models import Alert, AlertMute, AlertRule
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody, only


def rule(cast: Cast) -> int:
    return AlertRule.objects.get(kind="decision_near").pk


def alert(cast: Cast) -> int:
    renewal = make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 1))
    return Alert.objects.create(
        rule_id=rule(cast), cause_key="renewal", renewal=renewal, account=renewal.account, level=1,
        facts={"on": "2026-12-01"}, fired_at=timezone.now(),
    ).pk  # fmt: skip


def mute_of_rep(cast: Cast) -> int:
    return AlertMute.objects.create(user=cast.rep, rule_id=rule(cast), account=make_renewal(owner=cast.rep).account).pk


LIMITS = {"name": "Nearer still", "days": "5", "is_active": "on"}
ROWS = [
    Row("alerts:list", everybody(200)),
    Row("alerts:list", everybody(405), method="post"),
    Row("alerts:unread", everybody(200)),
    Row("alerts:read", everybody(302), method="post"),
    Row("alerts:read", everybody(404), method="post", data={"alert": "none"}),
    Row(
        "alerts:mute",
        everybody(302, outsider=404, other_manager=404),
        method="post",
        kwargs={"pk": alert},
    ),
    Row("alerts:settings", everybody(200)),
    Row("alerts:settings", everybody(422), method="post", data={"digest_at": "noon"}),
    Row("alerts:unmute", only("rep", status=302, denied=404), method="post", kwargs={"pk": mute_of_rep}),
    Row("alerts:rules", only("admin")),
    Row("alerts:new_rule", only("admin"), kwargs={"kind": "overdue"}),
    Row("alerts:new_rule", only("admin", status=404), kwargs={"kind": "nothing"}),
    Row("alerts:new_rule", only("admin"), kwargs={"kind": "decision_near"}, method="post", data=LIMITS),
    Row(
        "alerts:new_rule",
        only("admin", status=302),
        kwargs={"kind": "decision_near"},
        method="post",
        data={**LIMITS, "confirm": "yes"},
    ),
    Row("alerts:edit_rule", only("admin"), kwargs={"pk": rule}),
    Row(
        "alerts:edit_rule", only("admin", status=302), kwargs={"pk": rule}, method="post",
        data={**LIMITS, "confirm": "yes"},
    ),
    Row("alerts:edit_rule", only("admin", status=422), kwargs={"pk": rule}, method="post", data={"days": "-1"}),
]  # fmt: skip
