"""The ways to a likelihood, from the plain rate to boosting, each learned on any rows by the same call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.fitted.calibration import UNCALIBRATED, Calibration, learn_calibration
from forecasting.engine.fitted.features import Encoding, learn_encoding
from forecasting.engine.fitted.level import learn_level
from forecasting.engine.fitted.logistic import Logistic, ScoreLine, learn_logistic, learn_score
from forecasting.engine.fitted.metrics import log_losses
from forecasting.engine.fitted.rows import Rows
from forecasting.engine.fitted.segments import SegmentRates, learn_rates
from forecasting.engine.fitted.shrinkage import HIGHEST, LOWEST
from forecasting.engine.fitted.trees import Trees, learn_trees
from forecasting.engine.log_odds import expit, logit

STRONG_PENALTY: Final = 0.05
PENALTIES: Final = (0.002, 0.02, 0.2, 2.0)
BESIDE_TREES: Final = 0.1
SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)  # of boosting beside the logistic
INNER_FOLDS: Final = 3
MOST_INNER: Final = 30_000  # rows by chance on which shares, penalties and calibration are learned
LOG_ODDS_BOUNDS: Final = (float(logit(LOWEST)), float(logit(HIGHEST)))


@dataclass(frozen=True, eq=False)
class Formula:
    """log-odds = calibration(sum of share x part) + level, between LOWEST and HIGHEST; a missing part has no share."""

    rates: SegmentRates
    rates_share: float = 1.0
    score: ScoreLine | None = None
    score_share: float = 0.0
    encoding: Encoding | None = None
    logistic: Logistic | None = None
    logistic_share: float = 0.0
    trees: Trees | None = None
    trees_share: float = 0.0
    calibration: Calibration = UNCALIBRATED
    level: float = 0.0
    deviation: float | None = None  # of the level of the cohort to come, in log-odds; None where cohorts say nothing

    def log_odds(self, rows: Rows) -> Floats:
        found: Floats = np.clip(self.calibration.apply(self.raw(rows)) + self.level, *LOG_ODDS_BOUNDS)
        return found

    def raw(self, rows: Rows) -> Floats:
        """Log-odds before calibration and level."""
        total: Floats = np.zeros(len(rows))
        if self.rates_share:
            total += self.rates_share * self.rates.log_odds(rows)
        if self.score is not None and self.score_share:
            total += self.score_share * self.score.log_odds(_scores(rows))
        if self.encoding is not None and self.logistic is not None and self.logistic_share:
            logistic = self.logistic
            total += self.logistic_share * (logistic.intercept + self.encoding.linear(rows, logistic.coefficients))
        if self.encoding is not None and self.trees is not None and self.trees_share:
            total += self.trees_share * self.trees.log_odds(self.encoding.tree(rows))
        return total

    def raw_contributions(self, rows: Rows) -> tuple[float, dict[str, Floats]]:
        """(base, log-odds by column): base + their sum = `raw`."""
        base, parts = self.rates_share * self.rates.base, dict[str, Floats]()

        def add(name: str, values: Floats) -> None:
            parts[name] = parts[name] + values if name in parts else values

        if self.rates_share:
            for name, values in self.rates.contributions(rows).items():
                add(name, self.rates_share * values)
        if self.score is not None and self.score_share:
            middle = self.score.intercept + self.score.slope * self.score.centre
            base += self.score_share * middle
            add("score", self.score_share * (self.score.log_odds(_scores(rows)) - middle))
        if self.encoding is not None and self.logistic is not None and self.logistic_share:
            base += self.logistic_share * self.logistic.base
            names, sources = self.encoding.names, self.encoding.sources
            found = self.logistic.contributions(self.encoding.design(rows), sources, len(names))
            for place, name in enumerate(names):
                add(name, self.logistic_share * found[:, place])
        if self.encoding is not None and self.trees is not None and self.trees_share:
            base += self.trees_share * self.trees.base
            found = self.trees.contributions(self.encoding.tree(rows))
            for place, name in enumerate(self.encoding.names):
                add(name, self.trees_share * found[:, place])
        return base, parts

    def to_dict(self) -> dict[str, Any]:
        """Numbers, texts, lists and None alone, for JSON."""
        shares = {name: getattr(self, name) for name in ("rates_share", "score_share", "logistic_share", "trees_share")}
        return shares | {
            "level": self.level,
            "deviation": self.deviation,
            "rates": self.rates.to_dict(),
            "score": None if self.score is None else [self.score.intercept, self.score.slope, self.score.centre],
            "encoding": None if self.encoding is None else self.encoding.to_dict(),
            "logistic": None if self.logistic is None else self.logistic.to_dict(),
            "trees": None if self.trees is None else self.trees.to_dict(),
            "calibration": self.calibration.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Formula":
        kept = {name: stored[name] for name in stored if name.endswith("_share") or name in ("level", "deviation")}
        return cls(
            rates=SegmentRates.from_dict(stored["rates"]),
            score=None if stored["score"] is None else ScoreLine(*stored["score"]),
            encoding=None if stored["encoding"] is None else Encoding.from_dict(stored["encoding"]),
            logistic=None if stored["logistic"] is None else Logistic.from_dict(stored["logistic"]),
            trees=None if stored["trees"] is None else Trees.from_dict(stored["trees"]),
            calibration=Calibration.from_dict(stored["calibration"]),
            **kept,
        )


@dataclass(frozen=True)
class Candidate:
    """`least_rows` decided renewals, and `least_of_each` of renewed and of lost, before it is tried at all.

    learn  (rows, their weights, ahead) -> formula with the level of the cohort that is `ahead` after the newest of the
           rows; `ahead` None: for rows of the same cohorts, whose levels are in what was learned
    """

    name: str
    words: str
    least_rows: int
    least_of_each: int
    learn: Callable[[Rows, Floats, int | None], Formula]

    def is_ready(self, rows: Rows) -> bool:
        won = int(rows.is_renewed.sum())
        return len(rows) >= self.least_rows and min(won, len(rows) - won) >= self.least_of_each


def _learn_base(rows: Rows, weights: Floats, ahead: int | None) -> Formula:
    return _levelled(Formula(learn_rates(rows, weights, ())), rows, ahead)


def _learn_segments(rows: Rows, weights: Floats, ahead: int | None) -> Formula:
    return _levelled(Formula(learn_rates(rows, weights)), rows, ahead)


def _learn_score(rows: Rows, weights: Floats, ahead: int | None) -> Formula:
    line = learn_score(_scores(rows), rows.is_renewed, weights)
    return _levelled(Formula(learn_rates(rows, weights), 0.0, score=line, score_share=1.0), rows, ahead)


def _learn_blend(rows: Rows, weights: Floats, ahead: int | None) -> Formula:
    """Half the segment rates, half a strongly penalised logistic, calibrated on rows that they did not see.

    So strong a penalty holds noise down, and a strong signal with it: what is said of unseen rows would be too timid.
    """
    encoding, encoded = learn_encoding(rows, weights)
    rates = learn_rates(rows, weights)
    if not encoded.design.shape[1]:
        return _levelled(Formula(rates), rows, ahead)
    logistic = learn_logistic(encoded.design, rows.is_renewed, weights, STRONG_PENALTY)
    formula = Formula(rates, 0.5, encoding=encoding, logistic=logistic, logistic_share=0.5)
    some, inner = _inner(rows)
    unseen = np.empty(some.size)
    for train, rest in inner:
        learned, others, own_weights = rows.take(some[train]), rows.take(some[rest]), weights[some[train]]
        own, seen = learn_encoding(learned, own_weights)
        unseen[rest] = learn_rates(learned, own_weights).log_odds(others)
        if seen.design.shape[1] and 0 < learned.is_renewed.sum() < len(learned):
            fitted = learn_logistic(seen.design, learned.is_renewed, own_weights, STRONG_PENALTY)
            unseen[rest] = 0.5 * unseen[rest] + 0.5 * fitted.log_odds(own.design(others))
    return _calibrated(formula, unseen, rows.take(some), weights[some], ahead)


def _learn_logistic(rows: Rows, weights: Floats, ahead: int | None) -> Formula:
    """A logistic with the penalty that does best on rows it did not see, calibrated on those."""
    encoding, encoded = learn_encoding(rows, weights)
    if not encoded.design.shape[1]:
        return _learn_segments(rows, weights, ahead)
    some, inner = _inner(rows)
    unseen = np.empty((len(PENALTIES), some.size))
    for train, rest in inner:
        own, seen = learn_encoding(rows.take(some[train]), weights[some[train]])
        design = own.design(rows.take(some[rest]))
        for place, penalty in enumerate(PENALTIES):
            fitted = learn_logistic(seen.design, rows.is_renewed[some[train]], weights[some[train]], penalty)
            unseen[place, rest] = fitted.log_odds(design)
    best = _least_loss(unseen, rows.is_renewed[some], weights[some])
    logistic = learn_logistic(encoded.design, rows.is_renewed, weights, PENALTIES[best])
    formula = Formula(learn_rates(rows, weights, ()), 0.0, encoding=encoding, logistic=logistic, logistic_share=1.0)
    return _calibrated(formula, unseen[best], rows.take(some), weights[some], ahead)


def _learn_boosting(rows: Rows, weights: Floats, ahead: int | None) -> Formula:
    """Boosted trees and a logistic, mixed as does best on rows that they did not see, calibrated on those."""
    encoding, encoded = learn_encoding(rows, weights)
    if not encoded.design.shape[1]:
        return _learn_segments(rows, weights, ahead)
    some, inner = _inner(rows)
    by_trees, by_logistic, counts = np.empty(some.size), np.empty(some.size), list[int]()
    for train, rest in inner:
        learned, others = rows.take(some[train]), rows.take(some[rest])
        own, seen = learn_encoding(learned, weights[some[train]])
        held_out = (own.tree(others), others.is_renewed, weights[some[rest]])
        trees, count = learn_trees(seen.tree, learned.is_renewed, weights[some[train]], held_out=held_out)
        by_trees[rest], counts = trees.log_odds(held_out[0]), [*counts, count]
        logistic = learn_logistic(seen.design, learned.is_renewed, weights[some[train]], BESIDE_TREES)
        by_logistic[rest] = logistic.log_odds(own.design(others))
    unseen = np.stack([share * by_trees + (1 - share) * by_logistic for share in SHARES])
    best = _least_loss(unseen, rows.is_renewed[some], weights[some])
    # With half as many rows again as in a fold there is a little more to learn.
    iterations = max(int(np.mean(counts) * 1.1), 1)
    formula = Formula(
        learn_rates(rows, weights, ()),
        0.0,
        encoding=encoding,
        logistic=learn_logistic(encoded.design, rows.is_renewed, weights, BESIDE_TREES),
        logistic_share=1 - SHARES[best],
        trees=learn_trees(encoded.tree, rows.is_renewed, weights, iterations=iterations)[0],
        trees_share=SHARES[best],
    )
    return _calibrated(formula, unseen[best], rows.take(some), weights[some], ahead)


BASE: Final = Candidate("base", "the plain renewal rate", 0, 0, _learn_base)
SEGMENTS: Final = Candidate("segments", "shrunken segment rates", 30, 3, _learn_segments)
SCORE: Final = Candidate("score", "the risk score on a fitted scale", 15, 3, _learn_score)
BLEND: Final = Candidate(
    "blend", "half segment rates, half a strongly penalised logistic regression", 50, 8, _learn_blend
)
LOGISTIC: Final = Candidate("logistic", "a logistic regression", 400, 40, _learn_logistic)
BOOSTING: Final = Candidate("boosting", "gradient boosting with a logistic regression", 1_000, 100, _learn_boosting)


def _scores(rows: Rows) -> Floats:
    return rows.scores if rows.scores.size else np.full(len(rows), np.nan)


def _inner(rows: Rows) -> tuple[Integers, list[tuple[Integers, Integers]]]:
    """(some rows, folds of places among them)."""
    rng = np.random.default_rng(2)
    some = np.arange(len(rows))
    if some.size > MOST_INNER:
        some = np.sort(rng.choice(some, MOST_INNER, replace=False))
    fold = rng.permutation(some.size) % INNER_FOLDS
    return some, [(np.flatnonzero(fold != part), np.flatnonzero(fold == part)) for part in range(INNER_FOLDS)]


def _least_loss(log_odds: Floats, is_renewed: Booleans, weights: Floats) -> int:
    """Which row of log_odds[k, n] has the least weighted log loss."""
    return int(np.argmin([float(log_losses(expit(row), is_renewed) @ weights) for row in log_odds]))


def _calibrated(formula: Formula, unseen: Floats, rows: Rows, weights: Floats, ahead: int | None) -> Formula:
    """With calibration and level from forecasts of rows that the parts had not seen."""
    calibration = learn_calibration(unseen, rows.is_renewed, weights)
    return _shifted(replace(formula, calibration=calibration), calibration.apply(unseen), rows, ahead)


def _levelled(formula: Formula, rows: Rows, ahead: int | None) -> Formula:
    """With the level from the rows it was learned on: so few parameters do not follow single rows."""
    return _shifted(formula, formula.raw(rows), rows, ahead)


def _shifted(formula: Formula, log_odds: Floats, rows: Rows, ahead: int | None) -> Formula:
    if ahead is None:
        return formula
    level = learn_level(log_odds, rows.is_renewed, rows.cohorts, ahead)
    return replace(formula, level=level.shift, deviation=level.deviation)
