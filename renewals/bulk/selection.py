"""The rows of a bulk edit: some that were ticked, or all that match the table's address, asked again on the server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from accounts.models import Company, User
from renewals.models import Renewal, RenewalQuerySet
from renewals.table.filter_kinds import EVERY, Reader
from renewals.table.filters import FILTERS, Query, read_query

FILTER_PARAMETERS = {name for spec in FILTERS.values() for name in spec.parameters}
MOST_IDS = 20_000  # ticked one by one; more are reached by a filter


class SelectionUnreadable(ValueError):
    """What was sent names no rows; the text says what is wrong."""


@dataclass(frozen=True)
class Selection:
    """Either `ids`, or the table's `query` string with `is_all`."""

    ids: tuple[int, ...] = ()
    query: str = ""
    is_all: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"query": self.query} if self.is_all else {"ids": list(self.ids)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Selection:
        if "ids" in stored:
            return cls(ids=tuple(stored["ids"]))
        return cls(query=stored["query"], is_all=True)

    def matching(self, user: User, company: Company) -> RenewalQuerySet:
        """The rows that are meant, of those that the user may see. Raises SelectionUnreadable."""
        visible = Renewal.objects.visible_to(user)
        if not self.is_all:
            return visible.filter(pk__in=self.ids)
        query = self.read_query(user, company)
        if query.problems:
            # On the page a filter that cannot be read is left out and said; here that would change more than is meant.
            raise SelectionUnreadable(" ".join(query.problems))
        return query.apply(visible)

    def read_query(self, user: User, company: Company) -> Query:
        reader = Reader(user, company.today(), company.fiscal_year_start_month)
        return read_query(QueryDict(self.query), reader)

    def filters(self, user: User, company: Company) -> str:
        """The filters in words."""
        return in_words(self.read_query(user, company)) if self.is_all else ""


def in_words(query: Query) -> str:
    return "; ".join(f"{condition.label}: {condition.text}" for condition in query.conditions)


def read_selection(data: Mapping[str, Any], query: str) -> Selection:
    """From a form: `ids` as 3,7,12, or `all` with the table's query string. Raises SelectionUnreadable."""
    if data.get("all"):
        return Selection(query=filters_of(query), is_all=True)
    texts = [text for text in str(data.get("ids", "")).split(",") if text]
    for text in texts:
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise SelectionUnreadable(f"“{text[:40]}” is not the number of a renewal.")
    ids = tuple(dict.fromkeys(map(int, texts)))
    if not ids:
        raise SelectionUnreadable("No renewal is chosen. Tick rows of the table, or choose all that match its filters.")
    if len(ids) > MOST_IDS:
        raise SelectionUnreadable(
            f"{len(ids):,} rows are ticked; {MOST_IDS:,} at most. Filter the table and choose all that match."
        )
    return Selection(ids=ids)


def filters_of(query: str) -> str:
    """The filters of the table's address, without its view. An empty address would mean the default filter."""
    params = QueryDict(query)
    kept = params.copy()
    for name in params:
        if name not in FILTER_PARAMETERS:
            del kept[name]
    return kept.urlencode() or (f"outcome={EVERY}" if params else "")


def named(rows: QuerySet[Any], prefix: str) -> tuple[str, dict[str, Any]]:
    """SQL of a queryset's ids with parameters that have names, to stand inside a larger statement."""
    sql, values = rows.order_by().values("pk").query.sql_with_params()
    return name_params(sql, values, prefix)


def name_params(sql: str, values: Sequence[Any], prefix: str) -> tuple[str, dict[str, Any]]:
    numbers = iter(range(len(values)))
    text = re.sub(r"%%|%s", lambda found: found[0] if found[0] == "%%" else f"%({prefix}{next(numbers)})s", sql)
    return text, {f"{prefix}{number}": value for number, value in enumerate(values)}
