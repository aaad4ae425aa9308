import datetime as dt
import re

import pytest
from django.test import Client
from icalendar import Calendar
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company
from renewals.models import Renewal
from renewals.models.feeds import CalendarFeed
from renewals.queue.feeds import find_owner, make_feed
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.queue.queue_book import TODAY, in_days, make_decision


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Company, "today", lambda self, now=None: TODAY)


def read(token: str) -> bytes:
    response = Client().get(f"/queue/calendar/{token}.ics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return response.content


def test_feed_has_decision_and_due_days_of_own_open_renewals(cast: Cast) -> None:
    row = make_decision(cast.rep, 5, account=make_account(name="Halden; Söhne, GmbH"), next_step="Call\nAna")
    plain = make_renewal(owner=cast.rep, due_on=in_days(9), notice_days=5, account=make_account(name="Plain"))
    make_decision(cast.team_mate, 5)
    make_renewal(owner=cast.rep, due_on=in_days(3), outcome="lost", final_amount=0)
    make_renewal(owner=cast.rep, due_on=in_days(401))
    make_renewal(owner=cast.rep, due_on=in_days(-91))
    body = read(make_feed(user=cast.rep))
    events = Calendar.from_ical(body).walk("VEVENT")
    assert [(str(event["UID"]), event.decoded("DTSTART"), str(event["SUMMARY"])) for event in events] == [
        (f"renewal-{plain.pk}-due@testserver", in_days(9), "Renewal due: Plain"),
        (f"renewal-{row.pk}-decision@testserver", in_days(5), "Last day to say no: Halden; Söhne, GmbH"),
        (f"renewal-{row.pk}-due@testserver", in_days(65), "Renewal due: Halden; Söhne, GmbH"),
    ]
    event = events[1]
    assert event.decoded("DTEND") == in_days(6)
    assert event.decoded("DTSTAMP") == row.updated_at.replace(microsecond=0)
    assert str(event["URL"]) == f"http://testserver/renewals/{row.pk}/"


def test_feed_is_written_as_the_standard_says(cast: Cast) -> None:
    make_decision(cast.rep, 5, account=make_account(name="Ä" * 150 + "; a, b\\c"))
    body = read(make_feed(user=cast.rep))
    lines = body.split(b"\r\n")
    assert lines[:3] == [b"BEGIN:VCALENDAR", b"VERSION:2.0", b"PRODID:-//Perennial//Renewals//EN"]
    assert lines[-2:] == [b"END:VCALENDAR", b""]
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert max(map(len, lines)) <= 75
    assert b"\\; a\\, b\\\\c" in body.replace(b"\r\n ", b"")
    assert b"DTSTART;VALUE=DATE:20261126" in lines


def test_feed_stays_the_same_until_a_row_changes(cast: Cast) -> None:
    row, token = make_decision(cast.rep, 5), make_feed(user=cast.rep)
    url, client = f"/queue/calendar/{token}.ics", Client()
    tag = client.get(url).headers["ETag"]
    again = client.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    Renewal.objects.filter(pk=row.pk).update(next_step="Call Ana")
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_token_is_kept_as_a_hash_and_shown_once(cast: Cast) -> None:
    client = cast.client_of("rep")
    page = client.post("/queue/calendar/make/")
    (token,) = re.findall(r"http://testserver/queue/calendar/([A-Za-z0-9_-]{43})\.ics", page.content.decode())
    assert page.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert token not in str(CalendarFeed.objects.values())
    assert ".ics" not in client.get("/queue/calendar/").content.decode()
    assert find_owner(token) == cast.rep


def test_new_address_replaces_the_one_before_and_revoking_ends_it(cast: Cast) -> None:
    first = make_feed(user=cast.rep)
    second = make_feed(user=cast.rep)
    assert (find_owner(first), find_owner(second)) == (None, cast.rep)
    cast.client_of("team_mate").post("/queue/calendar/revoke/")
    assert find_owner(second) == cast.rep
    cast.client_of("rep").post("/queue/calendar/revoke/")
    assert Client().get(f"/queue/calendar/{second}.ics").status_code == 404


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "viewer"}])
def test_feed_ends_with_its_owner(cast: Cast, change: dict[str, object]) -> None:
    token = make_feed(user=cast.rep)
    type(cast.rep).objects.filter(pk=cast.rep.pk).update(**change)
    assert Client().get(f"/queue/calendar/{token}.ics").status_code == 404


@pytest.mark.parametrize("token", ["x", "A" * 43, "a%00b", "../../etc/passwd", "A" * 5000])
def test_wrong_token_is_nobody(cast: Cast, token: str) -> None:
    make_feed(user=cast.rep)
    assert Client().get(f"/queue/calendar/{token}.ics").status_code == 404


def test_misshapen_token_costs_no_query(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert find_owner("short") is None


def test_feed_takes_three_queries_for_any_number_of_rows(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = make_feed(user=cast.rep)
    for count in (1, 2):
        for _ in range(count):
            make_decision(cast.rep, 5)
        with django_assert_num_queries(3):  # the feed with its user, the company, the rows
            read(token)


def test_feed_of_nobody_is_an_empty_calendar(cast: Cast) -> None:
    feed = Calendar.from_ical(read(make_feed(user=cast.rep)))
    assert (str(feed["X-WR-CALNAME"]), feed.walk("VEVENT"), dt.timedelta(hours=1)) == (
        "Renewals of Rhea Rep", [], feed["REFRESH-INTERVAL"].dt,
    )  # fmt: skip
