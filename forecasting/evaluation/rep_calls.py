"""What correcting reps is worth by the number of their closed calls, on simulated calls of a known truth.

A renewal's true log-odds are N(1.7, 1.3^2); a rep's word is off by N(0, 0.8^2) and by the rep's own bias N(0.4, 0.7^2),
said in whole percents; the likelihood is off by N(0, 1.2^2) and knows nothing that the rep does not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine import probability
from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.log_odds import expit

REPS: Final = 40
BOOKS: Final = 12
LATER_CALLS: Final = 300


@dataclass(frozen=True)
class CallScores:
    """Brier scores of later calls: of the word, of the word corrected, of the likelihood, and joined."""

    word: float
    corrected: float
    likelihood: float
    joined: float

    @property
    def gain(self) -> float:
        """Part of the word's Brier score that correcting it took away."""
        return 1 - self.corrected / self.word


def score_calls(calls: int, *, books: int = BOOKS) -> CallScores:
    """Mean over `books` of 40 reps, each with `calls` closed calls; the seeds are fixed."""
    return CallScores(
        *np.mean([_score(calls, np.random.default_rng([seed, calls])) for seed in range(books)], axis=0).tolist()
    )


def _score(calls: int, rng: np.random.Generator) -> list[float]:
    bias = rng.normal(0.4, 0.7, REPS)
    rep, word, likelihood, came = _called(rng, bias, calls)
    records = probability.measure_reps(rep_ids=rep, confidence=word, likelihood=likelihood, is_renewed=came)
    rep, word, likelihood, came = _called(rng, bias, LATER_CALLS)
    timing, nothing = np.zeros(rep.size, dtype=np.int64), np.full(rep.size, np.nan)
    corrected, joined = (
        probability.join_probability(likelihood=model, confidence=word, rep_ids=rep, timing=timing, records=records)
        for model in (nothing, likelihood)
    )
    return [float(np.mean((p - came) ** 2)) for p in (word, corrected, likelihood, joined)]


def _called(rng: np.random.Generator, bias: Floats, calls: int) -> tuple[Integers, Floats, Floats, Booleans]:
    """(rep, word, likelihood, whether it renewed) of `calls` calls of each rep."""
    rep = np.repeat(np.arange(REPS), calls)
    truth = rng.normal(1.7, 1.3, rep.size)
    word = np.round(np.clip(expit(truth + rng.normal(0, 0.8, rep.size) + bias[rep]), 0.01, 0.99), 2)
    return rep, word, expit(truth + rng.normal(0, 1.2, rep.size)), rng.random(rep.size) < expit(truth)
