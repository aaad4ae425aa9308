"""Text that no spreadsheet runs as a formula."""

from __future__ import annotations

import re

# What begins a formula, in the wide forms of East Asian keyboards too.
SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
# At the start of a cell, and after whatever a spreadsheet of another locale takes for the end of a cell or of a line.
RISKY = re.compile(f"^(?=[\\t\\r\\n])(?!\\s*[{SIGNS}])|(^|[;\\t\\r\\n])(\\s*)(?=[{SIGNS}])")
GUARDED = re.compile(f"^'(?=[\\t\\r\\n])|(^|[;\\t\\r\\n])'(\\s*)(?=[{SIGNS}])")


def guarded(text: str) -> str:
    """The same text with a quote in front of what would be run. Spreadsheets show it as text."""
    return RISKY.sub(r"\1'\2", text)


def unguarded(text: str) -> str:
    """Takes the quotes of `guarded` off again."""
    return GUARDED.sub(r"\1\2", text)
