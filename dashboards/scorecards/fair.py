"""What a book should have kept, given what is in it: segments and risk at the rates of the whole company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from django.db import connection

from dashboards.models import RollUp
from dashboards.rollups.facts import SOURCE
from dashboards.scorecards.credit import read_moved, whole_books
from forecasting.engine.arrays import NO_ID
from forecasting.engine.calls import Z95
from forecasting.engine.timing import TimingClass
from forecasting.frames import Column, copy_out
from forecasting.frames.book import MISSING, currency_column
from forecasting.frames.converted import converted_cents
from forecasting.periods import Period
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import within
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM

BAND: Final = (
    f"CASE WHEN s.risk_score IS NULL THEN 0 WHEN s.risk_score >= {HIGH_RISK_FROM} THEN 3"
    f" WHEN s.risk_score >= {MEDIUM_RISK_FROM} THEN 2 ELSE 1 END"
)
COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("owner_id", "int8", f"COALESCE(r.owner_id, {NO_ID})"),
    Column("segment_id", "int8", f"COALESCE(a.segment_id, {NO_ID})"),
    Column("band", "int2", BAND),
    Column("timing", "int2", "s.timing_class"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("renewed", "int8", "COALESCE(r.final_amount, 0) * 100"),
)
DECIDED: Final = f"{SOURCE} WHERE NOT r.is_excluded AND s.timing_class >= {int(TimingClass.LAPSED)}"
ABOVE, BELOW, WITHIN = "above expected", "below expected", "as expected"


@dataclass(frozen=True)
class Stratum:
    """The decided renewals of an owner in a segment and risk band, cents of the reporting currency."""

    count: int
    baseline: int
    kept: int
    squares: float  # sum of squared baselines


@dataclass(frozen=True)
class Fair:
    """Shares of the decided baseline: kept, and expected of it, with the interval that holds 95 % of such books."""

    count: int
    rate: float
    expected: float
    lowest: float
    highest: float

    @property
    def verdict(self) -> str:
        """Above or below is said only where the interval excludes it."""
        return ABOVE if self.rate > self.highest else BELOW if self.rate < self.lowest else WITHIN


Mix = dict[tuple[int, int], Stratum]


def read_mix(
    done: RollUp, period: Period, zone: str, scope: Scope, moved: Mapping[int, int] | None = None
) -> dict[int, Mix]:
    """By owner on the day of the decision, by (segment, risk band), of all that is due in the period and decided.

    Of the segment and slice of a scope, whoever it is about: the company is what everybody is measured by.

    `moved` is as of `read_moved`, of these days and perhaps of more. The band is of the risk as it was known before the
    decision (forecasting.frames.scoring).
    """
    rates = done.exact_rates
    where, values = within(whole_books(scope))
    condition, parameters = f"r.due_on BETWEEN %s AND %s AND {where}", [period.starts_on, period.ends_on, *values]
    with connection.cursor() as cursor:
        columns = [*COLUMNS, currency_column(tuple(rates))]
        rows = copy_out(cursor, columns, f"{DECIDED} AND {condition}", parameters)
    is_rated = rows["currency"] != MISSING
    rows = {name: values[is_rated] for name, values in rows.items()}
    for name in ("baseline", "renewed"):
        rows[name] = converted_cents(rows[name], rows["currency"].astype(np.int64), rates)
    if moved is None:
        moved = read_moved(zone, period.starts_on, period.ends_on)
    owner = np.array(
        [moved.get(pk, now) for pk, now in zip(rows["id"].tolist(), rows["owner_id"].tolist(), strict=True)],
        dtype=np.int64,
    )
    is_won = (rows["timing"] >= TimingClass.EARLY) & (rows["timing"] <= TimingClass.LATE)
    kept = np.where(is_won, np.minimum(rows["renewed"], rows["baseline"]), 0)
    keys = np.stack([owner, rows["segment_id"].astype(np.int64), rows["band"].astype(np.int64)])
    found, place = np.unique(keys, axis=1, return_inverse=True)
    place, size = place.reshape(-1), found.shape[1]
    counts = np.bincount(place, minlength=size)
    baselines, kepts = (np.bincount(place, values, size).astype(np.int64) for values in (rows["baseline"], kept))
    squares = np.bincount(place, rows["baseline"].astype(np.float64) ** 2, size)
    mixes: dict[int, Mix] = defaultdict(dict)
    for at in range(size):
        one, segment_id, band = found[:, at].tolist()
        mixes[one][segment_id, band] = Stratum(int(counts[at]), int(baselines[at]), int(kepts[at]), float(squares[at]))
    return dict(mixes)


def judge(mixes: dict[int, Mix], owners: Collection[int]) -> Fair | None:
    """The books of some owners together, at the company's rate of each segment and risk band; None: nothing decided.

        expected = sum(B x p) / sum(B)        deviation = sqrt(sum(B^2 x p (1 - p))) / sum(B)

    p is the share of a stratum that the whole company kept. A renewal is kept in part at most, so its share varies by
    no more than p (1 - p): the interval is, if anything, too wide, and says too little rather than too much.
    """
    sums: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for mix in mixes.values():
        for key, one in mix.items():
            sums[key] = (sums[key][0] + one.baseline, sums[key][1] + one.kept)
    rate_of = {key: kept / baseline if baseline else 0.0 for key, (baseline, kept) in sums.items()}
    own = [(rate_of[key], one) for owner in owners for key, one in mixes.get(owner, {}).items()]
    whole = sum(one.baseline for _, one in own)
    if not whole:
        return None
    expected = sum(rate * one.baseline for rate, one in own) / whole
    half = Z95 * sqrt(sum(rate * (1 - rate) * one.squares for rate, one in own)) / whole
    kept = sum(one.kept for _, one in own) / whole
    # Sums of shares are floats: what is equal may differ in the last digit.
    return Fair(
        sum(one.count for _, one in own),
        round(kept, 9),
        round(expected, 9),
        round(max(expected - half, 0.0), 9),
        round(min(expected + half, 1.0), 9),
    )
