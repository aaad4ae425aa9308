"""Penalised logistic regression, and the hand-weighted risk score through two fitted parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.log_odds import expit, logit

SCORE_BOUNDS: Final = (1.0, 99.0)
INTERCEPT_SPREAD: Final = 1.0  # a ~ N(0, 1), b ~ N(1, 1/4): a score of 30 means 70 % unless the record says otherwise
SLOPE_SPREAD: Final = 0.5


@dataclass(frozen=True, eq=False)
class Logistic:
    """intercept + design @ coefficients; `centres` are the mean contributions, so that 0 is the average renewal."""

    intercept: float
    coefficients: Floats
    centres: Floats

    @property
    def base(self) -> float:
        return self.intercept + float(self.centres.sum())

    def log_odds(self, design: Floats) -> Floats:
        return self.intercept + design @ self.coefficients

    def contributions(self, design: Floats, sources: Integers, count: int) -> Floats:
        """float64[n, count] log-odds by source column; base + their sum = log-odds."""
        parts = design * self.coefficients - self.centres
        found = np.zeros((design.shape[0], count))
        for source in range(count):
            found[:, source] = parts[:, sources == source].sum(axis=1)
        return found

    def to_dict(self) -> dict[str, Any]:
        return {
            "intercept": self.intercept,
            "coefficients": self.coefficients.tolist(),
            "centres": self.centres.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Logistic":
        coefficients, centres = (np.asarray(stored[name], dtype=np.float64) for name in ("coefficients", "centres"))
        return cls(stored["intercept"], coefficients, centres)


def learn_logistic(design: Floats, is_renewed: Booleans, weights: Floats, penalty: float) -> Logistic:
    """Least |b|^2 / 2 + C x weighted log loss, the intercept not penalised; `penalty` is C."""
    from sklearn.linear_model import LogisticRegression  # a second to import: only fits pay it

    if design.shape[1] == 0:
        raise ValueError("a logistic needs a column that tells renewals apart")
    solver = LogisticRegression(C=penalty, solver="newton-cholesky", max_iter=100, tol=1e-6)
    solver.fit(design, is_renewed, sample_weight=weights)
    coefficients: Floats = solver.coef_[0].astype(np.float64)
    centres = np.average(design, axis=0, weights=weights) * coefficients
    return Logistic(float(solver.intercept_[0]), coefficients, centres)


@dataclass(frozen=True)
class ScoreLine:
    """a + b logit(1 - score / 100); the average `centre` for a renewal without a score."""

    intercept: float
    slope: float
    centre: float

    def log_odds(self, scores: Floats) -> Floats:
        return self.intercept + self.slope * _safety(scores, self.centre)


def learn_score(scores: Floats, is_renewed: Booleans, weights: Floats) -> ScoreLine:
    """Most likely (a, b) given a ~ N(0, 1), b ~ N(1, 1/4): `straight_line` through the score's own log-odds."""
    known = ~np.isnan(scores)
    centre = float(_safety(scores[known], 0.0).mean()) if known.any() else 0.0
    intercept, slope = straight_line(_safety(scores, centre), is_renewed, weights)
    return ScoreLine(intercept, slope, centre)


def straight_line(x: Floats, is_renewed: Booleans, weights: Floats) -> tuple[float, float]:
    """(a, b) that maximise the likelihood of a + b x with a ~ N(0, 1), b ~ N(1, 1/4); Newton's method, halved steps."""
    a, b = 0.0, 1.0
    pull_a, pull_b = INTERCEPT_SPREAD**-2, SLOPE_SPREAD**-2
    for _ in range(50):
        expected = expit(a + b * x)
        miss, information = weights * (is_renewed - expected), weights * expected * (1 - expected)
        slope_a, slope_b = miss.sum() - pull_a * a, (miss * x).sum() - pull_b * (b - 1)
        aa, ab = information.sum() + pull_a, (information * x).sum()
        bb = (information * x**2).sum() + pull_b
        determinant = aa * bb - ab**2
        step_a, step_b = (bb * slope_a - ab * slope_b) / determinant, (aa * slope_b - ab * slope_a) / determinant
        a, b = a + float(np.clip(step_a, -0.5, 0.5)), b + float(np.clip(step_b, -0.5, 0.5))
        if max(abs(step_a), abs(step_b)) < 1e-9:
            break
    return a, b


def _safety(scores: Floats, missing: float) -> Floats:
    log_odds = -logit(np.clip(scores, *SCORE_BOUNDS) / 100)
    return np.where(np.isnan(log_odds), missing, log_odds)
