"""One page of the table in groups: group after group, the rows of each in the table's order.

How many rows a group has is counted over the whole filtered set, with the page; what they are worth is asked for later
(renewals.totals.groups). The rows come through the orders of renewals.table.paging, so no group is sorted as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from renewals.models import RenewalQuerySet
from renewals.table.filters import Query
from renewals.table.groups import Group, token_of
from renewals.table.layout import FOLDED_ALL
from renewals.table.paging import page_ids


@dataclass
class Section:
    """A group on the page, with the ids of those of its rows that stand there. Without a group it has no token."""

    token: str = ""
    title: str = ""
    count: int = 0
    is_folded: bool = False
    fold_url: str = ""  # the address that folds or unfolds it
    ids: list[int] = field(default_factory=list)


@dataclass
class Page:
    sections: list[Section]
    has_more: bool
    fold_all_url: str = ""
    unfold_all_url: str = ""

    @property
    def ids(self) -> list[int]:
        return [pk for section in self.sections for pk in section.ids]


def read_page(rows: RenewalQuerySet, query: Query) -> Page:
    first, size = (query.page - 1) * query.page_size, query.page_size
    if query.layout.group is None:
        ids = page_ids(rows, query.sort, query.slices, first=first, count=size + 1)
        return Page([Section(ids=ids[:size])], has_more=len(ids) > size)
    return _grouped(rows, query, query.layout.group, first, size)


def _grouped(rows: RenewalQuerySet, query: Query, group: Group, first: int, size: int) -> Page:
    counts = count_groups(rows, group)
    keys = group.in_order(counts)
    tokens = [token_of(key) for key, _ in keys]
    row_count = sum(count for key, count in counts.items() if not query.layout.is_folded(token_of(key)))
    shown, start = list[Section](), 0  # `start`: rows before the group, on this page and those before it
    for key, title in keys:
        token = token_of(key)
        section = Section(token, title, counts[key], query.layout.is_folded(token), _fold_url(query, token, tokens))
        length = 0 if section.is_folded else section.count
        skipped, end = max(first - start, 0), min(start + length, first + size)
        if skipped < length and start + skipped < end:
            section.ids = page_ids(
                group.rows_of(rows, key), query.sort, query.slices, first=skipped, count=end - start - skipped
            )
        # A folded group stands behind the row before it; so the last ones are on the last page even where it is full.
        is_here = first <= start < first + size or start == first + size == row_count
        if section.ids or (section.is_folded and is_here):
            shown.append(section)
        start += length
    return Page(
        shown,
        has_more=row_count > first + size,
        fold_all_url=query.url(folded=FOLDED_ALL),
        unfold_all_url=query.url(folded=None) if query.layout.folded else "",
    )


def count_groups(rows: RenewalQuerySet, group: Group) -> dict[Any, int]:
    counted = rows.order_by().annotate(group_key=group.key).values("group_key").annotate(row_count=Count("pk"))
    return dict(counted.order_by().values_list("group_key", "row_count"))


def _fold_url(query: Query, token: str, tokens: Iterable[str]) -> str:
    folded = set(tokens) if query.layout.folded == (FOLDED_ALL,) else set(query.layout.folded)
    return query.url(folded=",".join(sorted(folded ^ {token})) or None)
