"""Writes of this room by people: rules by admins; what each person reads, mutes and wants to be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from config.history import recorded_as
from engagement.models import Alert, AlertMute, AlertPreference, AlertRule, GroundedRule, Notification, Subscription

# What a change of makes a rule find other causes.
LIMITS = ("parameters", "segment_id", "least_amount", "is_active")
AT_ONCE = 10_000


@dataclass(frozen=True)
class Wish:
    """How a person wants to be told of one rule."""

    rule_id: int
    scope: str
    in_app: bool
    mail: str
    webhook: bool


def save_rule(*, by: User, rule: AlertRule) -> None:
    """Save a rule, its earlier versions kept in history. Where it finds other causes by then, what is already so is
    recorded by the next look and nobody is told of it."""
    if not by.is_admin:
        raise PermissionDenied("Alert rules are set by admins.")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        stored = AlertRule.objects.select_for_update().filter(pk=rule.pk).first()
        rule.save()
        if stored is not None and any(getattr(stored, name) != getattr(rule, name) for name in LIMITS):
            GroundedRule.objects.filter(rule=rule).delete()


def save_wishes(*, user: User, preference: AlertPreference, wishes: Sequence[Wish]) -> None:
    """How this person is told, of each rule and at which hours. Each keeps their own; nobody sets another's."""
    if preference.user_id != user.pk:
        raise PermissionDenied("Everybody sets their own alerts.")
    with transaction.atomic():
        preference.save()
        Subscription.objects.bulk_create(
            [
                Subscription(
                    user=user,
                    rule_id=wish.rule_id,
                    scope=wish.scope,
                    in_app=wish.in_app,
                    mail=wish.mail,
                    webhook=wish.webhook,
                )
                for wish in wishes
            ],
            update_conflicts=True,
            unique_fields=["user", "rule"],
            update_fields=["scope", "in_app", "mail", "webhook"],
        )


def mute_rule(*, user: User, alert: Alert) -> bool:
    """Tell this person nothing more of the alert's rule for its account; what waits to be sent is dropped when it is
    due, what is unread counts as read. False for an alert of no account."""
    if alert.account_id is None:
        return False
    with transaction.atomic():
        AlertMute.objects.get_or_create(user=user, rule_id=alert.rule_id, account_id=alert.account_id)
        unread = Notification.objects.filter(user=user, channel=Notification.Channel.APP, read_at__isnull=True)
        same = unread.filter(alert__rule=alert.rule_id, alert__account=alert.account_id)
        same.update(read_at=timezone.now())
    return True


def unmute(*, user: User, mute_id: int) -> bool:
    """False where it is not this person's, or gone already."""
    deleted, _ = AlertMute.objects.filter(user=user, pk=mute_id).delete()
    return bool(deleted)


def mark_read(*, user: User, alert_id: int | None = None) -> int:
    """Mark what this person was told of one alert, or of all, as read; how many were unread."""
    unread = Notification.objects.filter(user=user, channel=Notification.Channel.APP, read_at__isnull=True)
    if alert_id is not None:
        unread = unread.filter(alert=alert_id)
    return unread.update(read_at=timezone.now())


def forget_alerts(*, ended_before: dt.datetime) -> int:
    """Delete alerts that ended long ago, with what was told of them; how many."""
    count = 0
    while ids := list(Alert.objects.filter(ended_at__lt=ended_before).values_list("pk", flat=True)[:AT_ONCE]):
        Alert.objects.filter(pk__in=ids).delete()
        count += len(ids)
    return count
