"""Risk score of a renewal with the contribution of every factor. Source: docs/domain.md section 5."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from forecasting.engine.arrays import Floats, Integers, reject_rows

MEDIUM_FROM: Final = 25.0
HIGH_FROM: Final = 40.0
BLOCK_ROWS: Final = 4_096  # a block's columns stay in the processor's cache


class RiskBand(IntEnum):
    LOW = 0
    MEDIUM = 1
    HIGH = 2
    UNSCORED = 3

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, eq=False)
class RiskScores:
    """Scores of n renewals over k factors.

    score          float64[n], 0 (safe) to 100 (lost) in whole hundredths; NaN where nothing is known
    contributions  int16[n, k], hundredths of a point that add up to the score exactly; -1 = the factor is missing
    completeness   float64[n], share 0..1 of the weight for which an input was there
    """

    score: Floats
    contributions: Integers
    completeness: Floats


def score(x: Floats, weights: Floats, segment_index: Integers | None = None) -> RiskScores:
    """Risk score 100 x sum(w_k x_k) / sum(w_k) over the factors that are present.

    `x` is float[n, k] between 0 and 1 with NaN for missing. `weights` is [k] for every row, [n, k] by row, or [s, k]
    by segment together with `segment_index` int[n]. Contributions are the steps of the rounded running total, so
    each is within one hundredth of its true value and together they are the score. Raises ValueError for a negative
    weight or an x out of range, naming row and value.
    """
    x, weights = np.atleast_2d(x), np.atleast_2d(np.asarray(weights, dtype=np.float64))
    n, k = x.shape
    if weights.shape[1] != k:
        raise ValueError(f"{weights.shape[1]} weights for {k} factors")
    is_bad = ~np.all(weights >= 0, axis=1)
    reject_rows(np.asarray(is_bad), "weights", weights, "has a weight below 0 or missing")
    if segment_index is None and weights.shape[0] not in (1, n):
        raise ValueError(f"weights for {weights.shape[0]} rows, factors for {n}")
    total: Floats = np.empty(n)
    contributions: Integers = np.empty((n, k), dtype=np.int16)
    completeness: Floats = np.empty(n)
    for start in range(0, n, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        if segment_index is not None:
            row_weights = weights[np.asarray(segment_index)[rows]]
        else:
            row_weights = weights[rows] if weights.shape[0] == n else weights
        total[rows], contributions[rows], completeness[rows] = _score_block(x[rows], row_weights, start)
    return RiskScores(total, contributions, completeness)


def _score_block(x: Floats, weights: Floats, first_row: int) -> tuple[Floats, Integers, Floats]:
    """One block, factors down and rows across, so that every step runs along memory."""
    x, weights = np.array(x.T, dtype=np.float64, order="C"), np.array(weights.T, order="C")
    is_missing = np.isnan(x)
    np.copyto(x, 0.0, where=is_missing)
    is_bad = ((x < 0) | (x > 1)).any(axis=0)
    if is_bad.any():
        row = int(np.argmax(is_bad))
        raise ValueError(f"row {first_row + row}: factors {x[:, row].tolist()} are not all between 0 and 1")
    present_weight = weights * ~is_missing
    known, whole = present_weight.sum(axis=0), weights.sum(axis=0)
    is_known = known > 0
    running = present_weight * x
    for factor in range(1, len(running)):  # np.cumsum down the columns takes twenty times as long
        running[factor] += running[factor - 1]
    running *= 10_000 / np.where(is_known, known, 1.0)
    np.rint(running, out=running)
    contributions = np.diff(running, axis=0, prepend=0.0).astype(np.int16)
    np.copyto(contributions, -1, where=is_missing)
    score = np.where(is_known, running[-1] / 100, np.nan)
    return score, contributions.T, known / np.where(whole > 0, whole, 1.0)


def risk_band(score: Floats) -> Integers:
    """int8[n] of `RiskBand`: low below 25, medium from 25, high from 40, unscored where the score is NaN."""
    score = np.asarray(score, dtype=np.float64)
    bands = (score >= MEDIUM_FROM).astype(np.int8)
    bands += score >= HIGH_FROM
    bands[np.isnan(score)] = RiskBand.UNSCORED
    return bands
