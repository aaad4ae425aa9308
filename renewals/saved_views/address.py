"""What a view keeps: the table's query string in one way of writing, so that two that mean the same are the same."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import QueryDict

from renewals.table.filter_kinds import EVERY, Reader
from renewals.table.filters import Query, read_query
from renewals.table.paging import DEFAULT_PAGE_SIZE, DEFAULT_SORT

# Where one is, and as what one opened it, is no part of a view.
LEFT_OUT = ("page", "view")
DEFAULTS = {"sort": DEFAULT_SORT, "per_page": str(DEFAULT_PAGE_SIZE), "outcome": EVERY, "quality": EVERY}


def canonical_address(query: Query) -> str:
    """The parameters that were understood, in alphabetical order, less those that say what goes without saying."""
    pairs = sorted(
        (name, value)
        for name, values in query.params.lists()
        for value in values
        if name not in LEFT_OUT and DEFAULTS.get(name) != value
    )
    # An empty address would be the table's default filter.
    return urlencode(pairs, safe=",:") or f"outcome={EVERY}"


def read_address(text: str, reader: Reader) -> Query:
    """What a query string asks of the table, with or without its question mark."""
    return read_query(QueryDict(text.removeprefix("?")), reader)
