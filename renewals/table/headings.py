"""The heads of the central table's columns, each with the link that sorts by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import format_html

from accounts.templatetags.look import icon
from accounts.templatetags.money import currency_sign
from renewals.table.columns import COLUMNS, DEFAULT_COLUMNS, Sight


@dataclass(frozen=True)
class Heading:
    """The head of a column, with the link that sorts by it."""

    name: str
    label: str
    url: str
    direction: str  # ascending, descending, or nothing: as aria-sort says it

    @property
    def html(self) -> str:
        return _set_heading(self)


@lru_cache(maxsize=1024)  # a page has twenty, the same ones while its filters stay
def _set_heading(heading: Heading) -> str:
    column, sort, arrow = COLUMNS[heading.name], "", ""
    if heading.direction:
        sort = format_html(' aria-sort="{}"', heading.direction)
        arrow = icon("arrow-up" if heading.direction == "ascending" else "arrow-down")
    return format_html(
        '<th scope="col" class="{}" data-name="{}" data-label="{}" data-why="{}"{}>'
        '<a id="sort-{}" href="{}">{}{}</a></th>',
        column.attrs["th"]["class"],
        heading.name,
        column.verbose_name,
        column.attrs["th"]["data-why"],
        sort,
        heading.name,
        heading.url,
        heading.label,
        arrow,
    )


def build_headings(
    sort: str, url_of: Callable[[str], str], sight: Sight, columns: Sequence[str] = DEFAULT_COLUMNS
) -> list[Heading]:
    """`sort` is the present order, `-` before it for descending; `url_of` gives the address of another."""
    current, is_descending = sort.removeprefix("-"), sort.startswith("-")
    headings = []
    for name in columns:
        column, is_current = COLUMNS[name], name == current
        unit = f" {currency_sign(sight.currency)}" if name in {"baseline_amount", "forecast_amount"} else ""
        headings.append(
            Heading(
                name=name,
                label=f"{column.verbose_name}{unit}",
                url=url_of(f"-{name}" if is_current and not is_descending else name),
                direction=("descending" if is_descending else "ascending") if is_current else "",
            )
        )
    return headings
