"""A list of people, and of teams before them, that is too long for a page: found by name, ordered, page by page.

What is asked for stands in the address and is kept by the links of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from forecasting.scopes.scope import Scope

PER_PAGE: Final = 25
FIND, ORDER, LEAF = "find", "order", "leaf"
LISTED: Final = (FIND, ORDER, LEAF)
NAME: Final = "name"
T = TypeVar("T")


@dataclass(frozen=True)
class Leaf(Generic[T]):
    """The entries of one page of a list, of `count` that were found of `all_count`."""

    entries: Sequence[T]
    number: int
    count: int
    all_count: int
    scope: Scope
    find: str = ""

    @property
    def is_long(self) -> bool:
        """Whether anything of it is elsewhere."""
        return self.all_count > PER_PAGE or bool(self.find)

    @property
    def first(self) -> int:
        return (self.number - 1) * PER_PAGE + 1 if self.count else 0

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1 if self.count else 0

    @property
    def page_count(self) -> int:
        return pages_of(self.count)

    @property
    def previous_url(self) -> str:
        return self.scope.url(**{LEAF: str(self.number - 1)}) if self.number > 1 else ""

    @property
    def next_url(self) -> str:
        return self.scope.url(**{LEAF: str(self.number + 1)}) if self.number < self.page_count else ""

    @property
    def all_url(self) -> str:
        return self.scope.url(**{FIND: None, LEAF: None})

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form that finds keeps of the address."""
        return [(name, value) for name, value in self.scope.query.items() if name not in (FIND, LEAF)]


def pages_of(count: int) -> int:
    return max(1, -(-count // PER_PAGE))


def leaf_of(
    scope: Scope,
    parts: Sequence[Sequence[T]],
    *,
    name: Callable[[T], str],
    measures: Mapping[str, Callable[[T], float | None]],
    is_whole: bool = False,
) -> Leaf[T]:
    """The page that an address asks for: of each part after the other those whose name has what is sought, in order.

    Entries come in the order of their names. What a measure does not tell comes last, however it is ordered. A page
    beyond the last is the last one, and what no list can be ordered by leaves it as it is.
    """
    sought = scope.kept.get(FIND, "").strip()
    found = [[one for one in part if sought.casefold() in name(one).casefold()] for part in parts]
    key, is_down = order_of(scope, measures)
    if key in measures:
        found = [_ordered(part, measures[key], is_down=is_down) for part in found]
    elif is_down:
        found = [part[::-1] for part in found]
    entries = [one for part in found for one in part]
    count, all_count = len(entries), sum(len(part) for part in parts)
    if is_whole:
        return Leaf(entries, 1, count, all_count, scope, sought)
    text = scope.kept.get(LEAF, "1")
    asked = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
    number = min(max(asked, 1), pages_of(count))
    return Leaf(entries[(number - 1) * PER_PAGE : number * PER_PAGE], number, count, all_count, scope, sought)


def order_of(scope: Scope, known: Mapping[str, object]) -> tuple[str, bool]:
    """What is ordered by, and whether the largest comes first."""
    text = scope.kept.get(ORDER, NAME)
    key, is_down = text.removeprefix("-"), text.startswith("-")
    return (key, is_down) if key in known or key == NAME else (NAME, False)


def orders_of(scope: Scope, keys: Sequence[str], known: Mapping[str, object]) -> list[tuple[str, str]]:
    """Address and aria-sort of each column of a table; a column without a key has none.

    The first click on names orders them up, on figures down.
    """
    current, is_down = order_of(scope, known)
    found = []
    for key in keys:
        if not key:
            found.append(("", ""))
            continue
        turned = not is_down if key == current else key != NAME
        order = f"-{key}" if turned else key
        url = scope.url(**{ORDER: None if order == NAME else order, LEAF: None})
        found.append((url, ("descending" if is_down else "ascending") if key == current else ""))
    return found


def _ordered(part: Sequence[T], measure: Callable[[T], float | None], *, is_down: bool) -> list[T]:
    known = [(value, one) for one in part if (value := measure(one)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=is_down)
    return [one for _, one in known] + [one for one in part if measure(one) is None]
