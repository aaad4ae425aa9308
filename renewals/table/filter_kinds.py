"""The kinds of filters that the central table has: from the values of an address to words and a condition."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet

from accounts.models import User
from renewals.forms import shown
from renewals.periods import PERIOD_NAMES, named_periods

DATE = "%d %b %Y"
EVERY = "all"


class Unreadable(ValueError):
    """A parameter does not say anything that this page knows; the message says what it takes."""


@dataclass(frozen=True)
class Reader:
    """Who reads the address, on which day, and what a quarter is there."""

    user: User
    as_of: dt.date
    fiscal_month: int = 1


Found = tuple[str, Q]


@dataclass(frozen=True)
class Filter:
    """One filter: its parameters, and how they become words and a condition; None where they restrict nothing."""

    name: str
    label: str
    parameters: tuple[str, ...]
    read: Callable[[dict[str, list[str]], Reader], Found | None]


def date_range(label: str, name: str, column: str, *, never_after: str = "") -> Filter:
    """`never_after` is a column whose day is the same or later in every row: said too, it lets the database begin at
    the first day in an order by that column."""
    first_name, last_name = f"{name}_from", f"{name}_to"

    def read(values: dict[str, list[str]], reader: Reader) -> Found:
        first, last = (_date(values[parameter], parameter, reader) for parameter in (first_name, last_name))
        if first and last and first > last:
            raise Unreadable(f"{label}: {first:%d %b %Y} is after {last:%d %b %Y}.")
        where = Q()
        if first:
            where &= Q(**{f"{name}__gte": first for name in filter(None, (column, never_after))})
        if last:
            where &= Q(**{f"{column}__lte": last})
        return _range_text(first, last, reader), where

    return Filter(name, label, (first_name, last_name), read)


def _date(values: list[str], parameter: str, reader: Reader) -> dt.date | None:
    """A day; or the first, or the last, of a named period of this day, so that a saved view moves with the calendar."""
    if not values:
        return None
    if values[0] in PERIOD_NAMES:
        period = named_periods(reader.as_of, reader.fiscal_month)[PERIOD_NAMES[values[0]]]
        return period[parameter.endswith("_to")]
    try:
        return dt.datetime.strptime(values[0], "%Y-%m-%d").date()  # noqa: DTZ007  # a date has no zone
    except ValueError:
        raise Unreadable(f"{parameter}: “{shown(values[0])}” is not a date written as 2026-11-21.") from None


def _range_text(first: dt.date | None, last: dt.date | None, reader: Reader) -> str:
    for name, period in named_periods(reader.as_of, reader.fiscal_month).items():
        if (first, last) == period:
            return name
    if first and last:
        return f"{first:{DATE}}" if first == last else f"{first:{DATE}} to {last:{DATE}}"
    return f"from {first:{DATE}}" if first else f"to {last:{DATE}}"


def choice(name: str, label: str, choices: dict[str, str], where: Callable[[list[str]], Q]) -> Filter:
    def read(values: dict[str, list[str]], reader: Reader) -> Found | None:
        chosen = values[name]
        if chosen == [EVERY]:
            return None
        for value in chosen:
            if value not in choices:
                raise Unreadable(f"{label}: “{shown(value)}” is not one of {', '.join(choices)}.")
        return ", ".join(choices[value] for value in chosen), where(chosen)

    return Filter(name, label, (name,), read)


def row_of(
    name: str, label: str, column: str, known: Callable[[Reader], QuerySet[Any]], words: dict[str, str] | None = None
) -> Filter:
    """A filter by rows of another table, named by their ids. `words` are values that stand for an id, such as `me`."""

    def read(values: dict[str, list[str]], reader: Reader) -> Found:
        ids = [read_id(value, reader, words or {}, label) for value in values[name]]
        names = {row.pk: str(row) for row in known(reader).filter(pk__in=ids)}
        for value, pk in zip(values[name], ids, strict=True):
            if pk not in names:
                raise Unreadable(f"{label}: there is no “{shown(value)}”.")
        texts = [(words or {}).get(value, names[pk]) for value, pk in zip(values[name], ids, strict=True)]
        return ", ".join(texts), Q(**{f"{column}__in": ids})

    return Filter(name, label, (name,), read)


def read_id(value: str, reader: Reader, words: dict[str, str], label: str) -> int:
    if value in words:
        return reader.user.pk
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise Unreadable(f"{label}: there is no “{shown(value)}”.")
    return int(value)


def every(model: type[Model]) -> Callable[[Reader], QuerySet[Any]]:
    return lambda reader: model._default_manager.all()
