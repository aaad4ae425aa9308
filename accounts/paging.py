"""Pages of a list whose rows are read by slices: one more row than is shown tells that there are more."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

PAGE_SIZE = 50
# Deeper than that nobody reads, and every page before it would have to be passed over.
MOST_PAGES = 10_000


@dataclass(frozen=True)
class Pages:
    """Which page of a list an address asks for, as components/pages.html shows it; rows and pages count from 1."""

    number: int
    loaded_count: int = 0  # of this page, one more included

    @property
    def rows(self) -> slice:
        """What to load."""
        return slice(self._before, self._before + PAGE_SIZE + 1)

    @property
    def _before(self) -> int:
        return (self.number - 1) * PAGE_SIZE

    def of(self, loaded_count: int) -> Pages:
        return Pages(self.number, loaded_count)

    @property
    def has_more(self) -> bool:
        return self.loaded_count > PAGE_SIZE

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1

    @property
    def first_row(self) -> int:
        return self._before + 1

    @property
    def last_row(self) -> int:
        return self._before + min(self.loaded_count, PAGE_SIZE)


def read_pages(request: HttpRequest) -> Pages:
    """The page of the address; the first where it names none that could be."""
    text = request.GET.get("page", "1")
    return Pages(min(max(int(text), 1), MOST_PAGES) if text.isascii() and text.isdigit() and len(text) < 9 else 1)
