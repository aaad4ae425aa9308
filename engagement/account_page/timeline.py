"""The story of an account: what happened with it, newest first, from every room that knows something.

Each source answers two questions by one statement each, whatever the size of the account: where its newest events
stand, and what those of one page are. A page ends at a place, and the next one begins behind it.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from accounts.models import Account, User

PAGE_ITEMS = 30


@dataclass(frozen=True)
class Story:
    """Whose story, for whom. Days stand at their midnight in the company's time zone."""

    account: Account
    user: User
    zone: zoneinfo.ZoneInfo

    def midnight(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(), self.zone)


@dataclass(frozen=True)
class Place:
    """Where an event stands: newest first, of one moment by the rank of its source, of one source the later made."""

    at: dt.datetime
    rank: int
    id: int

    @property
    def order(self) -> tuple[float, int, int]:
        return -self.at.timestamp(), self.rank, -self.id

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.rank}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """ValueError where it is none."""
        at, rank, pk = text.split("_")
        place = cls(dt.datetime.fromisoformat(at), int(rank), int(pk))
        if place.at.tzinfo is None or not 0 <= place.id < 2**63:
            raise ValueError(text)
        return place


@dataclass(frozen=True)
class Detail:
    """From what to what; `old` is blank where only the new value is told."""

    label: str
    old: str
    new: str


@dataclass
class Item:
    """One event in words. `url` leads to what it is about."""

    at: dt.datetime
    source: str
    icon: str
    title: str
    tone: str = "quiet"
    who: str = ""
    text: str = ""
    url: str = ""
    details: Sequence[Detail] = ()
    is_day: bool = False  # known by its day only


@dataclass(frozen=True)
class Behind:
    """What comes behind a place, for one source: before `at`, and at it where its id is below `below_id`.

    `below_id` is 0 where everything of that moment has been told, and None where nothing of it was.
    """

    at: dt.datetime
    below_id: int | None

    def sql(self, moment: str, pk: str) -> tuple[str, list[Any]]:
        """A condition over two SQL expressions, the moment with its time zone and the id."""
        if self.below_id is None:
            return f"{moment} <= %s", [self.at]
        return f"({moment}, {pk}) < (%s, %s)", [self.at, self.below_id]


@dataclass(frozen=True)
class Source:
    """`find` gives at most `limit` (moment, id) behind a place, newest first; `load` gives items by id."""

    code: str
    label: str
    find: Callable[[Story, Behind, int], list[tuple[dt.datetime, int]]]
    load: Callable[[Story, Sequence[int]], dict[int, Item]]


def behind(place: Place, rank: int) -> Behind:
    if rank == place.rank:
        return Behind(place.at, place.id)
    return Behind(place.at, None if rank > place.rank else 0)


@dataclass(frozen=True)
class Page:
    items: list[Item]
    next_place: Place | None


def read_page(
    story: Story, sources: Sequence[Source], *, now: dt.datetime, start: Place | None = None, only: str = ""
) -> Page:
    """One page behind `start`, or from the newest on; of one source alone where `only` is its code.

    What has a day to come (a contract that begins) is not told yet.
    """
    start = start or Place(now, -1, 0)
    found: list[Place] = []
    for rank, source in enumerate(sources):
        if only in {"", source.code}:
            places = source.find(story, behind(start, rank), PAGE_ITEMS + 1)
            found += [Place(at, rank, pk) for at, pk in places]
    found.sort(key=attrgetter("order"))
    told = found[:PAGE_ITEMS]
    loaded: dict[tuple[int, int], Item] = {}
    for rank, source in enumerate(sources):
        if ids := [place.id for place in told if place.rank == rank]:
            loaded |= {(rank, pk): item for pk, item in source.load(story, ids).items()}
    items = [loaded[place.rank, place.id] for place in told if (place.rank, place.id) in loaded]
    return Page(items, told[-1] if len(found) > PAGE_ITEMS else None)
