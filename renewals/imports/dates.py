"""Dates by named formats. No format is guessed: 03/04/2026 is the 3rd of April or the 4th of March, and only the
mapping knows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

PARTS = {
    "%Y": r"(?P<Y>\d{4})",
    "%y": r"(?P<y>\d{2})",
    "%m": r"(?P<m>\d{1,2})",
    "%d": r"(?P<d>\d{1,2})",
    "%b": r"(?P<b>[A-Za-z]{3,9})",
    "%H": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}(?:\.\d+)?",
}
MONTHS = {
    name: number
    for number, (short, full) in enumerate(
        [
            *(("jan", "january"), ("feb", "february"), ("mar", "march"), ("apr", "april"), ("may", "may")),
            *(("jun", "june"), ("jul", "july"), ("aug", "august"), ("sep", "september"), ("oct", "october")),
            *(("nov", "november"), ("dec", "december")),
        ],
        1,
    )
    for name in (short, full)
}
WORDS = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%b": "Mon", "%H": "hh", "%M": "mm", "%S": "ss"}
ISO = "%Y-%m-%d"
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2100, 12, 31)


class NoSuchDay(ValueError):
    """The cell has the form of a date, but the calendar has no such day."""


@dataclass(frozen=True)
class DateFormat:
    text: str
    pattern: re.Pattern[str]

    @property
    def shown(self) -> str:
        """The format as people write it: MM/DD/YYYY."""
        return reduce(lambda text, part: text.replace(*part), WORDS.items(), self.text)

    @property
    def is_whole(self) -> bool:
        """False for a month without a day, such as 202611."""
        return "%d" in self.text


def read_formats(texts: Sequence[str]) -> tuple[DateFormat, ...]:
    """Checked formats, ISO always first, since it cannot be misread. Raises ValueError in words."""
    formats = tuple(read_format(text) for text in dict.fromkeys([ISO, *texts]))
    numeric = [one for one in formats if "%m" in one.text and "%d" in one.text]
    for one in numeric:
        for other in numeric:
            if one is not other and _is_day_first(one) and not _is_day_first(other) and _shape(one) == _shape(other):
                raise ValueError(
                    f"{one.text} and {other.text} would both read 03/04/2026, as different days; keep one of them."
                )
    return formats


def _is_day_first(one: DateFormat) -> bool:
    return one.text.index("%d") < one.text.index("%m")


def _shape(one: DateFormat) -> str:
    """Formats of one shape can read the same cell. A short year may be typed for a long one, so they count as one."""
    return re.sub("%[md]", "#", one.text).replace("%y", "%Y")


@lru_cache(maxsize=256)
def read_format(text: str) -> DateFormat:
    pattern, position, used = "", 0, []
    while position < len(text):
        part = text[position : position + 2]
        if text[position] == "%":
            if part not in PARTS:
                raise ValueError(f"{part} in {text!r} is not known. Known: {' '.join(PARTS)}.")
            if part in used:
                raise ValueError(f"{part} stands twice in {text!r}.")
            used.append(part)
            # Digits without a separator have to be of fixed width: 20260401.
            is_packed = text[position + 2 : position + 3] == "%" or (position >= 2 and text[position - 2] == "%")
            pattern += PARTS[part].replace(r"\d{1,2}", r"\d{2}") if is_packed else PARTS[part]
            position += 2
        else:
            pattern += re.escape(text[position])
            position += 1
    if not {"%Y", "%y"} & set(used) or not {"%m", "%b"} & set(used):
        raise ValueError(f"{text!r} needs a year (%Y or %y) and a month (%m or %b).")
    return DateFormat(text, re.compile(pattern + r"\Z", re.ASCII))


def read_date(cell: str, formats: Sequence[DateFormat]) -> tuple[dt.date, DateFormat] | None:
    """The first format that fits; None where none does. Raises NoSuchDay for 11/31/2015.

    A two-digit year counts from 1969 to 2068, as POSIX has it.
    """
    problem = None
    for one in formats:
        found = one.pattern.match(cell)
        if found is None:
            continue
        parts = found.groupdict()
        month = MONTHS.get(parts["b"].lower(), 0) if parts.get("b") else int(parts.get("m") or 0)
        if parts.get("Y"):
            year = int(parts["Y"])
        else:
            year = int(parts["y"])
            year += 1900 if year >= 69 else 2000
        try:
            return dt.date(year, month, int(parts.get("d") or 1)), one
        except ValueError:
            problem = NoSuchDay(f"the calendar has no such day (read as {one.shown})")
    if problem:
        raise problem
    return None


def last_of_month(day: dt.date) -> dt.date:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
