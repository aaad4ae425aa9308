"""What the risk page reads: what is open now, and what two periods lost and to what.

Amounts are cents of the reporting currency, each renewal converted by itself, as in the cells: sums are exact. A part
of a scope that no cell is of is added up of its rows, in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import User
from dashboards.frame import Frame, PeriodTotal
from dashboards.models import Level, OpenCell, Side
from dashboards.models.risk import OPEN_SUMS
from dashboards.rollups import lost, opened
from dashboards.rollups.adding import Calendar, added, joined
from forecasting.engine.arrays import NO_ID, Booleans
from forecasting.frames import Arrays, copy_out
from forecasting.periods import month_number
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import within

BANDS: Final = ("high", "medium", "low", "unscored")
MOST, LISTED, NAMED = 150, 15, 10  # bubbles, contradictions and doubts that are shown
CHURN, DOWNSELL = 0, 1
NOBODY: Final = Calendar(0, 1, {})  # for cells of the whole book alone
DUE: Final = "r.due_on BETWEEN %s AND %s"


@dataclass(frozen=True, eq=False)
class Ranking:
    """The open renewals that are shown of those with any of an amount, the largest first."""

    amount: str
    stored: str  # those with any, among the stored rows
    count: int

    def of(self, rows: Arrays, chosen: Booleans) -> Arrays:
        at = np.flatnonzero(chosen)
        order = at[np.lexsort([rows["renewal_id"][at], -rows[self.amount][at]])][: self.count]
        return {name: values[order] for name, values in rows.items()}


LARGEST: Final = Ranking("baseline_cents", "risk_score >= 0", MOST)
MISALIGNED: Final = Ranking("baseline_cents", "side <> 0", LISTED)
DOUBTED: Final = Ranking("doubt_cents", "doubt_cents > 0", NAMED)


@dataclass(frozen=True, eq=False)
class OpenBook:
    """The sums of OPEN_SUMS by segment, and the rows (`opened.NAMES`) of three rankings."""

    sums: dict[int, dict[str, int]]
    largest: Arrays
    misaligned: Arrays
    doubted: Arrays

    def total(self, name: str) -> int:
        return sum(sums[name] for sums in self.sums.values())


def read_open(frame: Frame) -> OpenBook:
    """Every open renewal of the scope that counts and has not lapsed. None as at a past moment."""
    if frame.past is not None:
        return _added_up({name: np.zeros(0, dtype=np.int64) for name in opened.NAMES})
    scope = frame.scope
    if scope.slice:
        where, values = within(scope)
        with connection.cursor() as cursor:
            return _added_up(opened.read_open_rows(cursor, frame.report, where, values))
    cells = OpenCell.objects.visible_to(frame.user).of(team=scope.team, owner=scope.owner)
    if scope.segment:
        cells = cells.filter(segment=scope.segment)
    sums: dict[int, dict[str, int]] = {}
    for segment_id, *values in cells.values_list("segment_id", *OPEN_SUMS):
        sums[NO_ID if segment_id is None else segment_id] = dict(zip(OPEN_SUMS, values, strict=True))
    return OpenBook(sums, *(_ranked(scope, ranking) for ranking in (LARGEST, MISALIGNED, DOUBTED)))


def _added_up(rows: Arrays) -> OpenBook:
    cells = opened.add_up_open(rows, NOBODY)
    book = np.flatnonzero(cells["level"] == Level.BOOK)
    return OpenBook(
        {int(cells["segment_id"][at]): {name: int(cells[name][at]) for name in OPEN_SUMS} for at in book},
        LARGEST.of(rows, rows["risk_score"] >= 0),
        MISALIGNED.of(rows, rows["side"] != Side.AGREED),
        DOUBTED.of(rows, rows["doubt_cents"] > 0),
    )


def _ranked(scope: Scope, ranking: Ranking) -> Arrays:
    where, values = opened.stored_within(scope)
    order = f"{ranking.amount} DESC, renewal_id LIMIT {ranking.count}"
    with connection.cursor() as cursor:
        source = f"dashboards_openrenewal WHERE {ranking.stored} AND {where} ORDER BY {order}"
        return copy_out(cursor, opened.STORED, source, values)


@dataclass(frozen=True)
class Contributor:
    """What a reason, segment, booking type, owner and product lost, in cents; ids are NO_ID where there is none.

    `product_id` stands for the words of the contract's product, which are those of the renewal `example_id`.
    """

    reason_id: int
    segment_id: int
    booking: int
    owner_id: int
    product_id: int
    example_id: int
    before_cents: int
    now_cents: int

    @property
    def change_cents(self) -> int:
        return self.now_cents - self.before_cents


@dataclass(frozen=True, eq=False)
class Lost:
    """Contributors as arrays of the fields of `Contributor`, those that changed most first."""

    arrays: Arrays

    def __len__(self) -> int:
        return int(self.arrays["now_cents"].size)

    @property
    def sums(self) -> tuple[int, int]:
        """Before and now."""
        return int(self.arrays["before_cents"].sum()), int(self.arrays["now_cents"].sum())

    def most(self, count: int | None = None) -> list[Contributor]:
        columns = {name: values[:count].tolist() for name, values in self.arrays.items()}
        return [Contributor(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]

    def by(self, name: str) -> list[tuple[int, int, int]]:
        """(key, before, now) of one of their dimensions, the largest change first."""
        keys, place = np.unique(self.arrays[name], return_inverse=True)
        before, now = (added(place, self.arrays[f"{when}_cents"], keys.size) for when in ("before", "now"))
        order = np.lexsort([keys, -np.abs(now - before)])
        return list(zip(*(values[order].tolist() for values in (keys, before, now)), strict=True))

    def examples(self) -> dict[int, int]:
        """A renewal of each product."""
        keys, first = np.unique(self.arrays["product_id"], return_index=True)
        return dict(zip(keys.tolist(), self.arrays["example_id"][first].tolist(), strict=True))


def read_lost(frame: Frame, before: PeriodTotal | None, chosen: PeriodTotal) -> Lost:
    """By reason, segment, booking type, owner and product.

    They add up to the cells' lost and downsell of the two periods. None as at a past moment.
    """
    first_on, scope = (before or chosen).starts_on, frame.scope
    with connection.cursor() as cursor:
        if frame.past is not None:
            rows: Arrays = {name: np.zeros(0, dtype=np.int64) for name in lost.NAMES}
        elif scope.slice:
            where, values = within(scope)
            days = [first_on, chosen.ends_on]
            rows = lost.read_lost_rows(cursor, frame.report, f"{DUE} AND {where}", [*days, *values])
        else:
            rows = _within(lost.read_cells(cursor, first_on, chosen.ends_on), scope)
    return _lost(rows, rows["month"] >= month_number(chosen.starts_on))


def _within(rows: Arrays, scope: Scope) -> Arrays:
    """Those of a scope, which is never wider than its reader may see."""
    is_in = np.ones(rows["owner_id"].size, dtype=np.bool_)
    if scope.owner:
        is_in &= rows["owner_id"] == scope.owner.pk
    elif scope.team:
        members = User.objects.filter(team=scope.team).values_list("pk", flat=True)
        is_in &= np.isin(rows["owner_id"], np.array(members, dtype=np.int64))
    if scope.segment:
        is_in &= rows["segment_id"] == scope.segment.pk
    return rows if is_in.all() else {name: values[is_in] for name, values in rows.items()}


def _lost(rows: Arrays, is_now: NDArray[np.bool_]) -> Lost:
    named = (
        ("reason_id", "reason_id"),
        ("segment_id", "segment_id"),
        ("owner_id", "owner_id"),
        ("booking", "is_downsell"),
        ("product_id", "product_key"),
    )
    keys = {name: rows[held].astype(np.int64) for name, held in named}
    codes, first, place = np.unique(joined(list(keys.values())), return_index=True, return_inverse=True)
    arrays: Arrays = {name: key[first] for name, key in keys.items()} | {"example_id": rows["example_id"][first]}
    for name, is_in in (("before_cents", ~is_now), ("now_cents", is_now)):
        arrays[name] = added(place, rows["cents"] * is_in, codes.size)
    # Where the change is the same, in the order of their keys, which is that of their codes.
    order = np.argsort(-np.abs(arrays["now_cents"] - arrays["before_cents"]), kind="stable")
    return Lost({name: values[order] for name, values in arrays.items()})
