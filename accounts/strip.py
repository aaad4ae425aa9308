"""The figures over a page, as components/strip.html shows them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Total:
    """One field of the strip. `title` explains the qualifier; `href` leads to what the figure is made of."""

    label: str
    value: str
    qualifier: str = ""
    title: str = ""
    href: str = ""
