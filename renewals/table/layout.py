"""How the table is laid out, as its address says it: what changes neither which rows there are nor what is in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from renewals.forms import shown
from renewals.table.columns import COLUMNS
from renewals.table.groups import GROUP_LABELS, GROUPS, Group

PARAMETERS = ("widths", "sticky", "density", "group", "folded", "view")
NARROWEST, WIDEST = 60, 600  # px
MOST_STICKY = 6
DENSITIES = ("comfortable", "compact")
FOLDED_ALL = "all"
MOST_FOLDED = 500
TOKEN = re.compile(r"[\w.-]{1,40}")


@dataclass
class Layout:
    widths: dict[str, int] = field(default_factory=dict)  # column -> px
    sticky: int = 1  # how many of the first columns stay
    density: str = DENSITIES[0]
    group: Group | None = None
    folded: tuple[str, ...] = ()  # tokens of groups whose rows are not shown, or FOLDED_ALL
    view: str = ""  # what it was opened as: the number of a saved view, or the name of a built-in one
    problems: list[str] = field(default_factory=list)

    def parameters(self) -> dict[str, str]:
        """What an address says of it; a default is not said."""
        said = {
            "widths": ",".join(f"{name}:{width}" for name, width in sorted(self.widths.items())),
            "sticky": "" if self.sticky == 1 else str(self.sticky),
            "density": "" if self.density == DENSITIES[0] else self.density,
            "group": self.group.name if self.group else "",
            "folded": ",".join(self.folded),
            "view": self.view,
        }
        return {name: text for name, text in said.items() if text}

    def is_folded(self, token: str) -> bool:
        return token in self.folded or self.folded == (FOLDED_ALL,)


def read_layout(given: Mapping[str, Sequence[str]], fiscal_month: int) -> Layout:
    """From the values of each parameter. What cannot be read is left out and said; a width is brought within bounds."""
    layout = Layout()
    for text in _parts(given, "widths"):
        name, _, width = text.partition(":")
        if name in COLUMNS and re.fullmatch(r"[0-9]{1,5}", width):
            layout.widths[name] = min(max(int(width), NARROWEST), WIDEST)
        else:
            layout.problems.append(f"“{shown(text)}” is not a width of a column, such as due_on:120.")
    for text in given["sticky"][:1]:
        if re.fullmatch(r"[1-6]", text):
            layout.sticky = int(text)
        else:
            layout.problems.append(f"1 to {MOST_STICKY} columns can stay, not “{shown(text)}”.")
    for text in given["density"][:1]:
        if text in DENSITIES:
            layout.density = text
        else:
            layout.problems.append(f"Rows are {' or '.join(DENSITIES)}, not “{shown(text)}”.")
    _read_group(layout, given, fiscal_month)
    layout.view = next((text for text in given["view"] if re.fullmatch(r"[a-z_]{1,30}|[0-9]{1,18}", text)), "")
    return layout


def _read_group(layout: Layout, given: Mapping[str, Sequence[str]], fiscal_month: int) -> None:
    for text in given["group"][:1]:
        if text in GROUPS:
            layout.group = GROUPS[text](fiscal_month)
        else:
            layout.problems.append(f"The table is grouped by {', '.join(GROUP_LABELS)}, not by “{shown(text)}”.")
    tokens = tuple(dict.fromkeys(_parts(given, "folded")))
    if layout.group and tokens:
        layout.folded = tuple(sorted(token for token in tokens if TOKEN.fullmatch(token)))[:MOST_FOLDED]
        if FOLDED_ALL in layout.folded:
            layout.folded = (FOLDED_ALL,)


def _parts(given: Mapping[str, Sequence[str]], name: str) -> list[str]:
    return [part.strip() for text in given[name] for part in text.split(",") if part.strip()]
