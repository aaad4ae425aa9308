"""Do the risk weights rank renewals as outcomes do, and which weights would rank them better?

AUC is the chance that a lost renewal scored higher than a renewed one, ties counted half. Its variance, and that of the
difference of two on the same rows, after DeLong, DeLong and Clarke-Pearson (1988), from the placements of each row
among those of the other outcome.

Suggested weights minimise, over w >= 0,

    mean log loss of expit(a + b s(w) / 100)  +  sum((w_k - v_k)^2) / (2 n SPREAD^2)

where s is the risk score, which only the shares decide, and v are the present shares: each is taken to be within about
SPREAD of the present one until the rows say otherwise. A factor that no row knows keeps its share, and none falls
below a tenth of it: a renewal that has a score keeps one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.log_odds import expit
from forecasting.engine.risk import score

Z95: Final = 1.96
SPREAD: Final = 0.10
LEAST: Final = 0.1
MINIMUM_LOST: Final = 20  # of each outcome, below which no interval says anything
FEWEST: Final = 100  # rows below which no weights are suggested
NEWEST_SHARE: Final = 0.30  # of the rows, whole days, on which suggested weights have to win


@dataclass(frozen=True)
class Ranking:
    """AUC of scores over rows: how many, how many lost, and the 95 % interval."""

    count: int
    lost_count: int
    auc: float
    lowest: float
    highest: float


def rank(scores: Floats, is_lost: Booleans) -> Ranking | None:
    """None with fewer than MINIMUM_LOST of either outcome. Rows without a score (NaN) are left out."""
    is_known = ~np.isnan(scores)
    scores, is_lost = scores[is_known], is_lost[is_known]
    lost_count = int(np.count_nonzero(is_lost))
    if min(lost_count, is_lost.size - lost_count) < MINIMUM_LOST:
        return None
    of_lost, of_kept = _placements(scores, is_lost)
    auc = float(of_lost.mean())
    half = Z95 * float(np.sqrt(of_lost.var(ddof=1) / of_lost.size + of_kept.var(ddof=1) / of_kept.size))
    return Ranking(int(is_lost.size), lost_count, auc, max(auc - half, 0.0), min(auc + half, 1.0))


def rank_gain(before: Floats, after: Floats, is_lost: Booleans) -> tuple[float, float]:
    """(AUC of `after` less that of `before` on the same rows, its standard error)."""
    (lost_0, kept_0), (lost_1, kept_1) = _placements(before, is_lost), _placements(after, is_lost)
    lost, kept = lost_1 - lost_0, kept_1 - kept_0
    return float(lost.mean()), float(np.sqrt(lost.var(ddof=1) / lost.size + kept.var(ddof=1) / kept.size))


def _placements(scores: Floats, is_lost: Booleans) -> tuple[Floats, Floats]:
    """Of each lost row the share of kept ones below it, of each kept one the share of lost ones above it."""
    ranks = _mid_ranks(scores)
    lost, kept = scores[is_lost], scores[~is_lost]
    of_lost = (ranks[is_lost] - _mid_ranks(lost)) / kept.size
    of_kept = 1 - (ranks[~is_lost] - _mid_ranks(kept)) / lost.size
    return of_lost, of_kept


def _mid_ranks(values: Floats) -> Floats:
    """From 1 on; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


@dataclass(frozen=True, eq=False)
class Suggestion:
    """Weights float64[k] that sum to what the present ones do, and what they gain on rows that they had not seen."""

    weights: Floats
    gain: float
    standard_error: float
    count: int  # rows on which that was measured

    @property
    def is_offered(self) -> bool:
        return self.gain > self.standard_error


def suggest_weights(x: Floats, is_lost: Booleans, due: Integers, weights: Floats) -> Suggestion | None:
    """Weights fitted on all rows, and the gain of weights fitted on the older ones, measured on the newest cohorts.

    `x` float[n, k] of factors between 0 and 1, NaN where missing; `due` the day of each row. None where there are too
    few rows, or of one outcome.
    """
    is_scored = ~np.isnan(score(x, weights).score)
    x, is_lost, due = x[is_scored], is_lost[is_scored], due[is_scored]
    if is_lost.size < FEWEST:
        return None
    is_newest = due >= np.quantile(due, 1 - NEWEST_SHARE)
    for part in (is_newest, ~is_newest):
        if min(np.count_nonzero(is_lost[part]), np.count_nonzero(~is_lost[part])) < MINIMUM_LOST:
            return None
    learned = fit_weights(x[~is_newest], is_lost[~is_newest], weights)
    unseen = x[is_newest]
    gain, error = rank_gain(score(unseen, weights).score, score(unseen, learned).score, is_lost[is_newest])
    return Suggestion(fit_weights(x, is_lost, weights), gain, error, int(np.count_nonzero(is_newest)))


def fit_weights(x: Floats, is_lost: Booleans, weights: Floats) -> Floats:
    """float64[k], to hundredths: see the module. A weight of 0 may rise."""
    from scipy.optimize import minimize  # imported by fits only: an edit must not wait for it

    known = ~np.isnan(x)
    is_fitted: Booleans = np.asarray(known.any(axis=0))
    filled, lost = np.where(known, x, 0.0), is_lost.astype(np.float64)
    whole = float(weights.sum())
    start = weights / whole

    def loss(values: Floats) -> tuple[float, Floats]:
        a, b, v = values[0], values[1], values[2:]
        behind = np.maximum(known @ v, 1e-9)
        s = filled @ v / behind
        p = np.clip(expit(a + b * s), 1e-12, 1 - 1e-12)
        step = v - start
        pull = 1 / (lost.size * SPREAD**2)
        value = -float(np.mean(lost * np.log(p) + (1 - lost) * np.log1p(-p))) + 0.5 * pull * float(step @ step)
        miss = (p - lost) / lost.size
        of_share = b * miss / behind
        slope = filled.T @ of_share - known.T @ (of_share * s) + pull * step
        return value, np.concatenate([[miss.sum(), miss @ s], slope])

    rate = float(np.clip(lost.mean(), 0.01, 0.99))
    first = np.concatenate([[np.log(rate / (1 - rate)) - 0.5, 2.0], start])
    bounds: list[tuple[float | None, float | None]] = [(None, None), (0.0, None)]
    for place, one in enumerate(start):
        bounds.append((LEAST * float(one), 1.0) if is_fitted[place] else (float(one), float(one)))
    # Only the shares decide the score: without this the pull would shrink all of them instead.
    of_shares = np.concatenate([[0.0, 0.0], np.ones(start.size)])
    whole_share = {"type": "eq", "fun": lambda values: values[2:].sum() - 1, "jac": lambda values: of_shares}
    options = {"maxiter": 300, "ftol": 1e-10}
    found_at = minimize(
        loss, first, jac=True, method="SLSQP", bounds=bounds, constraints=[whole_share], options=options
    )
    shares = np.clip(found_at.x[2:], 0.0, None)
    if shares.sum() <= 0:
        return weights
    found: Floats = np.round(shares / shares.sum() * whole, 2)
    return found if found.sum() > 0 else weights
