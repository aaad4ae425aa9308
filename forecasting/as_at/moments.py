"""Moments: read from an address, settled, and how far back anything is known."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from accounts.models import Company
from renewals.history.retention import forgotten_before
from renewals.models import Renewal

# Every transaction that began before it was asked shows up in the list of sessions within this time.
SETTLING_SECONDS: Final = 0.1
# The first renewal was recorded among these, by their ids: all of them are a whole reading of the book.
OLDEST: Final = 10_000
SETTLED_AFTER_SECONDS: Final = 5  # where nobody waits for it
SETTLED: Final = (
    "SELECT least(%s, min(xact_start)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


class InvalidMoment(ValueError):
    """A text that names no past moment; in words for the person."""


@dataclass(frozen=True)
class Asked:
    """A moment, and the text in an address that names it."""

    moment: dt.datetime
    text: str
    as_of: dt.date  # the company's business date at that moment

    @property
    def is_whole_day(self) -> bool:
        return len(self.text) == len("2026-11-22")


def parse_moment(text: str, company: Company, *, now: dt.datetime | None = None) -> Asked:
    """`2026-11-22` is the end of that business day, `2026-11-22T09:30` a moment of the company's clock unless it names
    another zone.

    Raises:
        InvalidMoment: it is neither, or lies ahead.
    """
    now, zone = now or timezone.now(), zoneinfo.ZoneInfo(company.time_zone)
    text = text.strip()
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = dt.date.fromisoformat(text)
            moment = end_of_day(day, company)
            # Of today, as far as it has come.
            if day == company.today(now):
                moment = now
        else:
            # A plus sign in an address that was not encoded arrives as a space.
            moment = dt.datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidMoment(f"“{text}” is no day or moment; write it like 2026-11-22 or 2026-11-22T09:30.") from error
    if moment > now:
        raise InvalidMoment(f"“{text}” lies ahead: only the past is known as it stood.")
    return Asked(moment, text, company.today(moment))


def end_of_day(day: dt.date, company: Company) -> dt.datetime:
    """The last moment of a business day."""
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zoneinfo.ZoneInfo(company.time_zone))
    return midnight.astimezone(dt.UTC) - dt.timedelta(microseconds=1)


class KnownSince(NamedTuple):
    """How far back every number can be asked for."""

    at: dt.datetime
    is_forgotten: bool  # older history was let go of; else nothing was recorded before

    @property
    def because(self) -> str:
        return "older history is no longer kept" if self.is_forgotten else "the first renewal was recorded then"

    def hides(self, moment: dt.datetime) -> bool:
        """Whether how the book stood then can no longer be told; before the first renewal it was empty, which can."""
        return self.is_forgotten and moment < self.at


def known_since() -> KnownSince | None:
    """None while there is no renewal."""
    oldest = Renewal.objects.order_by("pk").values("created_at")[:OLDEST]
    first, forgotten = oldest.aggregate(at=Min("created_at"))["at"], forgotten_before()
    if first is None:
        return None
    return KnownSince(forgotten, True) if forgotten is not None and forgotten > first else KnownSince(first, False)


def is_settled(moment: dt.datetime) -> bool:
    """Whether nothing of up to a moment can change any more: without waiting, so False for the very last seconds."""
    with connection.cursor() as cursor:
        cursor.execute(SETTLED, [timezone.now() - dt.timedelta(seconds=SETTLED_AFTER_SECONDS)])
        settled: dt.datetime = cursor.fetchone()[0]
    return moment < settled


def settled_moment(*, asked_at: dt.datetime | None = None) -> dt.datetime:
    """The newest moment, up to the one that was asked for (now), before which nothing can change any more.

    A change is timed by when its transaction began; one that began earlier and is still open could yet write.
    """
    with connection.cursor() as cursor:
        if asked_at is None:
            cursor.execute("SELECT clock_timestamp()")
            asked_at = cursor.fetchone()[0]
        cursor.execute("SELECT pg_sleep(%s)", [SETTLING_SECONDS])
        cursor.execute(SETTLED, [asked_at])
        moment: dt.datetime = cursor.fetchone()[0]
    # A change of the very microsecond in which the oldest open transaction began may be its own.
    return moment if moment == asked_at else moment - dt.timedelta(microseconds=1)
