"""The rows of the central table: read in one statement, each set by one format.

The markup around a row's values is the same for every row that shows the same columns to somebody who may, or may not,
write in them. It is put together once; format_html then sets a row's values into it, and escapes what is not markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from accounts.templatetags.look import icon
from config.prepared import execute_prepared
from renewals.live.versions import NEWEST_EVENT, version_text
from renewals.models import Renewal
from renewals.overrides.marks import PINNED
from renewals.quality.marks import RULE_NAMES, mark
from renewals.table.cells import ATTRIBUTES, CONTENTS, NO_TEXT, Content, editor_value, exception_tag, text
from renewals.table.columns import (
    COLUMNS,
    DEFAULT_COLUMNS,
    EDITABLE,
    HEAD,
    ON_DEMAND,
    VALUES,
    VALUES_ON_DEMAND,
    Record,
    Sight,
)

START = '<tr id="renewal-{}" data-id="{}" data-account="{}" data-version="{}">'
# The link to the whole renewal is opened beside the table by a script. The last place is for what is put behind.
HEAD_CELL = (
    '<th scope="row" class="CLASS"><b dir="auto"><a href="ACCOUNT" tabindex="-1" draggable="false">{}</a></b>'
    " {}<small>{}</small>{}"
    '<a class="d-open" href="TABLE{}/" data-drawer tabindex="-1" aria-label="Open {}">ICON</a>{}</th>'
)
OPEN_CELL = '<td class="CLASS" data-value="{}" aria-readonly="false">{}</td>'
# Its editor asks for the order date too, whether or not that column is shown.
OPEN_OUTCOME = '<td class="CLASS" data-ordered-on="{}" data-value="{}" aria-readonly="false">{}</td>'
CLOSED_CELL = '<td class="CLASS" title="{}">{}</td>'
SHOWN_CELL = '<td class="CLASS"{}>{}</td>'
PLAIN_CELL = '<td class="CLASS">{}</td>'


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows are set: a format, what goes into its places in order, and the place of each column's content."""

    markup: str
    values: tuple[Content, ...]
    places: dict[str, int]


@dataclass(slots=True)
class Row:
    id: int
    account: str
    shape: Shape
    values: list[str]

    @property
    def html(self) -> SafeString:
        """The markup with the values in it, which `_escaped` and format_html have made safe.

        format_html would look at each once more, for longer than all of them take to be put together.
        """
        if {*map(type, self.values)} != {SafeString}:
            raise TypeError("a value of a row is not escaped")
        return SafeString(self.shape.markup.format(*self.values))

    def append_to(self, name: str, markup: str) -> None:
        """Put markup behind what stands in a cell; in the row's header where the column is not shown."""
        place = self.shape.places.get(name, self.shape.places[HEAD])
        self.values[place] = format_html("{}{}", self.values[place], markup)


def load_rows(renewal_ids: Sequence[int], sight: Sight, columns: tuple[str, ...] = DEFAULT_COLUMNS) -> list[Row]:
    """The rows in the order of their ids. Two queries: theirs, and the marks of their accounts (settings.ROW_MARKS).

    Whether the user may see them is the caller's question.
    """
    if not renewal_ids:
        return []
    with connection.cursor() as cursor:
        names = VALUES if ON_DEMAND.isdisjoint(columns) else (*VALUES, *VALUES_ON_DEMAND)
        execute_prepared(cursor, row_statement(names), [list(renewal_ids)])
        records: list[Record] = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    by_id = {record["id"]: record for record in records}
    marks = import_module(settings.ROW_MARKS).account_marks({record["account_id"] for record in records})
    for record in records:
        record["account_mark"] = marks.get(record["account_id"], NO_TEXT)
    return [build_row(by_id[pk], sight, columns) for pk in renewal_ids if pk in by_id]


def build_row(record: Record, sight: Sight, columns: tuple[str, ...] = DEFAULT_COLUMNS) -> Row:
    shape = _shape(columns, sight.may_edit(record))
    values: list[str] = [_escaped(value_of(record, sight)) for value_of in shape.values]
    return Row(record["id"], record["account__name"], shape, values)


# By type too: the same text may come as markup and as what somebody typed.
_escaped = lru_cache(maxsize=16_384, typed=True)(conditional_escape)


@lru_cache(maxsize=64)
def _shape(columns: tuple[str, ...], is_editable: bool) -> Shape:
    """Of rows with these columns, the row's header first."""
    markup, places = START, {}
    values: list[Content] = [_id, _id, _account, _version]
    for name in columns:
        cell, values_of = _head() if name == HEAD else _cell(name, is_editable)
        markup += cell
        values += values_of
        places[name] = len(values) - 1
    return Shape(f"{markup}</tr>", tuple(values), places)


def _head() -> tuple[str, list[Content]]:
    return (
        _with_class(HEAD, HEAD_CELL)
        .replace("ACCOUNT", reverse("account_page:page", args=[0]).replace("0", "{}"))
        .replace("TABLE", reverse("renewals:table"))
        .replace("ICON", icon("chevron-right")),
        [_account_id, _account, _mark, _segment, exception_tag, _id, _account, _nothing],
    )


def _cell(name: str, is_editable: bool) -> tuple[str, list[Content]]:
    """The cell's format, and what goes into it: the content last."""
    if name not in EDITABLE:
        if name in ATTRIBUTES:
            return _with_class(name, SHOWN_CELL), [ATTRIBUTES[name], CONTENTS[name]]
        return _with_class(name, PLAIN_CELL), [CONTENTS[name]]
    if not is_editable:
        return _with_class(name, CLOSED_CELL), [_why_not, CONTENTS[name]]
    if name == "outcome":
        return _with_class(name, OPEN_OUTCOME), [editor_value("ordered_on"), editor_value(name), CONTENTS[name]]
    return _with_class(name, OPEN_CELL), [editor_value(name), CONTENTS[name]]


def _with_class(name: str, cell: str) -> str:
    css = COLUMNS[name].attrs["td"]["class"]
    return cell.replace("CLASS", css) if css else cell.replace(' class="CLASS"', "")


def _id(record: Record, sight: Sight) -> str:
    return text(record["id"])


def _account_id(record: Record, sight: Sight) -> str:
    return text(record["account_id"])


def _account(record: Record, sight: Sight) -> str:
    return str(record["account__name"])


def _segment(record: Record, sight: Sight) -> str:
    return record["account__segment__name"] or ""


def _version(record: Record, sight: Sight) -> str:
    return version_text(record["newest_event"], record["derived_version"])


def _mark(record: Record, sight: Sight) -> str:
    """What the row breaks, and what is known of its account; both stand before what a narrow cell cuts off."""
    severity, of_account = record["quality__worst_severity"], record.get("account_mark", NO_TEXT)
    if severity is None:
        return str(of_account)
    return str(of_account) + _mark_of(severity, tuple(record["broken_rules"]), record["id"])


_mark_of = lru_cache(maxsize=4096)(mark)


def _why_not(record: Record, sight: Sight) -> str:
    return sight.why_not(record)


def _nothing(record: Record, sight: Sight) -> str:
    return NO_TEXT


# As renewals.live.versions.DERIVED_VERSION, of tables that are joined here anyway.
DERIVED_VERSION = RawSQL(
    "coalesce(renewals_renewalscore.xmin::text::bigint, 0) + coalesce(renewals_renewalquality.xmin::text::bigint, 0)",
    (),
    output_field=BigIntegerField(),
)


@cache
def row_statement(names: tuple[str, ...] = VALUES) -> str:
    """The query for the cells of some rows. Compiled once by Django and planned once per connection by the database:
    each of the two takes longer than to execute it."""
    rows = Renewal.objects.filter(pk__in=[0]).order_by()
    rows = rows.annotate(
        broken_rules=RULE_NAMES, pinned=PINNED, newest_event=NEWEST_EVENT, derived_version=DERIVED_VERSION
    )
    sql, _ = rows.values(*names).query.sql_with_params()
    return str(sql).replace("IN (%s)", "= ANY(%s)")
