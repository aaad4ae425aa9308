"""How good probabilities and totals were: the measures that `docs/domain.md` section 5 calls accuracy.

p is float64[n] forecast probabilities, is_renewed bool[n] what came, amounts float64[n] money of any one unit.
A measure that the rows do not define is NaN.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers

CLIP: Final = 1e-4  # log loss of a certainty that was wrong is infinite
BINS: Final = 10
NORMAL_95: Final = 1.959964
DRAWN_AT_ONCE: Final = 4_000_000


@dataclass(frozen=True)
class Interval:
    value: float
    lowest: float
    highest: float


def auc(p: Floats, is_renewed: Booleans) -> Interval:
    """Chance that a renewed row had the higher forecast than a lost one, with its 95 % interval (DeLong 1988)."""
    won, lost = p[is_renewed], p[~is_renewed]
    if won.size == 0 or lost.size == 0:
        return Interval(np.nan, np.nan, np.nan)
    of_won = _share_below(lost, won)
    of_lost = 1 - _share_below(won, lost)
    value = float(of_won.mean())
    variance = _variance(of_won) / won.size + _variance(of_lost) / lost.size
    reach = NORMAL_95 * float(np.sqrt(variance))
    return Interval(value, max(value - reach, 0.0), min(value + reach, 1.0))


def brier(p: Floats, is_renewed: Booleans) -> float:
    """Mean of (p - y)^2."""
    return float(((p - is_renewed) ** 2).mean()) if p.size else np.nan


def skill(p: Floats, is_renewed: Booleans, base: Floats | float) -> float:
    """1 - Brier / Brier of the base rate; 0 = no better than it, 1 = perfect."""
    reference = brier(np.broadcast_to(np.asarray(base, dtype=np.float64), p.shape), is_renewed)
    return 1 - brier(p, is_renewed) / reference if reference > 0 else np.nan


def log_losses(p: Floats, is_renewed: Booleans) -> Floats:
    """-ln of the probability given to what came, float64[n]."""
    p = np.clip(p, CLIP, 1 - CLIP)
    return -np.log(np.where(is_renewed, p, 1 - p))


def log_loss(p: Floats, is_renewed: Booleans) -> float:
    return float(log_losses(p, is_renewed).mean()) if p.size else np.nan


@dataclass(frozen=True, eq=False)
class CalibrationBins:
    """By bin: rows, mean forecast and share that renewed."""

    count: Integers
    forecast: Floats
    came: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of forecast and what came, by rows."""
        return float((np.abs(self.forecast - self.came) * self.count).sum() / self.count.sum())


def calibration_bins(p: Floats, is_renewed: Booleans, bins: int = BINS) -> CalibrationBins:
    """Bins of equal numbers of rows; equal forecasts stay together."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    _, place = np.unique(np.searchsorted(edges, p, side="left"), return_inverse=True)
    count = np.bincount(place)
    return CalibrationBins(count, np.bincount(place, p) / count, np.bincount(place, is_renewed) / count)


def calibration_error(p: Floats, is_renewed: Booleans) -> float:
    return calibration_bins(p, is_renewed).error if p.size else np.nan


def total_error(p: Floats, amounts: Floats, is_renewed: Booleans) -> float:
    """(forecast total - what came) / what came."""
    came = float(amounts[is_renewed].sum())
    return (float(p @ amounts) - came) / came if came else np.nan


def chance_floor(p: Floats, amounts: Floats, *, draws: int = 400, seed: int = 0) -> float:
    """Median |error of the total| that chance alone leaves when every probability is right."""
    rng = np.random.default_rng(seed)
    block = max(DRAWN_AT_ONCE // max(p.size, 1), 1)
    came = np.concatenate(
        [(rng.random((min(block, draws - at), p.size)) < p) @ amounts for at in range(0, draws, block)]
    )
    forecast = float(p @ amounts)
    errors = np.abs(forecast - came[came > 0]) / came[came > 0]
    return float(np.median(errors)) if errors.size else np.nan


def wape(forecast: Floats, came: Floats) -> float:
    """Sum of |forecast - came| over sum of |came|, over periods."""
    whole = float(np.abs(came).sum())
    return float(np.abs(forecast - came).sum()) / whole if whole else np.nan


def bias(forecast: Floats, came: Floats) -> float:
    """Sum of (forecast - came) over sum of |came|: above 0 promised too much."""
    whole = float(np.abs(came).sum())
    return float((forecast - came).sum()) / whole if whole else np.nan


def coverage(below: Floats, up_to: Floats, *, low: float = 0.1, high: float = 0.9) -> float:
    """Share of outcomes between the quantiles `low` and `high` of their forecasts.

    `below` and `up_to` are the forecast probabilities of less than what came and of at most that. Where the sum can
    take few values, one value may straddle a quantile: it counts by the part of its probability that lies within.
    """
    if below.size == 0:
        return np.nan
    atom = up_to - below
    inside = np.clip(np.minimum(up_to, high) - np.maximum(below, low), 0.0, None)
    is_point = atom < 1e-9
    held = np.where(is_point, (below >= low) & (up_to <= high), inside / np.where(is_point, 1.0, atom))
    return float(held.mean())


def _share_below(others: Floats, values: Floats) -> Floats:
    """Share of `others` below each value, equal ones counted half."""
    ordered = np.sort(others)
    low, high = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    share: Floats = (low + high) / (2 * others.size)
    return share


def _variance(x: Floats) -> float:
    return float(x.var(ddof=1)) if x.size > 1 else 0.25
