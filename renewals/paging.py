"""One page of the filtered book in any order, without sorting the book.

First the ids of the page, each order through its own index; then, elsewhere, the cells of those ids. Blank values come
last in both directions, and the id breaks every tie, so that no row is shown twice or never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

from accounts.models import User
from renewals.models import Offer, RenewalQuerySet, Stage

PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_PAGE_SIZE = 50
# An offset is walked, not jumped to: beyond this a filter serves better than leafing.
LAST_PAGE = 100_000
DEFAULT_SORT = "due_on"


@dataclass(frozen=True)
class Order:
    """Columns to order by. `is_nullable` looks at the first; `group` names the rows behind a leading key."""

    columns: tuple[str, ...]
    is_nullable: bool = False
    group: type[Model] | None = None


ORDERS: dict[str, Order] = {
    "account": Order(("account__name", "account_id")),
    "contract": Order(("contract__number", "contract_id")),
    "due_on": Order(("due_on",)),
    "decision_on": Order(("decision_on",)),
    "timing": Order(("score__timing_class",), is_nullable=True),
    "stage": Order(("stage", "position"), group=Stage),
    "baseline_amount": Order(("baseline_amount",)),
    "forecast_amount": Order(("forecast_amount",), is_nullable=True),
    "offer": Order(("offer", "name"), is_nullable=True, group=Offer),
    "confidence": Order(("confidence",), is_nullable=True),
    "likelihood": Order(("score__likelihood",), is_nullable=True),
    "probability": Order(("score__probability",), is_nullable=True),
    "risk": Order(("score__risk_score",), is_nullable=True),
    "owner": Order(("owner", "name"), is_nullable=True, group=User),
    "next_step": Order(("next_step_on",), is_nullable=True),
    "last_touch_on": Order(("account__last_touch_on", "account_id"), is_nullable=True),
    "expected_order_on": Order(("expected_order_on",), is_nullable=True),
    "ordered_on": Order(("ordered_on",), is_nullable=True),
    "outcome": Order(("outcome", "due_on")),
}


def page_ids(rows: RenewalQuerySet, sort: str, *, first: int, count: int) -> list[int]:
    """Ids of `count` rows from the `first` (0-based) on, by the column `sort`, `-` before it to reverse."""
    order, is_descending = ORDERS[sort.removeprefix("-")], sort.startswith("-")
    rows = rows.order_by()
    if not order.is_nullable:
        return _ids(rows, order, is_descending, first, count)
    lead = order.columns[0]
    found = _ids(rows.filter(**{f"{lead}__isnull": False}), order, is_descending, first, count)
    if len(found) < count:
        blank = rows.filter(**{f"{lead}__isnull": True}).order_by("pk")
        # Blank ones stand behind the others; how many stood before has to be counted only on the pages behind.
        skipped = first - rows.filter(**{f"{lead}__isnull": False}).count() if first and not found else 0
        found += blank.values_list("pk", flat=True)[max(skipped, 0) : max(skipped, 0) + count - len(found)]
    return found


def _ids(rows: RenewalQuerySet, order: Order, is_descending: bool, first: int, count: int) -> list[int]:
    if order.group is not None:
        return _ids_by_group(rows, order.columns, order.group, is_descending, first, count)
    sign = "-" if is_descending else ""
    keys = [f"{sign}{column}" for column in (*order.columns, "pk")]
    return list(rows.order_by(*keys).values_list("pk", flat=True)[first : first + count])


def _ids_by_group(
    rows: RenewalQuerySet, columns: Sequence[str], group: type[Model], is_descending: bool, first: int, count: int
) -> list[int]:
    """Group after group in the order of the group's own column, each by due date.

    The database would sort the whole book for this. Read laterally, each group gives its first rows from its index
    (column, due_on, id), and no group is opened once the page is full.
    """
    column, key = columns
    inside: QuerySet = rows.filter(**{column: RawSQL("place.id", ())}).order_by("due_on", "pk")  # type: ignore[type-arg]
    sql, params = inside.values("due_on", "pk")[: first + count].query.sql_with_params()
    direction = "DESC" if is_descending else "ASC"
    table, name = (connection.ops.quote_name(part) for part in (group._meta.db_table, key))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT page.id FROM (SELECT id, {name} AS name FROM {table} ORDER BY {name} {direction}, id) AS place"
            f" CROSS JOIN LATERAL ({sql}) AS page (due_on, id)"
            f" ORDER BY place.name {direction}, place.id, page.due_on, page.id LIMIT %s OFFSET %s",
            (*params, count, first),
        )
        return [pk for (pk,) in cursor.fetchall()]
