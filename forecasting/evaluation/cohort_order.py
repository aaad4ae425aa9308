"""The order of cohorts in time, read from their names: a file that is learned from must not hold what came later."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

Key = tuple[int, ...]
Order = Callable[[str], Any]

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR: Final = r"(?P<year>\d{4}|\d{2})"
_MONTH: Final = r"(?P<month>[a-z]{3,9})\.?"
# What begins with its year is in the order of its numbers already.
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        rf"[qhw]\s*(?P<part>\d{{1,2}})\D{{0,3}}{_YEAR}",  # Q1 2024
        rf"(?P<part>\d{{1,2}})\s*[qhw]\D{{0,3}}{_YEAR}",  # 1Q24
        r"(?P<part>0?[1-9]|1[0-2])[/.-](?P<year>\d{4})",  # 3/2024
        rf"{_MONTH}\W{{0,2}}{_YEAR}",  # Mar 2024
        rf"(?P<year>\d{{4}})\W{{0,2}}{_MONTH}",  # 2024 March
        rf"(?P<part>\d{{1,2}})\W{{0,2}}{_MONTH}\W{{0,2}}{_YEAR}",  # 31-Mar-2024
        rf"{_MONTH}\W{{0,2}}(?P<part>\d{{1,2}})\W{{1,2}}{_YEAR}",  # Mar 31, 2024
        _MONTH,  # the months of one year
    )
)
_DAY_AND_MONTH: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?:[ t].*)?")
_TWO_NUMBERS: Final = re.compile(r"(\d{2})[/-](\d{2})")
_YEAR_AND_MONTH: Final = re.compile(r"\d{4}\.(0?[1-9]|1[0-2])")


class UnknownOrder(Exception):
    """The names can be read in two ways, which put them in different orders."""


def in_order(labels: Iterable[str]) -> tuple[list[str], bool]:
    """(cohorts from the oldest to the newest, whether their names tell of time or number at all).

    Numbers go by their value; quarters, months and days by the calendar; any others by the numbers in them: 2024-9
    comes before 2024-10. Raises UnknownOrder for days such as 3/4/2024 where that says both.
    """
    names = sorted(set(labels))
    key = _key_of(names)
    return sorted(names, key=key), any(re.search(r"\d", name) for name in names) or key is not _natural


def _key_of(names: Sequence[str]) -> Order:
    if not all(map(_YEAR_AND_MONTH.fullmatch, names)) and all(map(_is_number, names)):
        return float
    for form in _FORMS:
        keys = {name: _read(form, name) for name in names}
        if all(key is not None for key in keys.values()):
            return keys.__getitem__
    return _of_two_readings(names) or _natural


def _read(form: re.Pattern[str], name: str) -> Key | None:
    found = form.fullmatch(name.strip().lower())
    if found is None:
        return None
    parts = found.groupdict()
    month = 0
    if "month" in parts:
        if parts["month"][:3] not in MONTHS:
            return None
        month = 1 + MONTHS.index(parts["month"][:3])
    return _whole_year(parts.get("year") or "0"), month, int(parts.get("part") or 0)


def _of_two_readings(names: Sequence[str]) -> Order | None:
    """3/4/2024 is the third of April or the fourth of March, 03/24 a month of 2024 or of 2003."""
    days = [_DAY_AND_MONTH.fullmatch(name.strip().lower()) for name in names]
    pairs = [_TWO_NUMBERS.fullmatch(name.strip()) for name in names]
    if all(days):
        numbers = [(int(day[1]), int(day[2]), _whole_year(day[3])) for day in days if day]
        readings: list[list[Key]] = [[(year, a, b) for a, b, year in numbers], [(year, b, a) for a, b, year in numbers]]
    elif all(pairs):
        both: list[Key] = [(int(pair[1]), int(pair[2])) for pair in pairs if pair]
        readings = [[(last, first) for first, last in both], both]
    else:
        return None
    readings = [reading for reading in readings if all(1 <= key[-1 if len(key) == 2 else 1] <= 12 for key in reading)]
    orders = {tuple(sorted(range(len(names)), key=reading.__getitem__)) for reading in readings}
    if len(orders) > 1:
        raise UnknownOrder(f"cohorts such as {names[0]} can be read in two ways: write 2024-03 or 2024-03-31")
    return dict(zip(names, readings[0], strict=True)).__getitem__ if readings else None


def _whole_year(digits: str) -> int:
    return 2000 + int(digits) if len(digits) == 2 else int(digits)


def _is_number(name: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", name.strip()) is not None


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
