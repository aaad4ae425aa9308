"""What the address of the queue asks for: the table's filters, and besides them view, horizon, month and day."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.http import QueryDict

from renewals.forms import EARLIEST_ON, LATEST_ON, shown
from renewals.models import Renewal, RenewalQuerySet
from renewals.periods import month_after
from renewals.table.filter_kinds import EVERY, Reader
from renewals.table.filters import Query, read_query

VIEWS = {"list": "List", "calendar": "Calendar", "timeline": "Timeline"}
HORIZONS = ("30", "60", "90")
DEFAULT_HORIZON = "90"
OWN = ("view", "horizon", "month", "day")


@dataclass
class Address:
    """`query.params` holds what was understood of both, so that each link of the page keeps the whole of it."""

    query: Query
    as_of: dt.date
    view: str = "list"
    horizon: str = DEFAULT_HORIZON
    month_on: dt.date = dt.date.min  # its first day
    day_on: dt.date | None = None

    @property
    def last_on(self) -> dt.date | None:
        """The last decision date within the horizon; None where it is open."""
        return None if self.horizon == EVERY else self.as_of + dt.timedelta(days=int(self.horizon))

    def rows(self, visible: RenewalQuerySet) -> RenewalQuerySet:
        """The queue under the filters, on any day, in its order."""
        rows = visible.open().filter(contract__is_auto_renewing=True)
        return self.query.apply(rows).order_by("decision_on", "pk")

    def rows_within(self, visible: RenewalQuerySet) -> RenewalQuerySet:
        """Those of the horizon; days that are past are always within it."""
        rows = self.rows(visible)
        return rows if self.last_on is None else rows.filter(decision_on__lte=self.last_on)


def read_address(params: QueryDict, reader: Reader) -> Address:
    given = params.copy()
    own = {name: (given.pop(name, [""]) or [""])[-1].replace("\x00", "").strip() for name in OWN}
    given.pop("sort", None)  # the queue has one order
    outcomes = given.pop("outcome", [])
    given["outcome"] = EVERY  # an empty address would bring the table's own default
    address = Address(read_query(given, reader), reader.as_of, month_on=reader.as_of.replace(day=1))
    address.query.params.pop("outcome", None)
    if set(outcomes) - {Renewal.Outcome.OPEN, EVERY, ""}:
        address.query.problems.append("What is decided is not in the queue: it has open renewals only.")
    for name, value in own.items():
        if value and _read_own(address, name, value):
            address.query.params[name] = value
        elif value:
            address.query.problems.append(f"{name.capitalize()}: “{shown(value)}” is not {TAKES[name]}.")
    return address


TAKES = {
    "view": "list, calendar or timeline",
    "horizon": "30, 60, 90 or all",
    "month": "a month written as 2026-11",
    "day": "a date written as 2026-11-21",
}


def _read_own(address: Address, name: str, value: str) -> bool:
    match name:
        case "view" if value in VIEWS:
            address.view = value
        case "horizon" if value in (*HORIZONS, EVERY):
            address.horizon = value
        case "month" if (month := _day(f"{value}-01")) is not None:
            address.month_on = month
        case "day" if (day := _day(value)) is not None:
            address.day_on, address.month_on = day, month_after(day, 0)
        case _:
            return False
    return True


def _day(text: str) -> dt.date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if EARLIEST_ON <= day < LATEST_ON else None
