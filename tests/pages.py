"""What no page may ever say."""

from __future__ import annotations

import re
from typing import Final

# Whole words: a token of a form may hold any three letters.
ODD: Final = re.compile(r"(?<![\w/+=-])(?:NaN|nan|Infinity)(?![\w/+=-])|>None<")


def assert_sensible(text: str) -> None:
    found = ODD.search(text)
    assert found is None, text[max(found.start() - 200, 0) : found.end() + 100]
