"""Log-odds that are right as often as they say, learned from forecasts of rows that the model had not seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.fitted.logistic import straight_line
from forecasting.engine.fitted.metrics import log_losses
from forecasting.engine.fitted.shrinkage import HIGHEST, LOWEST
from forecasting.engine.log_odds import expit, logit

ISOTONIC_OUTCOMES: Final = 1_000
STEP_ROWS: Final = 30.0  # a step of the staircase rests on this many renewals at least
FOLDS: Final = 5


@dataclass(frozen=True, eq=False)
class Calibration:
    """a + b x (Platt), or between `knots` where there are any (isotonic: the staircase's steps joined by lines)."""

    intercept: float = 0.0
    slope: float = 1.0
    knots: Floats | None = None
    heights: Floats | None = None

    @property
    def kind(self) -> str:
        if self.knots is not None:
            return "isotonic"
        return "none" if (self.intercept, self.slope) == (0.0, 1.0) else "platt"

    def apply(self, log_odds: Floats) -> Floats:
        if self.knots is None or self.heights is None:
            return self.intercept + self.slope * log_odds
        return np.interp(log_odds, self.knots, self.heights)

    def to_dict(self) -> dict[str, Any]:
        return {
            "intercept": self.intercept,
            "slope": self.slope,
            "knots": None if self.knots is None else self.knots.tolist(),
            "heights": None if self.heights is None else self.heights.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Calibration":
        knots, heights = (
            None if stored[name] is None else np.asarray(stored[name], dtype=np.float64)
            for name in ("knots", "heights")
        )
        return cls(stored["intercept"], stored["slope"], knots, heights)


UNCALIBRATED: Final = Calibration()


def learn_calibration(log_odds: Floats, is_renewed: Booleans, weights: Floats) -> Calibration:
    """Platt's line; the isotonic staircase where at least 1,000 outcomes show it to be better by its standard error."""
    platt = _learn_platt(log_odds, is_renewed, weights)
    if is_renewed.size < ISOTONIC_OUTCOMES:
        return platt
    fold = np.random.default_rng(1).permutation(is_renewed.size) % FOLDS
    gains = np.empty(is_renewed.size)
    for part in range(FOLDS):
        own = fold == part
        line = _learn_platt(log_odds[~own], is_renewed[~own], weights[~own]).apply(log_odds[own])
        stairs = _learn_stairs(log_odds[~own], is_renewed[~own], weights[~own]).apply(log_odds[own])
        gains[own] = log_losses(expit(line), is_renewed[own]) - log_losses(expit(stairs), is_renewed[own])
    gains *= weights / weights.mean()
    if gains.mean() > gains.std() / np.sqrt(gains.size):
        return _learn_stairs(log_odds, is_renewed, weights)
    return platt


def _learn_platt(log_odds: Floats, is_renewed: Booleans, weights: Floats) -> Calibration:
    return Calibration(*straight_line(log_odds, is_renewed, weights))


def _learn_stairs(log_odds: Floats, is_renewed: Booleans, weights: Floats) -> Calibration:
    """Isotonic regression, each step at its mean forecast and drawn a little to what was forecast there."""
    from sklearn.isotonic import isotonic_regression  # a second to import: only fits pay it

    order = np.argsort(log_odds, kind="stable")
    x, y, w = log_odds[order], is_renewed[order].astype(np.float64), weights[order]
    steps: Integers = np.unique(isotonic_regression(y, sample_weight=w), return_inverse=True)[1]
    steps = _joined(np.bincount(steps, w).astype(np.float64))[steps]
    n = np.bincount(steps, w)
    rate = (np.bincount(steps, w * y) + np.bincount(steps, w * expit(x)) / n) / (n + 1)
    knots, first = np.unique(np.bincount(steps, w * x) / n, return_index=True)
    heights = np.maximum.accumulate(logit(np.clip(rate, LOWEST, HIGHEST)))[first]
    return Calibration(knots=knots, heights=heights)


def _joined(n: Floats) -> Integers:
    """New number of each step: neighbours are joined until each has STEP_ROWS renewals."""
    numbers, held, number = np.zeros(n.size, dtype=np.int64), 0.0, 0
    for step, count in enumerate(n):
        if held >= STEP_ROWS:
            number, held = number + 1, 0.0
        numbers[step] = number
        held += count
    if held < STEP_ROWS and number > 0:  # the last is too small to stand alone
        numbers[numbers == number] = number - 1
    return numbers
