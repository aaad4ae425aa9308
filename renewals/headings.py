"""The heads of the central table's columns, each with the link that sorts by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html

from accounts.templatetags.money import currency_sign
from renewals.tables import COLUMNS, DEFAULT_COLUMNS, Sight


@dataclass(frozen=True)
class Heading:
    """The head of a column, with the link that sorts by it."""

    name: str
    label: str
    attributes: str
    url: str
    direction: str  # ascending, descending, or nothing: as aria-sort says it

    @property
    def icon(self) -> str:
        return "arrow-up" if self.direction == "ascending" else "arrow-down"


HEADING_ATTRIBUTES = {
    name: format_html(
        ' class="{}" data-name="{}" data-label="{}" data-why="{}"',
        column.attrs["th"]["class"],
        name,
        column.verbose_name,
        column.attrs["th"]["data-why"],
    )
    for name, column in COLUMNS.items()
}


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
                attributes=HEADING_ATTRIBUTES[name],
                url=url_of(f"-{name}" if is_current and not is_descending else name),
                direction=("descending" if is_descending else "ascending") if is_current else "",
            )
        )
    return headings
