"""The rows of an export: what the table would show on all of its pages, in its order, through a server-side cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Case, Expression, F, OrderBy, Q, Value, When

from accounts.models import User
from renewals.exports.columns import Column
from renewals.exports.state import state_values
from renewals.models import Renewal
from renewals.table.filters import Query
from renewals.table.paging import ORDERS, TIMING

AT_ONCE = 2000  # rows on their way at a time: what bounds the memory


def read_rows(query: Query, user: User, columns: Sequence[Column]) -> Iterator[list[tuple[Any, ...]]]:
    """Blocks of rows: the values of the columns, and last what `state.state_values` makes of them.

    One statement, so one moment: what others write meanwhile is in all of the file or in none of it.
    """
    rows = query.apply(Renewal.objects.visible_to(user)).order_by(*ordering(query))
    accessors = [column.accessor for column in columns]
    found = rows.annotate(state_values=state_values()).values_list(*accessors, "state_values")
    # A cursor that outlives its transaction would be written to disk as a whole first.
    with transaction.atomic():
        block: list[tuple[Any, ...]] = []
        for row in found.iterator(chunk_size=AT_ONCE):
            block.append(row)
            if len(block) == AT_ONCE:
                yield block
                block = []
        if block:
            yield block


def ordering(query: Query) -> list[OrderBy | Expression | str]:
    """The order of the table, as one ORDER BY: group after group, and within them that of `paging.page_ids`."""
    group = query.layout.group
    return [*(group.ordering() if group else []), *_ordering(query)]


def _ordering(query: Query) -> list[OrderBy | Expression | str]:
    """Blank ones last by due date, and the id breaks every tie."""
    order, is_descending = ORDERS[query.sort.removeprefix("-")], query.sort.startswith("-")

    def by(expression: Any) -> OrderBy:
        return OrderBy(expression, descending=is_descending)

    first = order.columns[0]
    if order.group:
        group, key = order.columns
        tie = [F(f"{group}__pk").asc(nulls_last=True), F("due_on").asc(), F("pk").asc()]
        named = F(f"{group}__{key}")
        return [named.desc(nulls_last=True) if is_descending else named.asc(nulls_last=True), *tie]
    if not order.is_nullable:
        return [*(by(F(column)) for column in order.columns), by(F("pk"))]
    is_known = Q(**{f"{first}__isnull": False})
    if order.within == TIMING:
        is_known &= Q(**{f"{TIMING}__in": query.slices.timing_classes})
    is_blank = Case(When(is_known, then=Value(0)), default=Value(1))
    known = [by(Case(When(is_known, then=F(column)))) for column in (*order.columns, "pk")]
    return [is_blank.asc(), *known, F("due_on").asc(), F("pk").asc()]


def count_rows(query: Query, user: User, *, most: int | None = None) -> int:
    """How many there are; no further than `most`."""
    rows = query.apply(Renewal.objects.visible_to(user)).order_by()
    return rows.count() if most is None else rows[:most].count()
