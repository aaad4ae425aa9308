"""A paste as a page sends it: where it goes, what it brings, and what the page showed there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from renewals.table.columns import COLUMNS

MOST_ROWS = 20_000
ACTIONS = ("paste", "fill", "clear")


class PasteUnreadable(ValueError):
    """What was sent is no paste; the text says what is wrong."""


@dataclass(frozen=True)
class Paste:
    """A rectangle of cells, by its top left corner.

    `columns` and `rows` are the names and ids of the page from that corner on, as far as the values reach; `values` has
    a list of texts per line and may reach further than the page. `was` holds, for each cell of `rows` x `columns`, what
    its editor would start from (`data-value`), or, where the page offered no editor, what copying it gives; None where
    it has no such cell any more. `is_partial`: the person has seen what cannot be taken and wants the rest.
    """

    action: str
    columns: tuple[str, ...]
    rows: tuple[int, ...]
    values: tuple[tuple[str, ...], ...]
    was: tuple[tuple[str | None, ...], ...]
    is_partial: bool = False


def read_paste(text: str) -> Paste:
    """From the JSON of a page. Raises PasteUnreadable."""
    try:
        data = json.loads(text)
        paste = Paste(
            action=data["action"],
            columns=tuple(data["columns"]),
            rows=tuple(data["rows"]),
            values=tuple(map(tuple, data["values"])),
            was=tuple(map(tuple, data["was"])),
            is_partial=data.get("is_partial", False),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PasteUnreadable("The paste cannot be read: it is not what this page sends.") from None
    _check(paste)
    return paste


def _check(paste: Paste) -> None:
    if paste.action not in ACTIONS:
        raise PasteUnreadable(f"The action is one of {', '.join(ACTIONS)}.")
    unknown = [name for name in paste.columns if not isinstance(name, str) or name not in COLUMNS]
    if unknown:
        raise PasteUnreadable(f"The table has no column “{str(unknown[0])[:40]}”.")
    if not all(_is_id(pk) for pk in paste.rows) or len(set(paste.rows)) != len(paste.rows):
        raise PasteUnreadable("The rows are the numbers of renewals, each once.")
    if len(set(paste.columns)) != len(paste.columns) or not isinstance(paste.is_partial, bool):
        raise PasteUnreadable("Each column stands once, and the choice is yes or no.")
    if not paste.values or not paste.rows or not paste.columns:
        raise PasteUnreadable("There is nothing to paste, or nowhere to paste it.")
    if len(paste.values) > MOST_ROWS:
        raise PasteUnreadable(
            f"{len(paste.values):,} lines are more than one paste takes: {MOST_ROWS:,}. Bring a file."
        )
    if not all(isinstance(text, str) for line in paste.values for text in line):
        raise PasteUnreadable("A value is a text.")
    try:
        "".join(text for line in paste.values for text in line).encode()
    except UnicodeEncodeError:
        raise PasteUnreadable("A value has half a character in it, which no text can.") from None
    if len(paste.was) != len(paste.rows) or any(len(line) != len(paste.columns) for line in paste.was):
        raise PasteUnreadable("What the page showed does not fit its rows and columns.")
    if not all(text is None or isinstance(text, str) for line in paste.was for text in line):
        raise PasteUnreadable("What the page showed is text.")


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 < value < 10**18
