"""A tile of a dashboard: what is drawn, the same numbers as a table, and where each of them leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from html import escape
from typing import Any

from django.utils.safestring import SafeString

from accounts.templatetags.money import NOTHING, currency_sign, exact_rate
from forecasting.pictures import Drawing, Series, bar, drawn, empty_figure, line, unit_of

Number = Decimal | int | None


class Kind(StrEnum):
    MONEY = "money"
    UNITS = "units"  # of money, without its cents: for what is read at a glance
    RATE = "rate"
    COUNT = "count"
    POINTS = "points"  # a difference of rates


def text_of(number: Number, kind: Kind) -> str:
    """To the cent or the unit; a rate in per cent, a difference of rates in points, with one decimal; else a dash.

    What is nothing once it is rounded has no minus.
    """
    if number is None:
        return NOTHING
    if kind == Kind.RATE:
        return exact_rate(number)
    if kind == Kind.POINTS:
        return f"{number * 100:+z,.1f}".replace("-", "−")
    if kind == Kind.UNITS:
        number = round(number)
    return (f"{number:z,.2f}" if kind == Kind.MONEY else f"{number:,}").replace("-", "−")


@dataclass(frozen=True)
class Cell:
    """A number in a table, and what it opens: its explanation, or its rows. `heat` shades it, 1 to 6."""

    number: Number
    kind: Kind
    url: str = ""
    heat: int = 0

    @property
    def text(self) -> str:
        return text_of(self.number, self.kind)

    @property
    def html(self) -> str:
        shade = f" d-heat-{self.heat}" if self.heat else ""
        return f'<td class="num{shade}">{_linked(self.text, self.url)}</td>'


@dataclass(frozen=True)
class Row:
    label: str
    cells: Sequence[Cell]
    url: str = ""
    is_total: bool = False

    @property
    def html(self) -> SafeString:
        """As its table has it. A page may have two thousand cells: a template takes four times as long over each."""
        total = ' class="d-total"' if self.is_total else ""
        cells = "".join(cell.html for cell in self.cells)
        return SafeString(f'<tr{total}><th scope="row">{_linked(self.label, self.url)}</th>{cells}</tr>')


def _linked(text: str, url: str) -> str:
    return f'<a href="{escape(url)}">{escape(text)}</a>' if url else escape(text)


@dataclass(frozen=True)
class Column:
    """A measure along the rows of a tile. `rows_urls` are opened from the picture, `urls` from the table."""

    name: str
    kind: Kind
    numbers: Sequence[Number]
    colour: str = "total"
    rows_urls: Sequence[str] = ()
    urls: Sequence[str] = ()

    def series(self) -> Series:
        """As forecasting.pictures draws it."""
        values = [None if number is None else Decimal(number) for number in self.numbers]
        return Series(self.name, values, self.rows_urls or [""] * len(values), self.colour, self.kind == Kind.RATE)


@dataclass(frozen=True)
class Tile:
    """`figure` is what plotly.js draws; without one the tile is its table, and without rows `empty` says why."""

    key: str
    title: str
    caption: str
    label_head: str
    heads: Sequence[str]
    rows: Sequence[Row]
    figure: dict[str, Any] | None = None
    empty: str = "There is nothing to show for this choice of filters."
    span: str = "p-span-6"
    notes: Sequence[str] = field(default_factory=tuple)
    choices: Sequence[tuple[str, str, bool]] = ()  # of the tile itself: what it says, its address, whether it is chosen
    orders: Sequence[tuple[str, str]] = ()  # of the first column and the others: address of its order, aria-sort

    @property
    def figure_id(self) -> str:
        return f"{self.key}-figure"

    @property
    def columns(self) -> list[tuple[str, str, str]]:
        """Each head, the first one's included, with the address of its order and how it is ordered by."""
        names = [self.label_head, *self.heads]
        orders = self.orders or [("", "")] * len(names)
        return [(name, *order) for name, order in zip(names, orders, strict=True)]


def tile(
    key: str,
    title: str,
    caption: str,
    *,
    labels: Sequence[str],
    label_head: str,
    columns: Sequence[Column],
    figure: Drawing | None = None,
    empty: str = "There is nothing to show for this choice of filters.",
    span: str = "p-span-6",
    notes: Sequence[str] = (),
    currency: str = "",
) -> Tile:
    """A tile whose table has a row for each label and a column for each measure. Nothing but blanks is nothing.

    `currency` is that of its money, which the heads then name: a title in € M is of the picture, the table is in €.
    """
    has_any = any(number is not None for column in columns for number in column.numbers)
    rows = [
        Row(label, [Cell(one.numbers[at], one.kind, one.urls[at] if one.urls else "") for one in columns])
        for at, label in enumerate(labels)
    ]
    return Tile(
        key,
        title,
        caption,
        label_head,
        [in_currency(one.name, currency) if one.kind == Kind.MONEY and currency else one.name for one in columns],
        rows if has_any else [],
        drawn(figure) if figure is not None and has_any else None,
        empty,
        span,
        notes,
    )


def in_currency(name: str, currency: str) -> str:
    """The head of a column of money."""
    return f"{name}, {currency_sign(currency)}"


def bars(columns: Sequence[Column], labels: Sequence[str], currency: str, *, mode: str, current: str = "") -> Drawing:
    """Bars of the same kind: `mode` is stack, group or relative."""
    series = [column.series() for column in columns]
    is_rate = columns[0].kind == Kind.RATE
    divisor = 1 if is_rate or columns[0].kind == Kind.COUNT else unit_of(currency, *series)[0]
    figure = empty_figure(mode, labels, current=current if current in labels else "", is_rate=is_rate)
    for one in series:
        figure.add_trace(bar(one, labels, divisor, currency if columns[0].kind == Kind.MONEY else ""))
    return figure


def lines(
    columns: Sequence[Column], labels: Sequence[str], *, current: str = "", hollow: Sequence[bool] = ()
) -> Drawing:
    """Lines of rates, each with a mark at its points; hollow marks still move."""
    figure = empty_figure("group", labels, current=current if current in labels else "", is_rate=True)
    for column in columns:
        figure.add_trace(line(column.series(), labels, 1, hollow=hollow))
    return figure


def unit_text(currency: str, *columns: Column) -> str:
    """€ M, the unit in which these are drawn."""
    return unit_of(currency, *(column.series() for column in columns))[1]
