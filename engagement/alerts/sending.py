"""Alerts on their way out: what is due goes to the outboxes of mail and webhooks, one mail for each person and look.

Nothing is lost between here and the mail server: a notification is marked as sent in the transaction that writes the
mail, so a killed worker leaves both or neither. Quiet hours and whether the person may still know of the row are asked
when it is sent, not when it was found.
"""

from __future__ import annotations

import datetime as dt
import logging
import zoneinfo
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import Company, User, get_company
from engagement.alerts.recipients import is_quiet
from engagement.alerts.words import RELATED, act_url, detail_of, subject_of
from engagement.mail.outbox import SUBJECT_LENGTH, MailRefused, queue_mail
from engagement.models import Alert, AlertMute, AlertPreference, Event, Notification, OutgoingMail
from engagement.webhooks.outbox import Told, queue_deliveries

log = logging.getLogger(__name__)
Channel = Notification.Channel
MOST_IN_A_MAIL: Final = 50
MOST_AT_ONCE: Final = 2000


def send_due(*, now: dt.datetime | None = None) -> int:
    """Hand over what is due to whoever is not in quiet hours; how many notifications that were."""
    now, company = now or timezone.now(), get_company()
    zone = zoneinfo.ZoneInfo(company.time_zone)
    waiting = Notification.objects.filter(due_at__lte=now, sent_at__isnull=True, dropped_at__isnull=True)
    people = User.objects.filter(Exists(waiting.filter(user=OuterRef("pk")))).select_related("alert_preference")
    return sum(
        _send_to(user, company, now=now)
        for user in people.order_by("pk")
        if not is_quiet(_preference_of(user), now, zone)
    )


def _preference_of(user: User) -> AlertPreference | None:
    return getattr(user, "alert_preference", None)


def _send_to(user: User, company: Company, *, now: dt.datetime) -> int:
    with transaction.atomic():
        due = list(
            Notification.objects.select_for_update(skip_locked=True)
            .filter(user=user, due_at__lte=now, sent_at__isnull=True, dropped_at__isnull=True)
            .order_by("pk")[:MOST_AT_ONCE]
        )
        alerts = _told(user, due)
        kept = [one for one in due if one.alert_id in alerts]
        for_mail = [alerts[one.alert_id] for one in kept if one.channel == Channel.MAIL]
        if for_mail:
            last = max(one.pk for one in kept if one.channel == Channel.MAIL)
            try:
                _mail(user, for_mail, company, dedup_key=f"alerts-{user.pk}-{last}")
            except MailRefused as refused:
                # Somebody signs in with an address that no mail server knows; the others must not wait for them.
                log.warning("Alerts of %s cannot be mailed: %s", user, refused)
        _post([alerts[one.alert_id] for one in kept if one.channel == Channel.WEBHOOK], company)
        Notification.objects.filter(pk__in=[one.pk for one in kept]).update(sent_at=now)
        Notification.objects.filter(pk__in=[one.pk for one in due if one.alert_id not in alerts]).update(dropped_at=now)
    return len(kept)


def _told(user: User, due: Sequence[Notification]) -> dict[int, Alert]:
    """The alerts of these that the person may know of by now and has not muted."""
    if not user.is_active:
        return {}
    muted = AlertMute.objects.filter(user=user, rule=OuterRef("rule"), account=OuterRef("account"))
    seen = Alert.objects.visible_to(user).filter(pk__in={one.alert_id for one in due})
    return {alert.pk: alert for alert in seen.filter(~Exists(muted)).select_related(*RELATED)}


def _mail(user: User, alerts: Sequence[Alert], company: Company, *, dedup_key: str) -> OutgoingMail:
    """One mail about all of them, the newest first."""
    newest = sorted(alerts, key=lambda alert: (alert.fired_at, alert.pk), reverse=True)
    lines = [
        {"subject": subject_of(alert, company), "detail": detail_of(alert, company), "rule": alert.rule.name,
         "url": f"{settings.SITE_URL}{act_url(alert)}"}
        for alert in newest[:MOST_IN_A_MAIL]
    ]  # fmt: skip
    context = {
        "user": user,
        "lines": lines,
        "more_count": len(newest) - len(lines),
        "list_url": f"{settings.SITE_URL}{reverse('alerts:list')}",
        "settings_url": f"{settings.SITE_URL}{reverse('alerts:settings')}",
    }
    first = lines[0]
    subject = f"{first['subject']}: {first['detail']}" if len(newest) == 1 else f"{len(newest):,} alerts"
    return queue_mail(
        to=[user.email],
        subject=" ".join(subject.split())[:SUBJECT_LENGTH],
        text=render_to_string("alerts/mail.txt", context),
        html=render_to_string("alerts/mail.html", context),
        dedup_key=dedup_key,
    )


def _post(alerts: Sequence[Alert], company: Company) -> None:
    """Once for each alert, however many people asked for it."""
    event = str(Event.ALERT_FIRED.value)
    told = [Told(event, payload_of(alert, company), f"alert-{alert.pk}", alert.fired_at) for alert in alerts]
    if told:
        queue_deliveries(told=told)


def payload_of(alert: Alert, company: Company) -> dict[str, Any]:
    """What receivers of `alert.fired` get; ids are those of this installation."""
    renewal = alert.renewal
    return {
        "alert_id": alert.pk,
        "rule": alert.rule.name,
        "kind": alert.rule.kind,
        "fired_at": alert.fired_at.isoformat(),
        "subject": subject_of(alert, company),
        "detail": detail_of(alert, company),
        "url": f"{settings.SITE_URL}{act_url(alert)}",
        "renewal": None
        if renewal is None
        else {
            "id": renewal.pk,
            "account": str(renewal.account),
            "contract": renewal.contract.number,
            "due_on": renewal.due_on.isoformat(),
            "baseline_amount": str(renewal.baseline_amount),
            "currency": renewal.currency,
            "owner": renewal.owner.email if renewal.owner else None,
        },
    }
