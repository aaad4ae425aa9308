"""The menu that lays the table out: its columns, their order and widths, which of them stay, how dense, what groups."""

from __future__ import annotations

from dataclasses import dataclass

from renewals.table.columns import COLUMNS, DEFAULT_COLUMNS, HEAD, NAMES
from renewals.table.filters import Query
from renewals.table.groups import GROUP_LABELS
from renewals.table.layout import DENSITIES, MOST_STICKY, NARROWEST, WIDEST

# What the form sets itself; the rest of the address goes with it as it is.
SET_HERE = ("columns", "widths", "sticky", "density", "group", "folded", "page")


@dataclass(frozen=True)
class ColumnChoice:
    name: str
    label: str
    is_shown: bool
    is_fixed: bool  # the head of each row is always there, and first
    width: int | None


@dataclass(frozen=True)
class Display:
    columns: list[ColumnChoice]
    default_columns: str
    kept: list[tuple[str, str]]
    groups: dict[str, str]
    group: str
    sticky_choices: range
    sticky: int
    densities: tuple[str, ...]
    density: str
    narrowest: int
    widest: int
    reset_url: str


def build_display(query: Query) -> Display:
    layout = query.layout
    order = [*query.columns, *(name for name in NAMES if name not in query.columns)]
    return Display(
        columns=[
            ColumnChoice(
                name,
                str(COLUMNS[name].verbose_name),
                is_shown=name in query.columns,
                is_fixed=name == HEAD,
                width=layout.widths.get(name),
            )
            for name in order
        ],
        default_columns=",".join(DEFAULT_COLUMNS),
        kept=[(name, value) for name, values in query.params.lists() if name not in SET_HERE for value in values],
        groups=GROUP_LABELS,
        group=layout.group.name if layout.group else "",
        sticky_choices=range(1, MOST_STICKY + 1),
        sticky=layout.sticky,
        densities=DENSITIES,
        density=layout.density,
        narrowest=NARROWEST,
        widest=WIDEST,
        reset_url=query.url(**dict.fromkeys(SET_HERE)),
    )
