"""What no page may ever say."""

from __future__ import annotations

import re
from typing import Final

from tests.cast import Cast

# Whole words: a token of a form may hold any three letters.
ODD: Final = re.compile(r"(?<![\w/+=-])(?:NaN|nan|Infinity)(?![\w/+=-])|>None<")


def assert_sensible(text: str) -> None:
    found = ODD.search(text)
    assert found is None, text[max(found.start() - 200, 0) : found.end() + 100]


def read_page(cast: Cast, who: str, address: str, *, status: int = 200) -> str:
    """The HTML that somebody gets at an address, with that status and nothing odd in it."""
    response = cast.client_of(who).get(address)
    assert response.status_code == status
    text = response.content.decode()
    assert_sensible(text)
    return text
