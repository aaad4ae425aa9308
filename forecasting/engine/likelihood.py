"""First likelihood: shrunken renewal rates by segment, timing state and risk band. Source: docs/domain.md section 5.

Fitted on the company's own decided renewals, and only on settled cohorts: those whose last tolerated day lies before
the cut-off, so that no outcome is missing because it was too early to know it. A renewal counts as renewed (y = 1)
when it came early, on time or late, and as not renewed when it was lost, lapsed or only won back.

The state matters: a renewal that is overdue is compared with those that were themselves still open after their
grace days, not with all of them, most of which had ordered long before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import NO_DAY, Booleans, Floats, Integers
from forecasting.engine.log_odds import expit, logit
from forecasting.engine.risk import RiskBand
from forecasting.engine.timing import TimingClass, days_between

LOWEST: Final = 0.005
HIGHEST: Final = 0.995

# With no history at all: five of six annual B2B contracts renew. It counts as much as four decided renewals.
PRIOR_RATE: Final = 0.85
PRIOR_RENEWALS: Final = 4.0
# Log-odds that being overdue costs before there is evidence: it takes 85 % to 50 %.
OVERDUE_STEP: Final = -1.735

COHORT_DAYS: Final = 91
HALF_LIFE_DAYS: Final = 365.0
# Bounds and fallback of the estimated strength with which a cell is drawn to its parent, in renewals.
STRENGTH_BOUNDS: Final = (5.0, 500.0)
STRENGTH_UNKNOWN: Final = 50.0
STRENGTH_OF_THE_ONLY_ONE: Final = 1e9  # a single cell is its parent: its renewals must not count twice
# How far, in log-odds, the level of the newest cohort is believed to stray from the table (one standard deviation).
LEVEL_SHIFT_SD: Final = 0.15

STATE_COUNT: Final = 3  # upcoming, in_window, overdue: the codes of TimingClass
BAND_COUNT: Final = len(RiskBand)


@dataclass(frozen=True, eq=False)
class RateTable:
    """Fitted rates; the last row along the first axis is for a segment that is unknown or was never seen.

    rates   float64[s + 1, 3 states, 4 bands], level shift included
    counts  int64 of the same shape: decided renewals behind each rate, at the most specific level that has any
    """

    segment_ids: Integers
    rates: Floats
    counts: Integers
    row_count: int
    cut_off: int
    level_shift: float

    @property
    def is_prior(self) -> bool:
        """There was no history: every rate is the stated prior."""
        return self.row_count == 0

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON."""
        return {
            "segment_ids": self.segment_ids.tolist(),
            "rates": self.rates.tolist(),
            "counts": self.counts.tolist(),
            "row_count": self.row_count,
            "cut_off": self.cut_off,
            "level_shift": self.level_shift,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "RateTable":
        return cls(
            segment_ids=np.asarray(stored["segment_ids"], dtype=np.int64),
            rates=np.asarray(stored["rates"], dtype=np.float64),
            counts=np.asarray(stored["counts"], dtype=np.int64),
            row_count=stored["row_count"],
            cut_off=stored["cut_off"],
            level_shift=stored["level_shift"],
        )


def fit_rates(
    *,
    segment_ids: Integers,
    band: Integers,
    timing: Integers,
    due: Integers,
    lost_on: Integers,
    early_days: Integers | int,
    grace_days: Integers | int,
    late_days: Integers | int,
    is_business: Booleans | bool = False,
    cut_off: int,
    holidays: Sequence[int] | Integers = (),
    half_life_days: float = HALF_LIFE_DAYS,
    with_level_shift: bool = True,
) -> RateTable:
    """Fit the table on n renewals; the open and the unsettled among them are ignored.

    `band` is the `RiskBand` as it stood before the decision, `RiskBand.UNSCORED` where that is not known: a band that
    knows what came after would flatter the table. `lost_on` is the day a lost renewal was declined, `NO_DAY` where
    unknown; such a one counts as open to the end, which lowers the overdue rates rather than flatters them.

    A renewal weighs half as much for each `half_life_days` that its cohort (91 days by due day) is older than the
    newest. With weighted counts n, k, each level is drawn to the one above with the strength of m renewals,
    rate = (k + m parent) / (n + m): the book to the prior, an in-window and an overdue state to the state before it,
    a segment and a band to their state, and segment x band to the segment's rate moved by the log-odds the band moves
    the whole state. The strengths come from how much the rates really differ (see `_strength`). Last, all log-odds
    shift by the miss on the newest settled cohort, itself shrunk: level beats ranking where a book drifts.
    """
    timing, due = np.asarray(timing), np.asarray(due, dtype=np.int64)
    is_settled = days_between(due, cut_off, is_business, holidays) > late_days
    rows = np.flatnonzero((timing >= TimingClass.LAPSED) & is_settled)
    segments, place = _segments(np.asarray(segment_ids)[rows])
    cell = place * BAND_COUNT + np.asarray(band)[rows]
    cohort = (cut_off - due[rows]) // COHORT_DAYS
    newest = int(cohort.min()) if rows.size else 0
    weight = 0.5 ** ((cohort - newest) * (COHORT_DAYS / half_life_days))
    is_renewed = (timing[rows] >= TimingClass.EARLY) & (timing[rows] <= TimingClass.LATE)
    decided_after = days_between(due, np.asarray(lost_on), is_business, holidays)
    shape = (segments.size + 1, BAND_COUNT)
    log_odds, counts = _fit_states(
        [
            _tally(cell, weight * is_open[rows], is_renewed, is_open[rows], shape)
            for is_open in _was_open(timing, np.asarray(lost_on) != NO_DAY, decided_after, early_days, grace_days)
        ]
    )
    shift = 0.0
    if with_level_shift and rows.size:
        is_newest = cohort == newest
        shift = _level_shift(log_odds[:, TimingClass.UPCOMING].reshape(-1)[cell[is_newest]], is_renewed[is_newest])
    rates = np.clip(expit(log_odds + shift), LOWEST, HIGHEST)
    return RateTable(segments, rates, counts, row_count=rows.size, cut_off=cut_off, level_shift=shift)


def _was_open(
    timing: Integers,
    has_lost_on: Booleans,
    lost_after: Integers,
    early_days: Integers | int,
    grace_days: Integers | int,
) -> tuple[Booleans, Booleans, Booleans]:
    """Whether each decided renewal was open at some time as upcoming, as in_window and as overdue."""
    is_dated = (timing == TimingClass.LOST) & has_lost_on
    in_window = (timing != TimingClass.EARLY) & ~(is_dated & (lost_after < -np.asarray(early_days)))
    overdue = in_window & (timing != TimingClass.ON_TIME) & ~(is_dated & (lost_after <= grace_days))
    return np.ones(timing.shape, dtype=np.bool_), in_window, overdue


def apply_rates(table: RateTable, segment_ids: Integers, timing: Integers, band: Integers) -> tuple[Floats, Integers]:
    """(likelihood float64[n], decided renewals it rests on int64[n]) of renewals in their present state.

    A lapsed renewal is 0 until it is revived; a decided one has no likelihood any more: NaN. Both have count 0.
    """
    timing = np.asarray(timing)
    is_live = timing < STATE_COUNT
    cell = (_place(table.segment_ids, np.asarray(segment_ids)) * STATE_COUNT + timing) * BAND_COUNT + band
    cell = np.where(is_live, cell, 0)
    likelihood: Floats = table.rates.reshape(-1)[cell]
    likelihood[~is_live] = np.nan
    likelihood[timing == TimingClass.LAPSED] = 0.0
    count: Integers = table.counts.reshape(-1)[cell] * is_live
    return likelihood, count


@dataclass(frozen=True, eq=False)
class _Tally:
    """Weighted renewals n and renewed ones k, and the plain count, by segment and band."""

    n: Floats
    k: Floats
    count: Integers


def _tally(cell: Integers, weight: Floats, is_renewed: Booleans, is_open: Booleans, shape: tuple[int, int]) -> _Tally:
    size = shape[0] * shape[1]
    n: Floats = np.bincount(cell, weight, size).astype(np.float64)
    k: Floats = np.bincount(cell, weight * is_renewed, size).astype(np.float64)
    return _Tally(n.reshape(shape), k.reshape(shape), np.bincount(cell[is_open], minlength=size).reshape(shape))


def _fit_states(tallies: Sequence[_Tally]) -> tuple[Floats, Integers]:
    """Log-odds and counts [s + 1, states, bands] down the hierarchy."""
    whole = tallies[TimingClass.UPCOMING]
    in_segment = _strength(whole.n.sum(1), whole.k.sum(1), _rate(whole.k.sum(), whole.n.sum()))
    in_band = _strength(whole.n.sum(0), whole.k.sum(0), _rate(whole.k.sum(), whole.n.sum()))
    log_odds, counts, parent, in_cell = [], [], PRIOR_RATE, 0.0
    for state, tally in enumerate(tallies):
        if state == TimingClass.OVERDUE:
            parent = float(expit(logit(parent) + OVERDUE_STEP))
        parent = float(_shrink(tally.k.sum(), tally.n.sum(), PRIOR_RENEWALS, parent))
        by_segment = _shrink(tally.k.sum(1), tally.n.sum(1), in_segment, parent)
        by_segment[-1] = parent
        by_band = _shrink(tally.k.sum(0), tally.n.sum(0), in_band, parent)
        expected = expit(logit(by_segment)[:, None] + logit(by_band) - logit(parent))
        if state == TimingClass.UPCOMING:
            in_cell = _strength(tally.n[:-1], tally.k[:-1], expected[:-1])
        cells = _shrink(tally.k, tally.n, in_cell, expected)
        cells[-1] = expected[-1]
        log_odds.append(logit(cells))
        counts.append(_evidence(tally.count))
    return np.stack(log_odds, axis=1), np.stack(counts, axis=1)


def _evidence(count: Integers) -> Integers:
    """Renewals behind each cell: its own, else its segment's, else the state's."""
    count = count.copy()
    count[-1] = count.sum(axis=0)  # a segment without a row of its own rests on the band in the whole book
    by_segment = count.sum(axis=1, keepdims=True)
    return np.where(count > 0, count, np.where(by_segment > 0, by_segment, by_segment[-1]))


def _strength(n: Floats, k: Floats, parent: Floats | float) -> float:
    """Strength m of the pull to the parent, in renewals, by the method of moments for a beta-binomial.

    With q = n (k/n - p)^2 / (p (1 - p)) of each of c cells, E[sum q] = c - 1 + rho (sum n - sum n^2 / N - (c - 1)), and
    m = 1 / rho - 1: cells that differ no more than chance have the greatest m.
    """
    is_used = n > 0
    n, k = n[is_used], k[is_used]
    parent = np.broadcast_to(parent, is_used.shape)[is_used]
    if n.size < 2:
        return STRENGTH_OF_THE_ONLY_ONE
    spread = float((n * (k / n - parent) ** 2 / (parent * (1 - parent))).sum())
    room = float(n.sum() - (n**2).sum() / n.sum()) - (n.size - 1)
    if room <= 0:
        return STRENGTH_UNKNOWN
    rho = (spread - (n.size - 1)) / room
    lowest, highest = STRENGTH_BOUNDS
    return float(np.clip(1 / rho - 1, lowest, highest)) if rho > 0 else highest


def _level_shift(log_odds: Floats, is_renewed: Booleans) -> float:
    """Most likely common shift d of the log-odds of one cohort, given d ~ N(0, LEVEL_SHIFT_SD^2); Newton's method."""
    shift = 0.0
    for _ in range(20):
        expected = expit(log_odds + shift)
        slope = float(is_renewed.sum() - expected.sum()) - shift / LEVEL_SHIFT_SD**2
        step = slope / (float((expected * (1 - expected)).sum()) + 1 / LEVEL_SHIFT_SD**2)
        shift += step
        if abs(step) < 1e-9:
            break
    return shift


def _segments(segment_ids: Integers) -> tuple[Integers, Integers]:
    segments = np.unique(segment_ids)
    segments = segments[segments >= 0].astype(np.int64)
    return segments, _place(segments, segment_ids)


def _place(segments: Integers, segment_ids: Integers) -> Integers:
    """Position of each id in the sorted `segments`; past the end where it is not among them."""
    if segments.size == 0:
        return np.zeros(segment_ids.shape, dtype=np.int64)
    place = np.minimum(np.searchsorted(segments, segment_ids), segments.size - 1)
    return np.where(segments[place] == segment_ids, place, segments.size)


def _shrink(k: Floats | float, n: Floats | float, strength: float, parent: Floats | float) -> Floats:
    return np.clip((k + strength * parent) / (n + strength), LOWEST, HIGHEST)


def _rate(k: float, n: float) -> float:
    return float(_shrink(k, n, PRIOR_RENEWALS, PRIOR_RATE))
