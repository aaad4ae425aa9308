"""Facts added up to cells: arithmetic on arrays, the same for the whole book and for one fiscal quarter of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dashboards.models import Level
from dashboards.models.cells import SUMS
from dashboards.rollups import AGES, DELAYS
from forecasting.engine.arrays import NO_DAY, NO_ID, Booleans, Integers
from forecasting.engine.booking import split
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays
from forecasting.periods import months_of_days

KEYS: Final = ("level", "team_id", "owner_id", "segment_id", "month")
SCOPE: Final = KEYS[:-1]
SHARED: Final = KEYS[1:]
CLASSES: Final = {
    "delay_counts": len(DELAYS) + 1,
    "delay_kept_cents": len(DELAYS) + 1,
    "age_counts": len(AGES) + 1,
    "age_cents": len(AGES) + 1,
}
# Each class of delay or age is a sum like the others until it is stored.
FLAT: Final = tuple(f"{name}_{at}" for name, count in CLASSES.items() for at in range(count))
ALL_SUMS: Final = (*SUMS, *FLAT)
VALUES: Final = (*ALL_SUMS, "last_due")
# np.bincount adds in float64, which is exact up to here: 90 trillion in whole units.
LARGEST_EXACT: Final = 2**53
LARGEST: Final = 2**62  # of the numbers of `joined`


@dataclass(frozen=True)
class Calendar:
    """What cells depend on beside the rows: the run's day, the first month of the fiscal year, who is in which team."""

    today: int
    fiscal_start: int
    team_of_owner: Mapping[int, int]

    def quarter(self, month: Integers) -> Integers:
        """First month of the fiscal quarter that each month is in."""
        first: Integers = month - (month - (self.fiscal_start - 1)) % 3
        return first


def add_up(facts: Arrays, calendar: Calendar) -> Arrays:
    """Cells of every level: one array for each of KEYS and VALUES, in no order. Amounts are cents."""
    rows = with_scope(facts, calendar)
    owners = _grouped(row_lines(rows, calendar), {"level": Level.OWNER, "team_id": NO_ID})
    teams = _summed(_in_teams(owners, calendar), {"level": Level.TEAM, "owner_id": NO_ID})
    book = _summed(owners, {"level": Level.BOOK, "owner_id": NO_ID})
    cells = {name: np.concatenate([part[name] for part in (book, teams, owners)]) for name in (*KEYS, *VALUES)}
    _count_accounts(cells, rows, calendar)
    return cells


def with_scope(facts: Arrays, calendar: Calendar) -> Arrays:
    """Facts with what follows from them: who they belong to, the months they count in, and what was kept."""
    timing = facts["timing"]
    is_renewed = (timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE)
    is_ordered = facts["ordered"] != NO_DAY
    due_month = months_of_days(facts["due"]).astype(np.int64)
    ordered_month = months_of_days(np.where(is_ordered, facts["ordered"], facts["due"])).astype(np.int64)
    return facts | {
        "team_id": teams_of(facts["owner_id"], calendar),
        "is_renewed": is_renewed,
        "is_in_time": is_renewed & (timing <= TimingClass.ON_TIME),
        "due_month": due_month,
        "ordered_month": ordered_month,
        "hybrid_month": np.maximum(due_month, ordered_month),
        "kept": np.where(is_renewed, np.minimum(facts["renewed"], facts["baseline"]), 0),
    }


def teams_of(owner_id: Integers, calendar: Calendar) -> Integers:
    owners, place = np.unique(owner_id, return_inverse=True)
    teams = np.array([calendar.team_of_owner.get(owner, NO_ID) for owner in owners.tolist()], dtype=np.int64)
    found: Integers = teams[place] if owners.size else np.zeros(0, dtype=np.int64)
    return found


@dataclass(frozen=True, eq=False)
class Lines:
    """Some rows, the month that each counts in, and what each adds to the sums of these names."""

    rows: Arrays
    at: Integers
    month: Integers
    sums: Arrays


def row_lines(rows: Arrays, calendar: Calendar) -> list[Lines]:
    """What each row adds to each sum, but for the accounts; the cohort first. `rows` are those of `with_scope`."""
    return [*_cohort(rows, calendar), *_credits(rows, calendar)]


def _cohort(rows: Arrays, calendar: Calendar) -> list[Lines]:
    timing, baseline, renewed, kept = rows["timing"], rows["baseline"], rows["renewed"], rows["kept"]
    month, is_renewed, is_in_time = rows["due_month"], rows["is_renewed"], rows["is_in_time"]
    is_lost = np.isin(timing, (TimingClass.LOST, TimingClass.LAPSED, TimingClass.WIN_BACK))
    is_lapsed, is_win_back = timing == TimingClass.LAPSED, timing == TimingClass.WIN_BACK
    is_open = timing < TimingClass.LAPSED
    is_past_due = is_open & (rows["due"] < calendar.today)
    is_ahead = is_open & ~is_past_due
    ordered, start = rows["ordered_month"], calendar.quarter(month)
    sums: Arrays = {
        "due_count": np.ones(month.size, dtype=np.int64),
        "due_cents": baseline,
        "renewed_count": is_renewed,
        "renewed_baseline_cents": baseline * is_renewed,
        "kept_cents": kept,
        "renewed_cents": renewed * is_renewed,
        "kept_in_time_cents": kept * is_in_time,
        **_booked(rows),
        "lost_count": is_lost,
        "lost_cents": baseline * is_lost,
        "lapsed_count": is_lapsed,
        "lapsed_cents": baseline * is_lapsed,
        "win_back_count": is_win_back,
        "win_back_cents": renewed * is_win_back,
        "open_count": is_ahead,
        "open_cents": baseline * is_ahead,
        "past_due_count": is_past_due,
        "past_due_cents": baseline * is_past_due,
        "in_month_cents": kept * (ordered <= month),
        "in_quarter_cents": kept * (ordered < start + 3),
        "before_month_cents": kept * (ordered < month),
        "before_quarter_cents": kept * (ordered < start),
    }
    for name, code in (("early", TimingClass.EARLY), ("on_time", TimingClass.ON_TIME), ("late", TimingClass.LATE)):
        sums |= {f"{name}_count": timing == code, f"{name}_cents": renewed * (timing == code)}
    delay = rows["ordered"].astype(np.int64) - rows["due"]
    sums |= _by_class("delay", np.searchsorted(DELAYS, delay), is_renewed, kept, "kept_cents")
    age = calendar.today - rows["due"].astype(np.int64)
    sums |= _by_class("age", np.searchsorted(AGES, age), is_past_due, baseline, "cents")
    return [Lines(rows, np.arange(month.size), month, sums)]


def _booked(rows: Arrays) -> Arrays:
    """Upsell, cross-sell and downsell of renewed ones. min(R, B) is what is kept, whatever product it is on."""
    at = np.flatnonzero(rows["is_renewed"])
    # What a renewal names as cross-sell is part of its renewed value, and no more than that.
    cross_sell = np.minimum(rows["cross_sell"][at], rows["renewed"][at])
    parts = split(rows["baseline"][at], rows["renewed"][at], cross_sell)
    found: Arrays = {}
    for name, amounts in (
        ("upsell_cents", parts.upsell),
        ("cross_sell_cents", parts.cross_sell),
        ("downsell_cents", parts.downsell + parts.churn),
    ):
        found[name] = np.zeros(rows["is_renewed"].size, dtype=np.int64)
        found[name][at] = amounts
    return found


def _by_class(name: str, place: Integers, is_counted: Booleans, amounts: Integers, amount_name: str) -> Arrays:
    """The count and the amount of each class, of the rows that are counted."""
    sums: Arrays = {}
    for at in range(CLASSES[f"{name}_counts"]):
        is_in = is_counted & (place == at)
        sums |= {f"{name}_counts_{at}": is_in, f"{name}_{amount_name}_{at}": amounts * is_in}
    return sums


def _credits(rows: Arrays, calendar: Calendar) -> list[Lines]:
    """What counts in the month that it was ordered in, and, hybrid, in the later of that and the month it is due in."""
    at = np.flatnonzero(rows["is_renewed"] & (rows["ordered"] != NO_DAY))
    due, kept = rows["due_month"][at], rows["kept"][at]
    lines = []
    for name in ("ordered", "hybrid"):
        month = rows[f"{name}_month"][at]
        sums = {
            f"{name}_count": np.ones(at.size, dtype=np.int64),
            f"{name}_kept_cents": kept,
            f"{name}_renewed_cents": rows["renewed"][at],
            f"{name}_in_time_cents": kept * rows["is_in_time"][at],
        }
        if name == "ordered":
            start = calendar.quarter(month)
            sums |= {
                "ordered_overdue_month_cents": kept * (due < month),
                "ordered_overdue_quarter_cents": kept * (due < start),
                "ordered_ahead_month_cents": kept * (due > month),
                "ordered_ahead_quarter_cents": kept * (due >= start + 3),
            }
        lines.append(Lines(rows, at, month, sums))
    return lines


def _grouped(lines: list[Lines], fixed: Mapping[str, int]) -> Arrays:
    """The sums of rows by owner, segment and month."""
    names = ("owner_id", "segment_id")
    keys = [np.concatenate([part.rows[name][part.at] for part in lines]).astype(np.int64) for name in names]
    cells, place = _cells([*keys, np.concatenate([part.month for part in lines])], (*names, "month"))
    count = cells["month"].size
    found: Arrays = dict.fromkeys(ALL_SUMS, np.zeros(count, dtype=np.int64))
    begin = 0
    for part in lines:
        own = place[begin : begin + part.at.size]
        begin += part.at.size
        found |= {name: added(own, amounts, count) for name, amounts in part.sums.items()}
    last_due = np.full(count, NO_DAY, dtype=np.int64)
    cohort = lines[0]
    np.maximum.at(last_due, place[: cohort.at.size], cohort.rows["due"].astype(np.int64))
    return _fixed(cells | found | {"last_due": last_due}, fixed)


def _in_teams(owners: Arrays, calendar: Calendar) -> Arrays:
    return owners | {"team_id": teams_of(owners["owner_id"], calendar)}


def _summed(cells: Arrays, fixed: Mapping[str, int]) -> Arrays:
    """Cells with some of their keys made the same, added up."""
    cells = _fixed(cells, fixed)
    found, place = _cells([cells[name] for name in SHARED], SHARED)
    count = found["month"].size
    sums = {name: added(place, cells[name], count) for name in ALL_SUMS}
    last_due = np.full(count, NO_DAY, dtype=np.int64)
    np.maximum.at(last_due, place, cells["last_due"])
    return _fixed(found | sums | {"last_due": last_due}, {"level": fixed["level"]})


def _fixed(cells: Arrays, values: Mapping[str, int]) -> Arrays:
    count = cells["month"].size
    return cells | {name: np.full(count, value, dtype=np.int64) for name, value in values.items()}


def _cells(keys: Sequence[Integers], names: tuple[str, ...]) -> tuple[Arrays, Integers]:
    """(the distinct keys, which of them each row has)."""
    codes, place = np.unique(joined(keys), return_inverse=True)
    first = np.zeros(codes.size, dtype=np.int64)
    first[place[::-1]] = np.arange(place.size)[::-1]
    return {name: key[first] for name, key in zip(names, keys, strict=True)}, place


def joined(keys: Sequence[Integers]) -> Integers:
    """One whole number for each row, the same where all keys are, and only there."""
    code, size = np.zeros(keys[0].size, dtype=np.int64), 1
    for key in keys:
        place, count = _places_of(key.astype(np.int64, copy=False))
        if size * count > LARGEST:  # as many numbers as there are different ones, so that none is beyond 64 bits
            known, code = np.unique(code, return_inverse=True)
            size = known.size
        code, size = code * count + place, size * count
    return code


def _places_of(key: Integers) -> tuple[Integers, int]:
    """(a number from 0 on for each distinct value, how many numbers there are)."""
    if not key.size:
        return key, 1
    low, high = int(key.min()), int(key.max())
    if high - low <= 4 * key.size:  # ids and months lie close: that is told without sorting them
        return key - low, high - low + 1
    values, place = np.unique(key, return_inverse=True)
    return place, values.size


def added(place: Integers, amounts: NDArray[Any], count: int) -> Integers:
    """int64[count]: the whole amounts at each place, added up exactly.

    Raises:
        OverflowError: they are too large together for float64 to hold every cent.
    """
    weights = amounts.astype(np.float64)
    if np.abs(weights).sum() >= LARGEST_EXACT:
        raise OverflowError(f"Amounts add up to more than {LARGEST_EXACT:,} cents.")
    return np.bincount(place, weights=weights, minlength=count).astype(np.int64)


def account_lines(rows: Arrays, calendar: Calendar, level: Level) -> list[Lines]:
    """1 for each account of a scope in a month, and in the first month of a quarter, at the first row it has there."""
    renewed = np.flatnonzero(rows["is_renewed"])
    ordered = np.flatnonzero(rows["is_renewed"] & (rows["ordered"] != NO_DAY))
    everything = np.arange(rows["timing"].size)
    lines = []
    for prefix, month_name, at in (
        ("", "due_month", everything),
        ("renewed_", "due_month", renewed),
        ("ordered_", "ordered_month", ordered),
        ("hybrid_", "hybrid_month", ordered),
    ):
        month = rows[month_name][at]
        in_month, in_quarter = _first_ones(scope_of(rows, at, level), rows["account_id"][at], month, calendar)
        sums: Arrays = {f"{prefix}month_accounts": in_month, f"{prefix}quarter_accounts": in_quarter}
        lines.append(Lines(rows, at, month, sums))
    return lines


def _count_accounts(cells: Arrays, rows: Arrays, calendar: Calendar) -> None:
    for level in Level:
        for part in account_lines(rows, calendar, level):
            counted = np.flatnonzero(np.logical_or.reduce(list(part.sums.values())))
            scope = [key[counted] for key in scope_of(rows, part.at, level)]
            place = _places(cells, scope, part.month[counted], level)
            for name, is_first in part.sums.items():
                cells[name] = cells[name] + added(place, is_first[counted], cells["month"].size)


def scope_of(rows: Arrays, at: Integers, level: Level) -> list[Integers]:
    """The team, owner and segment of a level's cell that each row is in."""
    nobody = np.full(at.size, NO_ID, dtype=np.int64)
    return [
        rows["team_id"][at] if level == Level.TEAM else nobody,
        rows["owner_id"][at].astype(np.int64) if level == Level.OWNER else nobody,
        rows["segment_id"][at].astype(np.int64),
    ]


def _first_ones(
    scope: Sequence[Integers], account: Integers, month: Integers, calendar: Calendar
) -> tuple[Booleans, Booleans]:
    """Whether a row is the first of its account and scope in the month, and in the quarter."""
    who = joined([*scope, account])
    order = np.lexsort((month, who))
    who, month = who[order], month[order]
    quarter = calendar.quarter(month)
    is_other = np.ones(who.size, dtype=np.bool_)
    is_other[1:] = who[1:] != who[:-1]
    found = []
    for period in (month, quarter):
        is_first = is_other.copy()
        is_first[1:] |= period[1:] != period[:-1]
        placed = np.empty(who.size, dtype=np.bool_)
        placed[order] = is_first
        found.append(placed)
    return found[0], found[1]


def _places(cells: Arrays, scope: Sequence[Integers], month: Integers, level: Level) -> Integers:
    """Where the cell of each row is."""
    chosen = np.flatnonzero(cells["level"] == level)
    names = ("team_id", "owner_id", "segment_id")
    keys = [np.concatenate([cells[name][chosen], own]) for name, own in zip(names, scope, strict=True)]
    code = joined([*keys, np.concatenate([cells["month"][chosen], month])])
    order = np.argsort(code[: chosen.size])
    found: Integers = chosen[order[np.searchsorted(code[: chosen.size], code[chosen.size :], sorter=order)]]
    return found
