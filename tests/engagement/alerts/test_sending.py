"""What is due goes out: at once or as a digest, not in quiet hours, and only to who may still know of it."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Company
from engagement.alerts.recipients import is_quiet
from engagement.alerts.sending import send_due
from engagement.alerts.watch import look_for_causes
from engagement.models import (
    Alert,
    AlertMute,
    AlertPreference,
    AlertRule,
    Notification,
    OutgoingMail,
    Subscription,
    WebhookDelivery,
    WebhookEndpoint,
)
from renewals.models import Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.engagement.alerts.test_watch import grounded, in_days

__all__ = ["grounded"]
NOON = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)  # a Wednesday


def subscribe(user: Any, **fields: Any) -> Subscription:
    rule = AlertRule.objects.get(kind="decision_near")
    return Subscription.objects.create(user=user, rule=rule, **{"scope": "own", "mail": "at_once", **fields})


def near(cast: Cast, name: str = "Halden") -> Renewal:
    account = make_account(owner=cast.rep, name=name)
    return make_renewal(owner=cast.rep, account=account, due_on=dt.date(2026, 11, 25))


def mails() -> list[tuple[list[str], str]]:
    return list(OutgoingMail.objects.order_by("pk").values_list("to", "subject"))


def test_alert_is_mailed_at_once_with_the_way_to_act(grounded: Cast, settings: Any) -> None:
    settings.SITE_URL = "https://renewals.example.com"
    subscribe(grounded.rep)
    renewal = near(grounded)
    look_for_causes(now=NOON)
    assert send_due(now=NOON) == 1
    assert send_due(now=NOON) == 0
    assert mails() == [(["rhea.rep@example.com"], "Halden: The customer decides by 25 Nov 2026")]
    mail = OutgoingMail.objects.get()
    assert f"Act now: https://renewals.example.com/renewals/{renewal.pk}/" in mail.text
    assert f'<a href="https://renewals.example.com/renewals/{renewal.pk}/">Act now</a>' in mail.html
    assert "https://renewals.example.com/alerts/settings/" in mail.text


def test_alerts_of_one_look_are_one_mail(grounded: Cast) -> None:
    subscribe(grounded.rep)
    for number in range(53):
        near(grounded, f"Account number {number}")
    look_for_causes(now=NOON)
    assert send_due(now=NOON) == 53
    assert mails() == [(["rhea.rep@example.com"], "53 alerts")]
    text = OutgoingMail.objects.get().text
    assert (text.count("Act now:"), "And 3 more:" in text) == (50, True)


def test_digests_wait_for_their_hour(grounded: Cast) -> None:
    Company.objects.update(time_zone="Europe/Berlin")
    subscribe(grounded.rep, mail="daily")
    subscribe(grounded.manager, mail="weekly", scope="seen")
    AlertPreference.objects.create(user=grounded.rep, digest_at=dt.time(18, 30))
    for name in ("Halden", "Kestrel"):
        near(grounded, name)
        look_for_causes(now=NOON)
    assert send_due(now=NOON.replace(hour=17, minute=29)) == 0
    assert send_due(now=NOON.replace(hour=17, minute=30)) == 2
    assert mails() == [(["rhea.rep@example.com"], "2 alerts")]
    monday = dt.datetime(2026, 11, 23, 7, tzinfo=dt.UTC)
    assert send_due(now=monday - dt.timedelta(minutes=1)) == 0
    assert send_due(now=monday) == 2
    assert mails()[1:] == [(["mona.manager@example.com"], "2 alerts")]


def test_quiet_hours_delay_and_lose_nothing(grounded: Cast) -> None:
    subscribe(grounded.rep)
    AlertPreference.objects.create(user=grounded.rep, quiet_from=dt.time(11), quiet_until=dt.time(14))
    near(grounded)
    look_for_causes(now=NOON)
    assert Notification.objects.filter(channel="app", user=grounded.rep).count() == 1
    assert send_due(now=NOON) == 0
    near(grounded, "Kestrel")
    look_for_causes(now=NOON + dt.timedelta(hours=1))
    assert send_due(now=NOON + dt.timedelta(hours=1, minutes=59)) == 0
    assert send_due(now=NOON + dt.timedelta(hours=2)) == 2
    assert mails() == [(["rhea.rep@example.com"], "2 alerts")]


@pytest.mark.parametrize(
    ("begin", "end", "hour", "expected"),
    [(22, 7, 23, True), (22, 7, 3, True), (22, 7, 7, False), (22, 7, 21, False), (9, 17, 9, True), (9, 17, 17, False)],
)
def test_quiet_hours_run_over_midnight(begin: int, end: int, hour: int, expected: bool) -> None:
    preference = AlertPreference(quiet_from=dt.time(begin), quiet_until=dt.time(end))
    assert is_quiet(preference, NOON.replace(hour=hour), dt.UTC) is expected  # type: ignore[arg-type]
    assert not is_quiet(AlertPreference(), NOON, dt.UTC)  # type: ignore[arg-type]


def test_who_may_no_longer_know_of_the_row_is_not_told(grounded: Cast) -> None:
    subscribe(grounded.rep, mail="daily")
    subscribe(grounded.manager, mail="daily", scope="seen")
    renewal = near(grounded)
    look_for_causes(now=NOON)
    Renewal.objects.filter(pk=renewal.pk).update(owner=grounded.outsider)
    assert send_due(now=NOON + dt.timedelta(days=1)) == 0
    assert Notification.objects.filter(channel="mail", dropped_at__isnull=False).count() == 2
    assert mails() == []


def test_muted_meanwhile_or_gone_is_dropped(grounded: Cast) -> None:
    for user in (grounded.rep, grounded.manager):
        subscribe(user, mail="daily", scope="seen")
    near(grounded)
    look_for_causes(now=NOON)
    alert = Alert.objects.get()
    AlertMute.objects.create(user=grounded.rep, rule=alert.rule, account=alert.account)
    type(grounded.rep).objects.filter(pk=grounded.manager.pk).update(is_active=False)
    assert send_due(now=NOON + dt.timedelta(days=1)) == 0
    assert mails() == []


def test_address_that_is_none_holds_nobody_up(grounded: Cast) -> None:
    type(grounded.rep).objects.filter(pk=grounded.rep.pk).update(email="rhea@nowhere@example.com")
    subscribe(grounded.rep)
    subscribe(grounded.manager, scope="seen")
    near(grounded)
    look_for_causes(now=NOON)
    assert send_due(now=NOON) == 2
    assert [to for to, _ in mails()] == [["mona.manager@example.com"]]


def test_webhook_is_told_once_however_many_asked_for_it(grounded: Cast, settings: Any) -> None:
    settings.SITE_URL = "https://renewals.example.com"
    endpoint = WebhookEndpoint.objects.create(
        name="Chat", url="https://chat.example.com/", event_names=["alert.fired"], sealed_secret="x"
    )
    WebhookEndpoint.objects.create(name="Other", url="https://x.example.com/", event_names=[], sealed_secret="x")
    subscribe(grounded.rep, mail="off", webhook=True)
    subscribe(grounded.manager, mail="off", webhook=True, scope="seen")
    renewal = near(grounded)
    look_for_causes(now=NOON)
    assert send_due(now=NOON) == 2
    delivery = WebhookDelivery.objects.get()
    alert = Alert.objects.get()
    assert (delivery.endpoint, delivery.event, delivery.happened_at) == (endpoint, "alert.fired", NOON)
    assert delivery.payload == {
        "alert_id": alert.pk,
        "rule": "Decision within two weeks",
        "kind": "decision_near",
        "fired_at": "2026-11-18T12:00:00+00:00",
        "subject": "Halden",
        "detail": "The customer decides by 25 Nov 2026",
        "url": f"https://renewals.example.com/renewals/{renewal.pk}/",
        "renewal": {
            "id": renewal.pk,
            "account": "Halden",
            "contract": renewal.contract.number,
            "due_on": "2026-11-25",
            "baseline_amount": "12000.00",
            "currency": "EUR",
            "owner": "rhea.rep@example.com",
        },
    }


def test_nobody_is_mailed_who_did_not_ask_for_it(grounded: Cast) -> None:
    make_renewal(owner=grounded.rep, due_on=in_days(3))
    look_for_causes()
    assert send_due(now=timezone.now() + dt.timedelta(days=9)) == 0
    assert set(Notification.objects.values_list("channel", flat=True)) == {"app"}
