"""One page of the table in groups: group after group, the rows of each in the table's order.

No group is counted for a page: they are walked in their order until it is full, and what stands before it is counted
only as far as it is passed over. How many rows a group has and what they are worth is asked for later
(renewals.totals.groups). The rows come through the orders of renewals.table.paging, so no group is sorted as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
    sections, has_more = _walk(rows, query, query.layout.group, first, size)
    tokens = {section.token for section in sections}
    for section in sections:
        # Where all are folded they all stand on the one page that there is.
        folded = tokens if query.layout.folded == (FOLDED_ALL,) else set(query.layout.folded)
        section.fold_url = query.url(folded=",".join(sorted(folded ^ {section.token})) or None)
    return Page(
        sections,
        has_more,
        fold_all_url=query.url(folded=FOLDED_ALL),
        unfold_all_url=query.url(folded=None) if query.layout.folded else "",
    )


def _walk(rows: RenewalQuerySet, query: Query, group: Group, first: int, size: int) -> tuple[list[Section], bool]:
    """The groups on the page, and whether rows follow it.

    A folded group stands behind the row before it; the last ones are on the last page even where it is full.
    """
    shown, behind = list[Section](), list[Section]()
    before, wanted, allowed = first, size, query.slices
    for key, title in group.walk(rows, allowed.outcomes):
        token, slices = token_of(key), group.slices_of(allowed, key)
        if not slices.outcomes:
            continue
        inside = group.rows_of(rows, key)
        section = Section(token, title, query.layout.is_folded(token))
        if section.is_folded:
            if not before and inside.exists():
                (shown if wanted else behind).append(section)
            continue
        passed = inside[:before].count() if before else 0
        before -= passed
        if before:
            continue
        found = page_ids(inside, query.sort, slices, first=passed, count=wanted + 1)
        section.ids = found[:wanted]
        if section.ids:
            shown.append(section)
        if len(found) > wanted:
            return shown, True
        wanted -= len(found)
    return [*shown, *behind], False
