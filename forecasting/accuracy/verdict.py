"""In plain words: whether to believe the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

FEW_PERIODS: Final = 4  # with fewer, one odd quarter decides
NEAR_CHANCE: Final = 1.5  # an error of so many times what chance leaves is as good as it gets
FAR_FROM_CHANCE: Final = 3.0
LEAST_COVERAGE: Final = 0.6  # 4 of 5 are meant to be within P10 to P90
LEAST_BANDS: Final = 5


def percent(share: float) -> str:
    """One decimal below 10 %, none above: more is not known."""
    value = 100 * abs(share)
    return f"{value:.1f} %" if value < 9.95 else f"{value:.0f} %"


def verdict(content: Mapping[str, Any]) -> str:
    """Error beside what chance alone leaves, leaning, the band, and who was nearest; of what was said at 90 days."""
    found = content["horizons"].get("90")
    joined = found["all"]["joined"] if found else None
    if joined is None or joined["wape"] is None:
        return "Nothing came of what was due, so there is nothing to compare."
    periods = int(joined["periods"])
    first = (
        f"The forecast was off by {percent(joined['wape'])} at 90 days,"
        f" chance alone leaves {percent(joined['floor'])} ({_plural(periods, 'period')},"
        f" {_plural(int(joined['judged']), 'open renewal')})."
    )
    return " ".join([first, _believe(joined, periods), *_leaning(joined), *_band(joined), *_nearest(found["all"])])


def _believe(joined: Mapping[str, Any], periods: int) -> str:
    if periods < FEW_PERIODS:
        return "Too few periods to say more: one odd quarter decides."
    ratio = joined["wape"] / joined["floor"] if joined["floor"] else float("inf")
    if ratio <= NEAR_CHANCE:
        return "That is as near as such a book allows: believe it, within its band."
    if ratio <= FAR_FROM_CHANCE:
        return "It tells the direction; plan with the band, not with the number."
    return "Do not plan with it yet: it missed by far more than chance."


def _leaning(joined: Mapping[str, Any]) -> list[str]:
    lean, reach = joined["lean"], joined["lean_reach"]
    if lean is None or abs(lean) <= reach:
        return []
    side = "less" if lean > 0 else "more"
    return [
        f"Of what was still open, {percent(joined['came'])} came where {percent(joined['said'])} was said: {side} than"
        " chance explains."
    ]


def _band(joined: Mapping[str, Any]) -> list[str]:
    banded = int(joined["banded"])
    if banded < LEAST_BANDS:
        return []
    words = f"P10 to P90 held what came in {joined['coverage'] * banded:.0f} of {banded} periods; 4 of 5 is right"
    return [f"{words}{', so the band was too narrow' if joined['coverage'] < LEAST_COVERAGE else ''}."]


def _nearest(found: Mapping[str, Any]) -> list[str]:
    last_year, joined = found["last_year"]["wape"], found["joined"]["wape"]
    if last_year is None or not found["joined"]["judged"]:
        return []
    if percent(joined) == percent(last_year):
        return ["Last year's rate would have been as near."]
    if joined < last_year:
        return [f"Last year's rate would have been off by {percent(last_year)}."]
    return [f"Last year's rate alone would have been nearer, off by {percent(last_year)}."]


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
