"""Text that no spreadsheet runs as a formula."""

from __future__ import annotations

import re

# What begins a formula, in the wide forms of East Asian keyboards too.
SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
# At the start of a cell, and after whatever a spreadsheet of another locale takes for the end of a cell or of a line.
BLANK = "[^\\S\\t\\r\\n]*"
RISKY = re.compile(f"^(?=[\\t\\r\\n])|(^|[;\\t\\r\\n])({BLANK})(?=[{SIGNS}])")
GUARDED = re.compile(f"^'(?=[\\t\\r\\n])|(^|[;\\t\\r\\n])'({BLANK})(?=[{SIGNS}])")


def guarded(text: str) -> str:
    """The same text with a quote in front of what would be run. Spreadsheets show it as text."""
    # Nearly every text is told by these three looks, at a tenth of the time.
    if text[:1].isalnum() and ";" not in text and text.isprintable():
        return text
    return RISKY.sub(r"\1'\2", text)


def unguarded(text: str) -> str:
    """Takes the quotes of `guarded` off again."""
    return GUARDED.sub(r"\1\2", text)
