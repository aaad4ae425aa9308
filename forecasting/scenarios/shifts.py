"""One shift of a scenario: on which renewals, and what is different there. Read and checked here, told in words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.http import QueryDict

from accounts.models import User
from renewals.bulk.selection import Selection, SelectionUnreadable, read_selection
from renewals.forms import EARLIEST_ON, LATEST_ON, Editing, build_field, shown
from renewals.table.columns import DATE
from renewals.table.filters import KNOWN

MOST_SHIFTS: Final = 20
MOST_DAYS: Final = 3650
MOST_IDS: Final = 5_000  # chosen one by one, in one shift; more are reached by a filter
MOST_LOG_ODDS: Final = 6
ALL, IDS = "all:", "ids:"


class Kind(StrEnum):
    LIKELIHOOD = "likelihood"
    DUE = "due"
    ORDER = "order"
    TOLERANCES = "tolerances"
    UPLIFT = "uplift"
    OWNER = "owner"


LABELS: Final = {
    Kind.LIKELIHOOD: "Likelihood",
    Kind.DUE: "Due date",
    Kind.ORDER: "Expected order date",
    Kind.TOLERANCES: "Timing tolerances",
    Kind.UPLIFT: "Amount",
    Kind.OWNER: "Owner",
}
# The fields of each kind, with the value that changes nothing.
FIELDS: Final[dict[Kind, dict[str, str]]] = {
    Kind.LIKELIHOOD: {"unit": "points", "by": "0"},
    Kind.DUE: {"how": "move", "days": "0", "on": ""},
    Kind.ORDER: {"how": "move", "days": "0", "on": ""},
    Kind.TOLERANCES: {"early_days": "", "grace_days": "", "late_days": ""},
    Kind.UPLIFT: {"percent": "0"},
    Kind.OWNER: {"owner": ""},
}
TOLERANCES: Final = ("early_days", "grace_days", "late_days")


class ShiftInvalid(ValueError):
    """What is wrong with one shift, in words."""


@dataclass(frozen=True)
class Shift:
    """`values` are texts by field, in one way of writing. What they say was checked when they were read."""

    kind: Kind
    rows: Selection
    values: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {"kind": str(self.kind), **self.rows.as_json(), "values": dict(self.values)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Shift:
        return cls(Kind(stored["kind"]), Selection.from_json(stored), stored["values"])

    def days(self, name: str) -> int | None:
        """A number of days, or None where the field is blank."""
        return int(self.values[name]) if self.values[name] else None

    def day(self) -> dt.date:
        return dt.date.fromisoformat(self.values["on"])

    @property
    def is_set(self) -> bool:
        """Of a date: whether it is set to a day, rather than moved."""
        return self.values["how"] == "set"


def shifts_from(stored: Iterable[Mapping[str, Any]]) -> list[Shift]:
    return [Shift.from_json(shift) for shift in stored]


def read_rows(text: str) -> Selection:
    """The renewals that a text names: `ids:3,7`, `all:` with a query of the table, its whole address, or plain numbers.

    Raises ShiftInvalid. Whether a filter can be read is asked by `matching`, of whoever reads it.
    """
    text = text.strip()
    if re.fullmatch(r"[0-9][0-9,\s]*", text):
        text = IDS + ",".join(re.split(r"[,\s]+", text.strip(", \t\n")))
    elif "?" in text:
        text = ALL + text.partition("?")[2].partition("#")[0]
    for name in QueryDict(text.removeprefix(ALL)) if text.startswith(ALL) else ():
        if name not in KNOWN:  # left out, it would mean more renewals than were meant
            raise ShiftInvalid(f"“{shown(name)}” is not a filter of this table.")
    try:
        if text.startswith(IDS):
            selection = read_selection({"ids": text.removeprefix(IDS)}, "")
        elif text.startswith(ALL):
            selection = read_selection({"all": "yes"}, text.removeprefix(ALL))
        else:
            raise ShiftInvalid("Say on which renewals: paste the table’s address, or numbers of renewals.")
    except SelectionUnreadable as error:
        raise ShiftInvalid(str(error)) from error
    if len(selection.ids) > MOST_IDS:
        raise ShiftInvalid(f"{len(selection.ids):,} renewals are named; {MOST_IDS:,} at most. Use a filter instead.")
    return selection


def rows_text(selection: Selection) -> str:
    """The same, as a form sends it."""
    return ALL + selection.query if selection.is_all else IDS + ",".join(map(str, selection.ids))


def read_shift(kind: Kind, rows: Selection, given: Mapping[str, str], editing: Editing) -> Shift:
    """A shift from what somebody typed. Raises ShiftInvalid."""
    try:
        values = READERS[kind]({name: given.get(name, "").strip() for name in FIELDS[kind]}, editing)
    except ValidationError as error:
        raise ShiftInvalid(" ".join(error.messages)) from error
    return Shift(kind, rows, values)


def _read_likelihood(given: dict[str, str], editing: Editing) -> dict[str, str]:
    if given["unit"] not in ("points", "log_odds"):
        raise ShiftInvalid(f"A likelihood is shifted by points or by log-odds, not by “{shown(given['unit'])}”.")
    most = 100 if given["unit"] == "points" else MOST_LOG_ODDS
    return {"unit": given["unit"], "by": _number(given["by"], "Likelihood", -most, most)}


def _read_date(given: dict[str, str], editing: Editing) -> dict[str, str]:
    if given["how"] not in ("move", "set"):
        raise ShiftInvalid(f"A date is moved or set, not “{shown(given['how'])}”.")
    if given["how"] == "move":
        return {"how": "move", "days": _days(given["days"], "Days", -MOST_DAYS), "on": ""}
    try:
        day = dt.date.fromisoformat(given["on"])
    except ValueError:
        raise ShiftInvalid(f"A date is written 2026-11-05, not “{shown(given['on'])}”.") from None
    if not EARLIEST_ON <= day <= LATEST_ON:
        raise ShiftInvalid(f"{day:{DATE}} is out of range.")
    return {"how": "set", "days": "0", "on": day.isoformat()}


def _read_tolerances(given: dict[str, str], editing: Editing) -> dict[str, str]:
    read = {name: _days(given[name], name.replace("_", " ").capitalize(), 0) if given[name] else "" for name in given}
    if read["grace_days"] and read["late_days"] and int(read["grace_days"]) > int(read["late_days"]):
        raise ShiftInvalid(f"Grace days ({read['grace_days']}) are at most the late days ({read['late_days']}).")
    return read


def _read_uplift(given: dict[str, str], editing: Editing) -> dict[str, str]:
    return {"percent": _number(given["percent"].removesuffix("%").strip(), "Per cent", -100, 1000)}


def _read_owner(given: dict[str, str], editing: Editing) -> dict[str, str]:
    if not given["owner"]:
        return given
    owner = build_field("owner", editing).clean(given["owner"])
    return {"owner": str(owner.pk)}


READERS: Final[dict[Kind, Callable[[dict[str, str], Editing], dict[str, str]]]] = {
    Kind.LIKELIHOOD: _read_likelihood,
    Kind.DUE: _read_date,
    Kind.ORDER: _read_date,
    Kind.TOLERANCES: _read_tolerances,
    Kind.UPLIFT: _read_uplift,
    Kind.OWNER: _read_owner,
}


def _number(text: str, label: str, least: int, most: int) -> str:
    text = text.replace("−", "-") or "0"
    if not re.fullmatch(r"[+-]?[0-9]{1,4}(\.[0-9]{1,4})?", text) or not least <= Decimal(text) <= most:
        raise ShiftInvalid(f"{label}: a number from {least} to {most:,} such as 5 or -2.5, not “{shown(text)}”.")
    return f"{Decimal(text):f}"


def _days(text: str, label: str, least: int) -> str:
    text = text.replace("−", "-") or "0"
    if not re.fullmatch(r"[+-]?[0-9]{1,4}", text) or not least <= int(text) <= MOST_DAYS:
        raise ShiftInvalid(f"{label}: a whole number from {least:,} to {MOST_DAYS:,}, not “{shown(text)}”.")
    return str(int(text))


def in_words(shift: Shift, owners: Mapping[str, User]) -> str:
    """What is different: Likelihood +10 points."""
    values, label = shift.values, LABELS[shift.kind]
    match shift.kind:
        case Kind.LIKELIHOOD:
            unit = "points" if values["unit"] == "points" else "log-odds"
            return f"{label} {_signed(values['by'])} {unit}"
        case Kind.DUE | Kind.ORDER:
            if shift.is_set:
                return f"{label} → {shift.day():{DATE}}"
            days = int(values["days"])
            return f"{label} {abs(days):,} day{'' if abs(days) == 1 else 's'} {'earlier' if days < 0 else 'later'}"
        case Kind.TOLERANCES:
            told = [f"{name.removesuffix('_days')} {values[name]}" for name in TOLERANCES if values[name]]
            return f"{label} in days: {', '.join(told) or 'as they are'}"
        case Kind.UPLIFT:
            return f"{label} {_signed(values['percent'])}\N{NO-BREAK SPACE}%"
        case Kind.OWNER:
            if not values["owner"]:
                return f"{label} as it is"
            return f"{label} → {owners.get(values['owner'], 'somebody who is no longer there')}"


def _signed(text: str) -> str:
    return f"{Decimal(text):+f}".replace("-", "−")
