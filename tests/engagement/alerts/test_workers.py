"""Each rule through real workers: killed in the middle, started again, with the mail server down meanwhile."""

import datetime as dt
import time
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import AccountSignal, Ticket, get_company
from config.celery import app
from engagement.alerts.watch import look_for_causes
from engagement.models import Alert, AlertRule, Notification, OutgoingMail, RiskMark, Subscription
from forecasting.models import ForecastLine, Target
from renewals.models import RenewalScore
from renewals.scoring import scoring
from renewals.services import update_renewal
from tests.cast import Cast, make_renewal
from tests.engagement.mail.sink import free_port, smtp_sink, wait_for_mail
from tests.workers import kill, start_worker, wait_until

LOOK, SEND = "engagement.alerts.tasks.look_for_causes", "engagement.mail.tasks.send_waiting_mail"
MINUTE = 60.0
BUSY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ILIKE '%%engagement_alert%%'
    AND state <> 'idle'
"""
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"


def asked(query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def lines(target: Target, expected: int) -> None:
    ForecastLine.objects.update_or_create(
        grain=target.grain,
        starts_on=target.starts_on,
        owner=target.owner,
        team=target.team,
        segment=None,
        defaults={"expected_amount": expected},
    )


def cause_everything(cast: Cast, today: dt.date, risen: Any, cut: Any, target: Target) -> None:
    """One cause for each rule."""

    def in_days(days: int) -> dt.date:
        return today + dt.timedelta(days=days)

    make_renewal(owner=cast.rep, due_on=in_days(10))
    overdue = make_renewal(owner=cast.rep, due_on=in_days(-5))
    scoring().score_renewals([overdue.pk, risen.pk], as_of=today)
    RenewalScore.objects.filter(pk=overdue.pk).update(timing_class=2)
    RenewalScore.objects.filter(pk=risen.pk).update(risk_score=RiskMark.objects.get(pk=risen.pk).risk + 40)
    helped = make_renewal(owner=cast.rep, due_on=in_days(50))
    Ticket.objects.create(account=helped.account, external_id="T-1", severity="urgent", opened_on=today)
    left = make_renewal(owner=cast.rep, due_on=in_days(60))
    AccountSignal.objects.create(account=left.account, measured_on=today, has_champion_left=True)
    update_renewal(renewal_id=cut.pk, field="confidence", value=10, seen="90", user=cast.rep, as_of=today)
    lines(target, 10)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_each_rule_fires_once_within_a_minute_though_its_worker_was_killed(cast: Cast, monkeypatch: Any) -> None:
    today, port = get_company().today(), free_port()
    monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{port}?tls=no")
    risen, cut = (make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=300)) for _ in range(2))
    type(cut).objects.filter(pk=cut.pk).update(confidence=90)
    scoring().score_renewals([risen.pk, cut.pk], as_of=today)
    begins = today.replace(day=1)
    targets = [
        Target.objects.create(grain="month", starts_on=begins, amount=1000, **held)
        for held in ({"owner": cast.rep}, {"team": cast.rep.team})
    ]
    for target, expected in zip(targets, (1000, 10), strict=True):
        lines(target, expected)
    assert look_for_causes() == 0
    (earlier,) = Alert.objects.all()  # the team's target, so before the rules began
    Subscription.objects.bulk_create(
        Subscription(user=cast.rep, rule=rule, scope="own", mail="at_once") for rule in AlertRule.objects.all()
    )
    cause_everything(cast, today, risen, cut, targets[0])
    lines(targets[1], 1000)
    caused = time.monotonic()
    workers = []
    try:
        with transaction.atomic():
            # The rule of targets is the last one asked: the other six have written their alerts when it waits here.
            Alert.objects.select_for_update().get(pk=earlier.pk)
            app.send_task(LOOK)
            workers.append(start_worker())
            wait_until(lambda: bool(asked(WAITING)))
            assert look_for_causes() == 0  # somebody is at it
            kill(workers[0])
        wait_until(lambda: asked(BUSY) == 0)
        assert list(Alert.objects.open()) == [earlier]
        assert not Notification.objects.exists()
        for _ in range(3):
            app.send_task(LOOK)
        app.send_task(SEND)
        workers.append(start_worker())
        wait_until(lambda: OutgoingMail.objects.filter(try_count__gte=1).exists())
        assert time.monotonic() - caused < MINUTE
        assert OutgoingMail.objects.get().state == "waiting"  # nobody listens at the mail server's address
        with smtp_sink(port) as sink:
            OutgoingMail.objects.update(next_try_at=OutgoingMail.objects.get().created_at)
            for _ in range(2):
                app.send_task(LOOK)
                app.send_task(SEND)
            wait_for_mail(sink)
            wait_until(lambda: OutgoingMail.objects.get().state == "sent")
            assert [str(mail["Subject"]) for mail in sink.mails] == ["7 alerts"]
    finally:
        for worker in workers:
            kill(worker)
        app.control.purge()
    fired = Alert.objects.filter(is_quiet=False).values_list("rule__kind", flat=True)
    assert sorted(fired) == sorted(AlertRule.Kind.values)
    told = Notification.objects.filter(user=cast.rep).values_list("channel", "alert__rule__kind")
    assert sorted(told) == sorted((channel, kind) for channel in ("app", "mail") for kind in AlertRule.Kind.values)
    earlier.refresh_from_db()
    assert earlier.ended_at is not None


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_edit_that_commits_late_is_not_missed(cast: Cast) -> None:
    """An edit that began before a look and ends after it: the next look finds it."""
    today = get_company().today()
    renewal = make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=300), confidence=90)
    assert look_for_causes() == 0
    late = connection.copy()
    try:
        late.set_autocommit(False)
        with late.cursor() as cursor:
            cursor.execute("SELECT set_config('pghistory.context_metadata', %s, true)", [f'{{"user": {cast.rep.pk}}}'])
            cursor.execute("SELECT set_config('pghistory.context_id', gen_random_uuid()::text, true)")
            cursor.execute("UPDATE renewals_renewal SET confidence = 20 WHERE id = %s", [renewal.pk])
            cursor.execute("INSERT INTO forecasting_freshscore (renewal_id) VALUES (%s)", [renewal.pk])
            assert look_for_causes() == 0
            assert look_for_causes() == 0
        late.commit()
    finally:
        late.close()
    assert look_for_causes() == 1
    assert look_for_causes() == 0
