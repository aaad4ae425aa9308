"""What a person is told, and what is so among the rows that they see."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, FilteredRelation, Q

from accounts.models import Company, User
from engagement.alerts.causes import CAUSES
from engagement.alerts.words import RELATED, act_url, detail_of, subject_of
from engagement.models import Alert, AlertRule, Notification, Subscription
from engagement.models.alerts import AlertQuerySet

MOST_UNREAD = 99  # counted; beyond it the bell says "99+"
SHOWN = {"unread": "Unread", "all": "All", "open": "Open now"}


@dataclass(frozen=True)
class Told:
    """An alert as its reader sees it. `is_mine`: they were told of it in the app."""

    alert: Alert
    subject: str
    detail: str
    url: str
    icon: str
    is_mine: bool
    is_unread: bool


def count_unread(user: User) -> int:
    """Up to one more than MOST_UNREAD, of alerts that the person may still know of. One statement."""
    unread = Notification.objects.filter(user=user, channel=Notification.Channel.APP, read_at__isnull=True)
    if not user.sees_all:
        unread = unread.filter(alert__in=Alert.objects.visible_to(user))
    return unread.order_by()[: MOST_UNREAD + 1].count()


def find_alerts(user: User, *, shown: str, kind: str = "") -> AlertQuerySet:
    """The alerts of one of the lists of SHOWN, the newest first."""
    mine = FilteredRelation(
        "notifications", condition=Q(notifications__channel=Notification.Channel.APP, notifications__user=user)
    )
    alerts = Alert.objects.visible_to(user).annotate(mine=mine, told_id=F("mine__pk"), read_at=F("mine__read_at"))
    if shown == "open":
        alerts = alerts.open()
    else:
        alerts = alerts.filter(mine__isnull=False)
        alerts = alerts.filter(mine__read_at__isnull=True) if shown == "unread" else alerts
    alerts = alerts.filter(rule__kind=kind) if kind else alerts
    return alerts.select_related(*RELATED).order_by("-fired_at", "-pk")


def as_told(alert: Alert, company: Company) -> Told:
    told_id, read_at = getattr(alert, "told_id", None), getattr(alert, "read_at", None)
    return Told(
        alert=alert,
        subject=subject_of(alert, company),
        detail=detail_of(alert, company),
        url=act_url(alert),
        icon=CAUSES[alert.rule.kind].icon,
        is_mine=told_id is not None,
        is_unread=told_id is not None and read_at is None,
    )


def read_wishes(user: User, rules: list[AlertRule]) -> dict[int, Subscription]:
    """How the person is told of each of these rules; what counts by default where they said nothing."""
    own = {one.rule_id: one for one in Subscription.objects.filter(user=user)}
    return {rule.pk: own.get(rule.pk) or Subscription.default_of(user, rule) for rule in rules}
