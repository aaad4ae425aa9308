"""The executive page by mail: when it is due, once for each due moment, and what is in it."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import Company, User, get_company
from config.celery import app
from dashboards.executive.letter import read_letter
from dashboards.executive.sending import send_due
from dashboards.executive.services import ask_for_mail, save_mail
from dashboards.models import ExecutiveMail
from dashboards.rollups.services import bring_up_to_date
from engagement.mail.outbox import PNG_SIGNATURE
from engagement.mail.sending import send_waiting_mail
from engagement.models import OutgoingMail
from forecasting.models import Target
from forecasting.periods import period_of
from renewals.models import Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.engagement.mail.conftest import server_address
from tests.engagement.mail.sink import Sink, smtp_sink
from tests.forecasting.forecast_book import recompute
from tests.pages import assert_sensible
from tests.workers import kill, start_worker, wait_until

__all__ = ["server_address"]
PAGE = "/dashboards/executive/mail/"
TASK = "dashboards.tasks.send_executive_mail"
# A Monday. The company of the tests works in Berlin: 07:00 there is 06:00 UTC in winter, 05:00 in summer.
MONDAY = dt.date(2026, 11, 16)


@pytest.fixture
def sink(server_address: int) -> Iterator[Sink]:
    with smtp_sink(server_address) as sink:
        yield sink


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """A moment by UTC."""
    return dt.datetime.combine(day, dt.time(hour, minute), dt.UTC)


def in_berlin() -> None:
    Company.objects.update(time_zone="Europe/Berlin")


def make_book(cast: Cast) -> dict[str, Renewal]:
    today = get_company().today()
    made = {
        name: make_renewal(owner=owner, account=make_account(name=name, owner=owner), due_on=today,
                           baseline_amount=Decimal(amount))
        for name, owner, amount in (("Ours & Co", cast.rep, 12_000), ("Theirs", cast.outsider, 50_000))
    }  # fmt: skip
    recompute(as_of=today)
    bring_up_to_date()
    return made


def subscribe(user: User, *, hour: int = 7, weekdays: tuple[int, ...] = (1,), now: dt.datetime) -> ExecutiveMail:
    return save_mail(user=user, is_on=True, weekdays=weekdays, hour=hour, now=now)


def test_it_goes_once_a_week_at_the_hour_of_the_company(cast: Cast) -> None:
    in_berlin()
    make_book(cast)
    mail = subscribe(cast.rep, now=at(MONDAY, 5, 59))
    assert mail.next_on == MONDAY
    assert send_due(now=at(MONDAY, 5, 59)) == 0
    assert [send_due(now=at(MONDAY, 6)) for _ in range(2)] == [1, 0]
    mail.refresh_from_db()
    assert (mail.next_on, mail.last_mail) == (MONDAY + dt.timedelta(days=7), OutgoingMail.objects.get())
    assert send_due(now=at(MONDAY, 23)) == 0
    assert send_due(now=at(MONDAY + dt.timedelta(days=7), 6)) == 1
    assert [one.dedup_key for one in OutgoingMail.objects.order_by("pk")] == [
        f"executive-{cast.rep.pk}-2026-11-16-7",
        f"executive-{cast.rep.pk}-2026-11-23-7",
    ]


@pytest.mark.parametrize(
    ("weekdays", "hour", "clock", "expected"),
    [
        ((1,), 7, (MONDAY, 7), MONDAY + dt.timedelta(days=7)),
        ((1,), 7, (MONDAY, 6), MONDAY),
        ((1, 4), 7, (MONDAY, 9), MONDAY + dt.timedelta(days=3)),
        ((7,), 0, (MONDAY, 0), MONDAY + dt.timedelta(days=6)),
        ((1, 2, 3, 4, 5, 6, 7), 23, (MONDAY, 23), MONDAY + dt.timedelta(days=1)),
    ],
)
def test_the_next_day_is_the_first_whose_hour_is_to_come(
    weekdays: tuple[int, ...], hour: int, clock: tuple[dt.date, int], expected: dt.date
) -> None:
    assert ExecutiveMail(weekdays=list(weekdays), hour=hour).next_day(*clock) == expected


def test_one_that_cannot_be_kept_stays_due_and_holds_up_nobody(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    make_book(cast)
    mails = [subscribe(user, now=at(MONDAY, 0)) for user in (cast.rep, cast.admin)]
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE engagement_outgoingmail ADD CONSTRAINT not_to_the_rep CHECK (dedup_key NOT LIKE %s) NOT VALID",
            [f"executive-{cast.rep.pk}-%"],
        )
    assert send_due(now=at(MONDAY, 8)) == 1
    assert OutgoingMail.objects.get().dedup_key.startswith(f"executive-{cast.admin.pk}-")
    assert f"The executive page of mail {mails[0].pk} could not be made; it stays due." in caplog.text
    mails[0].refresh_from_db()
    assert mails[0].next_on == MONDAY


def test_days_without_a_worker_cost_no_mail_and_bring_no_second_one(cast: Cast) -> None:
    make_book(cast)
    mail = subscribe(cast.rep, weekdays=(1, 2), now=at(MONDAY, 0))
    thursday = MONDAY + dt.timedelta(days=3)
    assert [send_due(now=at(thursday, 3)) for _ in range(2)] == [1, 0]
    mail.refresh_from_db()
    assert mail.next_on == MONDAY + dt.timedelta(days=7)


def test_an_hour_that_is_moved_on_the_day_is_not_lost_and_not_doubled(cast: Cast) -> None:
    make_book(cast)
    subscribe(cast.rep, hour=7, now=at(MONDAY, 6))
    assert send_due(now=at(MONDAY, 7)) == 1
    subscribe(cast.rep, hour=7, now=at(MONDAY, 7, 30))
    assert send_due(now=at(MONDAY, 7, 40)) == 0
    subscribe(cast.rep, hour=9, now=at(MONDAY, 8))
    assert [send_due(now=at(MONDAY, hour)) for hour in (8, 9, 9)] == [0, 1, 0]


def test_who_left_or_switched_it_off_gets_nothing(cast: Cast) -> None:
    make_book(cast)
    for user in (cast.rep, cast.team_mate, cast.manager):
        subscribe(user, now=at(MONDAY, 0))
    ask_for_mail(user=cast.rep, now=timezone.now())
    User.objects.filter(pk=cast.rep.pk).update(is_active=False)
    save_mail(user=cast.team_mate, is_on=False, weekdays=[1], hour=7, now=at(MONDAY, 0))
    assert send_due(now=at(MONDAY, 7)) == 1
    assert OutgoingMail.objects.get().to == [cast.manager.email]


def test_one_that_is_asked_for_goes_once_and_moves_no_day(cast: Cast) -> None:
    make_book(cast)
    mail = subscribe(cast.rep, now=at(MONDAY, 0))
    for _ in range(2):
        ask_for_mail(user=cast.rep, now=at(MONDAY, 3))
    ask_for_mail(user=cast.viewer, now=at(MONDAY, 3))
    assert [send_due(now=at(MONDAY, 3)) for _ in range(2)] == [2, 0]
    mail.refresh_from_db()
    assert (mail.next_on, mail.asked_at) == (MONDAY, None)
    assert not ExecutiveMail.objects.get(user=cast.viewer).is_on
    ask_for_mail(user=cast.rep, now=at(MONDAY, 6))
    assert [send_due(now=at(MONDAY, 7)) for _ in range(2)] == [1, 0]  # asked for and due: one mail is both


def test_it_waits_until_there_are_figures(cast: Cast) -> None:
    subscribe(cast.rep, now=at(MONDAY, 0))
    assert send_due(now=at(MONDAY, 7)) == 0
    make_book(cast)
    assert send_due(now=at(MONDAY, 9)) == 1


def test_an_address_that_is_none_holds_up_nobody(cast: Cast) -> None:
    make_book(cast)
    User.objects.filter(pk=cast.rep.pk).update(email="rep@localhost")
    for user in (cast.rep, cast.manager):
        subscribe(user, now=at(MONDAY, 0))
    User.objects.filter(pk=cast.rep.pk).update(email="nobody")
    assert [send_due(now=at(MONDAY, 7)) for _ in range(2)] == [1, 0]


def test_the_mail_has_the_figures_of_the_recipient_s_own_book(cast: Cast, sink: Sink) -> None:
    make_book(cast)
    today = get_company().today()
    quarter = period_of("quarter", today, get_company().fiscal_year_start_month)
    Target.objects.create(grain="quarter", starts_on=quarter.starts_on, team=cast.rep.team, amount=Decimal(16_000))
    for user in (cast.rep, cast.admin):
        ask_for_mail(user=user, now=timezone.now())
    assert send_due() == 2
    assert send_waiting_mail() == 2
    by_address = {came["To"]: came for came in sink.mails}
    assert set(by_address) == {cast.rep.email, cast.admin.email}
    came = by_address[cast.rep.email]
    body, *pictures = came.iter_parts()
    text, html = (part.get_content() for part in body.iter_parts())
    assert [picture["Content-ID"] for picture in pictures] == ["<outlook@perennial>", "<risk@perennial>"]
    assert all(picture.get_content().startswith(PNG_SIGNATURE) for picture in pictures)
    assert all(f'src="cid:{name}@perennial"' in html for name in ("outlook", "risk"))
    assert "Nothing was due in these periods" in html  # instead of the chart of rates: nothing is decided
    for part in (text, html):
        assert_sensible(part)
        assert "Theirs" not in part
        assert "16,000" in part  # the target
        assert f"{settings.SITE_URL}{PAGE}" in part
    assert "Ours & Co" in text
    assert "Ours &amp; Co" in html
    assert (text.count("Period before") + text.count("period before"), len(re.findall(r"<tr>", html))) == (6, 8)
    assert set(re.findall(r'(?:href|src)="(?!cid:)([a-z]+://[^/]+)', html)) == {settings.SITE_URL}
    whole = by_address[cast.admin.email].get_body(("plain",)).get_content()
    assert all(name in whole for name in ("Ours & Co", "Theirs", "The whole book"))


def test_the_figures_of_the_mail_are_those_of_the_page(cast: Cast) -> None:
    make_book(cast)
    letter = read_letter(cast.rep)
    assert letter is not None
    page = cast.client_of("rep").get("/dashboards/executive/").content.decode()
    numbers = re.compile(r">([0-9]{1,3}(?:,[0-9]{3})+)<")
    of_page, of_mail = (set(numbers.findall(part)) for part in (page, letter.html))
    assert of_mail
    assert of_mail <= of_page


def test_a_server_that_is_down_delays_it(cast: Cast, server_address: int) -> None:
    make_book(cast)
    subscribe(cast.rep, now=at(MONDAY, 0))
    assert send_due(now=at(MONDAY, 7)) == 1
    assert send_waiting_mail() == 0
    OutgoingMail.objects.update(next_try_at=timezone.now())
    with smtp_sink(server_address) as sink:
        assert send_waiting_mail() == 1
        assert len(sink.mails) == 1
    assert send_due(now=at(MONDAY, 8)) == 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_workers_at_once_queue_one(cast: Cast) -> None:
    make_book(cast)
    for user in (cast.rep, cast.manager, cast.admin):
        subscribe(user, now=at(MONDAY, 0))
    counts: list[int] = []
    start = threading.Barrier(2)

    def look() -> None:
        start.wait()
        counts.append(send_due(now=at(MONDAY, 7)))
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == OutgoingMail.objects.count() == 3


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_killed_worker_leaves_it_due_and_the_next_one_sends_it_once(cast: Cast) -> None:
    make_book(cast)
    ask_for_mail(user=cast.rep, now=timezone.now())
    row = ExecutiveMail.objects.get()
    worker = None
    try:
        with connection.cursor() as cursor:
            # The worker stops where it writes the mail: after it took the row, before it can be done with it.
            cursor.execute("BEGIN; LOCK TABLE engagement_outgoingmail IN ACCESS EXCLUSIVE MODE")
            app.send_task(TASK)
            worker = start_worker()
            wait_until(_is_waiting)
            kill(worker)
            cursor.execute("ROLLBACK")
        row.refresh_from_db()
        assert (OutgoingMail.objects.count(), row.asked_at is None) == (0, False)
        app.send_task(TASK)
        app.send_task(TASK)
        worker = start_worker()
        wait_until(OutgoingMail.objects.exists)
    finally:
        if worker:
            kill(worker)
        app.control.purge()
    row.refresh_from_db()
    assert (OutgoingMail.objects.count(), row.asked_at, row.last_mail) == (1, None, OutgoingMail.objects.get())


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted"
            " AND relation = 'engagement_outgoingmail'::regclass)"
        )
        return bool(cursor.fetchone()[0])


def test_the_page_of_the_mail_sets_it_and_tells_admins_who_gets_it(cast: Cast) -> None:
    client = cast.client_of("rep")
    text = client.get(PAGE).content.decode()
    assert_sensible(text)
    assert re.findall(r'name="weekdays" value="(.)"[^>]* checked', text) == ["1"]  # weekly, unless changed
    assert "Nothing is mailed to you by itself." in text
    assert not re.search(r'name="is_on"[^>]* checked', text)
    assert '<option value="7" selected>07:00</option>' in text
    refused = client.post(PAGE, {"is_on": "on", "hour": "7"})
    assert refused.status_code == 422
    assert "Choose a weekday, or more." in refused.content.decode()
    assert client.post(PAGE, {"is_on": "on", "weekdays": ["9"], "hour": "7"}).status_code == 422
    assert client.post(PAGE, {"is_on": "on", "weekdays": ["1"], "hour": "24"}).status_code == 422
    assert not ExecutiveMail.objects.exists()
    assert client.post(PAGE, {"is_on": "on", "weekdays": ["5", "1"], "hour": "16"}).status_code == 302
    mail = ExecutiveMail.objects.get()
    assert (mail.user, mail.weekdays, mail.hour, mail.is_on) == (cast.rep, [1, 5], 16, True)
    assert "Mondays and Fridays at 16:00" in client.get("/dashboards/executive/").content.decode()
    assert "Mondays and Fridays at 16:00" in cast.client_of("admin").get(PAGE).content.decode()
    assert "Mondays and Fridays at 16:00" not in cast.client_of("manager").get(PAGE).content.decode()
    assert client.post(PAGE, {"weekdays": ["5", "1"], "hour": "16"}).status_code == 302
    assert not ExecutiveMail.objects.get().is_on
    assert client.post(f"{PAGE}now/").status_code == 302
    assert ExecutiveMail.objects.get().asked_at is not None
    told = "Executive page for Rhea Rep"
    assert told not in client.get("/history/").content.decode()
    assert told in cast.client_of("admin").get("/history/").content.decode()
