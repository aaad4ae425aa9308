"""One page of the filtered book in any order, without sorting the book.

First the ids of the page, each order through its own index; then, elsewhere, the cells of those ids. Blank values come
last in both directions, by due date, and the id breaks every tie, so that no row is shown twice or never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import User
from renewals.models import Offer, Renewal, RenewalQuerySet, Stage

PAGE_SIZES = (25, 50, 100, 200, 500, 1000)
DEFAULT_PAGE_SIZE = 50
# An offset is walked, not jumped to: beyond this a filter serves better than leafing.
LAST_PAGE = 100_000
DEFAULT_SORT = "due_on"

OUTCOME, TIMING = "outcome", "score__timing_class"


@dataclass(frozen=True)
class Order:
    """Columns to order by.

    `within` is the column that the order's index begins with; the page is put together from the slices that the filter
    allows. `group` names the rows behind a foreign key that leads. `of_open`: the columns that say the same of open
    rows, where these have an index of their own. `skips_closed`: most accounts that stand first may have no open
    renewal; their mark tells it faster than their rows do. Only the first column can be blank.
    """

    columns: tuple[str, ...]
    within: str = ""
    is_nullable: bool = False
    group: type[Model] | None = None
    of_open: tuple[str, ...] = ()
    skips_closed: bool = False


ORDERS: dict[str, Order] = {
    "account": Order(("account__name", "account_id")),
    "contract": Order(("contract__number", "contract_id")),
    "due_on": Order(("due_on",), OUTCOME),
    "decision_on": Order(("decision_on",), OUTCOME),
    "timing": Order((TIMING,), TIMING, is_nullable=True),
    "stage": Order(("stage", "position"), OUTCOME, group=Stage),
    "baseline_amount": Order(("baseline_amount",), OUTCOME),
    "forecast_amount": Order(("forecast_amount",), OUTCOME, is_nullable=True),
    "offer": Order(("offer", "name"), OUTCOME, is_nullable=True, group=Offer),
    "confidence": Order(("confidence",), OUTCOME, is_nullable=True),
    "likelihood": Order(("score__likelihood",), TIMING, is_nullable=True),
    "probability": Order(("score__probability",), TIMING, is_nullable=True),
    "risk": Order(("score__risk_score",), TIMING, is_nullable=True),
    "health": Order(("account__health__score", "account_id"), is_nullable=True, skips_closed=True),
    "owner": Order(("owner", "name"), OUTCOME, is_nullable=True, group=User),
    "next_step": Order(("next_step_on",), OUTCOME, is_nullable=True),
    "last_touch_on": Order(
        ("account__last_touch_on", "account_id"),
        is_nullable=True,
        of_open=("account__as_open__last_touch_on", "account_id"),
    ),
    "expected_order_on": Order(("expected_order_on",), OUTCOME, is_nullable=True),
    "ordered_on": Order(("ordered_on",), OUTCOME, is_nullable=True),
    "outcome": Order(("outcome", "due_on")),
}


@dataclass(frozen=True)
class Slices:
    """The outcomes, the timing classes, and the stages where these are few, that a filter allows: values of the columns
    that indexes begin with."""

    outcomes: Sequence[str]
    timing_classes: Sequence[int]
    stages: Sequence[int] = ()

    @property
    def is_open_only(self) -> bool:
        return list(self.outcomes) == [Renewal.Outcome.OPEN]

    def of(self, column: str) -> Sequence[Any]:
        return {OUTCOME: self.outcomes, TIMING: self.timing_classes}.get(column, ())


def page_ids(rows: RenewalQuerySet, sort: str, slices: Slices, *, first: int, count: int) -> list[int]:
    """Ids of `count` rows from the `first` (0-based) on, by the column `sort`, `-` before it to reverse."""
    order = ORDERS[sort.removeprefix("-")]
    if order.of_open and slices.is_open_only:
        order = replace(order, columns=order.of_open)
    rows = rows.order_by()
    leading, trailing = rows, None
    if order.is_nullable:
        is_known = Q(**{f"{order.columns[0]}__isnull": False})
        if order.within == TIMING:
            # A row that was imported but not recomputed may have the class of its former outcome: it stands with the
            # blank ones until then, and is never lost between the slices.
            is_known &= Q(**{f"{TIMING}__in": slices.timing_classes})
        leading, trailing = rows.filter(is_known), rows.filter(~is_known)
    if order.skips_closed and slices.is_open_only:
        leading = leading.filter(account__as_open__isnull=False)
    find = _ids_by_group if order.group else _ids
    found = find(leading, order, slices, sort.startswith("-"), first, count)
    if trailing is not None and len(found) < count:
        # How many stood before has to be counted only on the pages behind.
        skipped = max(first - leading.count(), 0) if first and not found else 0
        found += _ids(trailing, ORDERS[DEFAULT_SORT], slices, False, skipped, count - len(found))
    return found


def _ids(rows: RenewalQuerySet, order: Order, slices: Slices, is_descending: bool, first: int, count: int) -> list[int]:
    """The first rows of every slice, each from its index, then the first of these."""
    keys = {f"key_{number}": F(column) for number, column in enumerate(order.columns)}
    names = [*keys, "pk"]
    cut = {order.within: slices.of(order.within)}
    if order == ORDERS[DEFAULT_SORT]:
        # Each stage has an index by due date; in that of all rows a stage that few are in is far between.
        cut["stage"] = slices.stages
    cut = {column: values for column, values in cut.items() if values}
    # Each slice is read by the same statement, so one is composed for all: its values are set in afterwards.
    places = {column: _Place() for column in cut}
    part: QuerySet[Any] = rows.filter(**{column: RawSQL("%s", (place,)) for column, place in places.items()}).annotate(
        **keys
    )
    part = part.order_by(*(f"-{name}" if is_descending else name for name in names)).values_list(*names)
    chosen = [dict(zip(places.values(), values, strict=True)) for values in product(*cut.values())]
    window = part[: first + count] if len(chosen) > 1 else part[first : first + count]
    try:
        sql, params = window.query.sql_with_params()
    except EmptyResultSet:
        return []
    filled = [values[param] if isinstance(param, _Place) else param for values in chosen for param in params]
    if len(chosen) > 1:
        columns = ", ".join(f"{number} {'DESC' if is_descending else 'ASC'}" for number in range(1, len(names) + 1))
        sql = f"{' UNION ALL '.join([f'({sql})'] * len(chosen))} ORDER BY {columns} LIMIT %s OFFSET %s"
        filled += [count, first]
    with connection.cursor() as cursor:
        cursor.execute(sql, filled)
        return [record[-1] for record in cursor.fetchall()]


class _Place:
    """Where the value of a slice goes among the parameters of a statement."""


def _ids_by_group(
    rows: RenewalQuerySet, order: Order, slices: Slices, is_descending: bool, first: int, count: int
) -> list[int]:
    """Group after group in the order of the group's own column, each by due date.

    The database would sort the whole book for this. Read laterally, each group gives its first rows of each outcome
    from its index (column, outcome, due_on, id), and no group is opened once the page is full.
    """
    assert order.group is not None
    column, key = order.columns
    here = {column: RawSQL("place.id", ()), OUTCOME: RawSQL("slice.outcome", ())}
    inside: QuerySet[Any] = rows.filter(**here).order_by("due_on", "pk").values_list("due_on", "pk")
    sql, params = inside[: first + count].query.sql_with_params()
    direction = "DESC" if is_descending else "ASC"
    table, name = (connection.ops.quote_name(part) for part in (order.group._meta.db_table, key))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT page.id FROM (SELECT id, {name} AS name FROM {table} ORDER BY {name} {direction}, id) AS place"
            f" CROSS JOIN unnest(%s::text[]) AS slice (outcome) CROSS JOIN LATERAL ({sql}) AS page (due_on, id)"
            f" ORDER BY place.name {direction}, place.id, page.due_on, page.id LIMIT %s OFFSET %s",
            ([str(outcome) for outcome in slices.outcomes], *params, count, first),
        )
        return [pk for (pk,) in cursor.fetchall()]
