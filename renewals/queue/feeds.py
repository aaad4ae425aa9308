"""A rep's own dates as iCalendar (RFC 5545), at an address that is a secret of its owner."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable

from django.db import transaction
from django.utils.crypto import constant_time_compare
from icalendar import Calendar, Event

from accounts.models import Company, User
from accounts.templatetags.money import money
from renewals.models import Renewal, RenewalQuerySet
from renewals.models.feeds import CalendarFeed

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# An open renewal that is older than this is work for the table, not for a calendar.
DAYS_BACK, DAYS_AHEAD = 90, 400


def make_feed(*, user: User) -> str:
    """A new token in place of the one before, which stops working. Only its hash is kept: this is the one time it can
    be shown."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        CalendarFeed.objects.filter(user=user).delete()
        CalendarFeed.objects.create(user=user, token_hash=_hash(token))
    return token


def revoke_feed(*, user: User) -> bool:
    """Whether there was one."""
    deleted, _ = CalendarFeed.objects.filter(user=user).delete()
    return deleted > 0


def find_owner(token: str) -> User | None:
    """Whose feed this is; None for a wrong token, and for somebody who left or may own no renewals any more.

    The database compares hashes, so how long it takes tells nothing about a token of 256 random bits.
    """
    if not TOKEN.fullmatch(token):
        return None
    hashed = _hash(token)
    feed = CalendarFeed.objects.select_related("user").filter(token_hash=hashed).first()
    if feed is None or not constant_time_compare(feed.token_hash, hashed):
        return None
    return feed.user if feed.user.is_active and feed.user.role != User.Role.VIEWER else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def own_rows(user: User, *, as_of: dt.date) -> RenewalQuerySet:
    first_on, last_on = as_of - dt.timedelta(days=DAYS_BACK), as_of + dt.timedelta(days=DAYS_AHEAD)
    mine = Renewal.objects.visible_to(user).filter(owner=user).open().due_between(first_on, last_on)
    return mine.select_related("account", "contract", "stage").order_by("due_on", "pk")


def build_calendar(user: User, company: Company, *, host: str, url_of: Callable[[Renewal], str]) -> bytes:
    """The due date of each open renewal, and the day to say no of those that renew by themselves, as all-day events.

    Nothing in it depends on the moment it is asked for: as long as no row changes, the bytes stay the same.
    """
    feed = Calendar()
    feed.add("prodid", "-//Perennial//Renewals//EN")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", f"Renewals of {user}")
    feed.add("refresh-interval", dt.timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for renewal in own_rows(user, as_of=company.today()):
        if renewal.contract.is_auto_renewing and renewal.decision_on != renewal.due_on:
            feed.add_component(_event("decision", renewal.decision_on, renewal, host, url_of(renewal)))
        feed.add_component(_event("due", renewal.due_on, renewal, host, url_of(renewal)))
    return bytes(feed.to_ical())


WORDS = {"decision": "Last day to say no", "due": "Renewal due"}


def _event(kind: str, on: dt.date, renewal: Renewal, host: str, url: str) -> Event:
    event = Event()
    event.add("uid", f"renewal-{renewal.pk}-{kind}@{host}")
    event.add("dtstamp", renewal.updated_at.astimezone(dt.UTC))
    event.add("dtstart", on)
    event.add("dtend", on + dt.timedelta(days=1))
    event.add("summary", f"{WORDS[kind]}: {renewal.account}")
    event.add("description", _description(renewal))
    event.add("url", url)
    event.add("transp", "TRANSPARENT")
    return event


def _description(renewal: Renewal) -> str:
    lines = [
        f"Contract {renewal.contract}, {money(renewal.baseline_amount, renewal.currency)}",
        f"Decision {renewal.decision_on:%d %b %Y}, due {renewal.due_on:%d %b %Y}",
        f"Stage: {renewal.stage}",
    ]
    return "\n".join([*lines, *([f"Next step: {renewal.next_step}"] if renewal.next_step else [])])
