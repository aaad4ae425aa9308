"""How each renewal stood at a moment, narrow enough to be kept: what a call freezes and a bridge compares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.as_at.book import ScoredBook
from forecasting.engine.arrays import NO_ID, Booleans, Floats, Integers
from forecasting.engine.timing import TimingClass
from forecasting.periods import months_of_days
from forecasting.scopes.scope import Scope

# Likelihood and probability are known to a hundredth of a percent (frames.scoring.STORED_DIGITS).
SHARES: Final = 10_000
ROW: Final = np.dtype(
    [
        ("renewal", "<i8"),
        ("account", "<i8"),
        ("owner", "<i4"),
        ("team", "<i4"),
        ("segment", "<i4"),
        ("industry", "<i4"),
        ("stage", "<i4"),
        ("due", "<i4"),  # days since 1970-01-01, as in the engine
        ("ordered", "<i4"),
        ("currency", "<i2"),  # position among the rates of the standing, -1 where it has none
        ("confidence", "<i2"),  # percent, -1 where blank
        ("category", "i1"),  # frames.rules.CATEGORIES of the stage
        ("timing", "i1"),
        ("outcome", "i1"),  # frames.book: OPEN, RENEWED, LOST
        ("is_excluded", "i1"),
        ("likelihood", "<u2"),  # of SHARES
        ("probability", "<u2"),
        ("baseline", "<i8"),  # cents of its currency
        ("forecast", "<i8"),  # -1 where blank
        ("final", "<i8"),
        ("mean", "<f8"),  # cents that an open one brings on average if it is renewed; 0 of others
    ]
)


@dataclass(frozen=True, eq=False)
class Standing:
    """ROW[n] by renewal, and what turns them into the reporting currency."""

    moment: dt.datetime
    as_of: dt.date
    reporting_currency: str
    rates: Mapping[str, Decimal]
    fiscal_start: int
    rows: NDArray[Any]

    @property
    def month(self) -> Integers:
        return months_of_days(self.rows["due"])

    @property
    def is_counted(self) -> Booleans:
        """Whether a row is in any total at all: no approved exception, and of a currency that has a rate."""
        counted: Booleans = (self.rows["is_excluded"] == 0) & (self.rows["currency"] >= 0)
        return counted

    def values(self, rates: Mapping[str, Decimal] | None = None) -> Floats:
        """What each row has brought or is expected to bring, in cents of the reporting currency; 0 where not counted.

        `rates` are those of another moment; a currency that they lack keeps its own.
        """
        known = {**self.rates, **(rates or {})}
        by_place = np.array([*(float(known[name]) for name in self.rates), 0.0])
        worth: Floats = own_values(self.rows) * by_place[self.rows["currency"]] * self.is_counted
        return worth

    def within(self, scope: Scope) -> Booleans:
        """Which rows a scope is about, by owner, team and segment as they were then."""
        is_within: Booleans = np.ones(self.rows.size, dtype=np.bool_)
        if scope.owner:
            is_within &= self.rows["owner"] == scope.owner.pk
        elif scope.team:
            is_within &= self.rows["team"] == scope.team.pk
        if scope.segment:
            is_within &= self.rows["segment"] == scope.segment.pk
        return is_within

    def only(self, kept: Booleans) -> Standing:
        """The same of some of the rows."""
        return replace(self, rows=self.rows[kept])

    def of(self, rows: NDArray[Any]) -> Standing:
        """Other rows of the same moment."""
        return replace(self, rows=rows)

    def currency_names(self) -> list[str]:
        """By row; empty where the currency had no rate."""
        names = np.array([*self.rates, ""], dtype=object)
        return list(names[self.rows["currency"]])


def own_values(rows: NDArray[Any]) -> Floats:
    """Cents of each row's own currency: renewed where won, probability times its mean while open, 0 where lost."""
    won = is_won(rows["timing"]) * np.maximum(rows["final"], 0)
    worth: Floats = won + np.rint(rows["probability"] / SHARES * rows["mean"]) * is_open(rows["timing"])
    return worth


def is_open(timing: NDArray[Any]) -> Booleans:
    return timing <= TimingClass.OVERDUE


def is_won(timing: NDArray[Any]) -> Booleans:
    return (timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE)


def standing_of(book: ScoredBook) -> Standing:
    rows, scores = book.rows, book.scores
    packed = np.zeros(book.row_count, dtype=ROW)
    for name, source in (
        ("renewal", "id"),
        ("account", "account_id"),
        ("owner", "owner_id"),
        ("segment", "segment_id"),
        ("industry", "industry_id"),
        ("stage", "stage_id"),
        *((name, name) for name in ("due", "ordered", "currency", "confidence", "outcome", "is_excluded")),
        *((name, name) for name in ("baseline", "forecast", "final")),
    ):
        packed[name] = rows[source]
    packed["team"] = _teams(rows["owner_id"], book.report.team_of_owner)
    packed["category"] = book.rules.stage_categories[book.rules.stages_at(rows["stage_id"])]
    packed["timing"] = scores["timing_class"]
    for name in ("likelihood", "probability"):
        packed[name] = np.rint(scores[name] * SHARES)
    packed["mean"] = scores["mean_cents"]
    return Standing(
        book.moment,
        book.as_of,
        book.company.reporting_currency,
        book.report.rates,
        book.company.fiscal_year_start_month,
        packed,
    )


def _teams(owners: Integers, team_of_owner: Mapping[int, int]) -> Integers:
    known, place = np.unique(owners, return_inverse=True)
    teams = np.array([team_of_owner.get(int(owner), NO_ID) for owner in known], dtype=np.int64)
    return teams[place] if known.size else place
