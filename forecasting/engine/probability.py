"""The forecast probability: likelihood and the rep's confidence joined in log-odds. Source: docs/domain.md section 5.

    logit(probability) = w x (a + b logit(confidence)) + (1 - w) x logit(likelihood)

a and b take out the bias of the rep's calls, w is what their calls have been worth beside the likelihood: both are
measured on the rep's own closed calls and drawn to the record of all reps. A rep with fewer than 15 closed calls is
taken at their word (a = 0, b = 1): correcting on so few does harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers, require_fractions
from forecasting.engine.likelihood import HIGHEST, LOWEST
from forecasting.engine.log_odds import expit, logit
from forecasting.engine.timing import TimingClass

MINIMUM_CALLS: Final = 15
POOLED_CALLS: Final = 30.0  # closed calls that the record of all reps counts as beside a rep's own
DEFAULT_WEIGHT: Final = 0.5
CONFIDENCE_BOUNDS: Final = (0.01, 0.99)  # nobody's word is certainty: log-odds of 0 and 100 % are infinite
STRONG_DISAGREEMENT: Final = 0.30

POOLED_SPREAD: Final = (1.0, 0.5)  # standard deviations of a and b of all reps together around 0 and 1
REP_SPREAD: Final = (0.5, 0.25)  # and of one rep's around those of all
WEIGHTS: Final = np.linspace(0, 1, 41)


@dataclass(frozen=True, eq=False)
class RepRecords:
    """Measured record of each rep, r entries sorted by id, and of all together for the reps that are not among them."""

    rep_ids: Integers
    call_counts: Integers
    intercepts: Floats
    slopes: Floats
    weights: Floats
    pooled_weight: float

    @classmethod
    def empty(cls) -> "RepRecords":
        none = np.empty(0)
        ids = np.empty(0, dtype=np.int64)
        return cls(ids, ids, none, none, none, DEFAULT_WEIGHT)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON."""
        arrays = ("rep_ids", "call_counts", "intercepts", "slopes", "weights")
        return {name: getattr(self, name).tolist() for name in arrays} | {"pooled_weight": self.pooled_weight}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "RepRecords":
        ids, counts = (np.asarray(stored[name], dtype=np.int64) for name in ("rep_ids", "call_counts"))
        a, b, w = (np.asarray(stored[name], dtype=np.float64) for name in ("intercepts", "slopes", "weights"))
        return cls(ids, counts, a, b, w, stored["pooled_weight"])


def measure_reps(*, rep_ids: Integers, confidence: Floats, likelihood: Floats, is_renewed: Booleans) -> RepRecords:
    """Records from n closed calls: confidence and likelihood as they stood before the decision, and what came.

    Calls without a confidence or a likelihood are left out. a and b maximise the fit of expit(a + b logit(confidence))
    to what came, with a ~ N(0, 1), b ~ N(1, 1/4) for all reps together and those of one rep spread around them. w is
    the weight with the least squared error (Brier score) of the joined probability over the rep's calls, beside which
    the mean error over all calls counts as 30 calls. Raises ValueError naming row and value of a rate out of range.
    """
    confidence, likelihood = np.asarray(confidence, dtype=np.float64), np.asarray(likelihood, dtype=np.float64)
    require_fractions(confidence, "confidence", may_be_missing=True)
    require_fractions(likelihood, "likelihood", may_be_missing=True)
    is_call = ~(np.isnan(confidence) | np.isnan(likelihood))
    if np.count_nonzero(is_call) < MINIMUM_CALLS:
        return RepRecords.empty()
    word, model = _word_log_odds(confidence[is_call]), _model_log_odds(likelihood[is_call])
    came = np.asarray(is_renewed, dtype=np.float64)[is_call]
    reps, rep = np.unique(np.asarray(rep_ids, dtype=np.int64)[is_call], return_inverse=True)
    call_counts = np.bincount(rep)

    pooled = _debias(word, came, np.zeros(word.size, dtype=np.int64), (0.0, 1.0), POOLED_SPREAD)
    intercepts, slopes = _debias(word, came, rep, (float(pooled[0][0]), float(pooled[1][0])), REP_SPREAD)
    is_new = call_counts < MINIMUM_CALLS
    intercepts[is_new], slopes[is_new] = 0.0, 1.0

    word = intercepts[rep] + slopes[rep] * word
    loss = np.stack([np.bincount(rep, (expit(weight * word + (1 - weight) * model) - came) ** 2) for weight in WEIGHTS])
    pooled_loss = loss.sum(axis=1) / word.size
    weights = WEIGHTS[np.argmin(loss + POOLED_CALLS * pooled_loss[:, None], axis=0)]
    pooled_weight = float(WEIGHTS[np.argmin(pooled_loss)])
    weights[is_new] = pooled_weight
    return RepRecords(reps, call_counts, intercepts, slopes, weights, pooled_weight)


def join_probability(
    *,
    likelihood: Floats,
    confidence: Floats,
    rep_ids: Integers,
    timing: Integers,
    records: RepRecords,
    pinned: Floats | None = None,
) -> Floats:
    """Forecast probability float64[n] that each renewal comes within tolerance.

    `pinned` is what somebody put in the place of the joined one, 0..1, NaN where nobody did. A decided renewal is 1
    (early, on time, late) or 0 (lost, won back), a lapsed one 0 until it is revived, whatever is pinned. Where one of
    likelihood and confidence is missing the other stands alone; NaN where both are.
    Raises ValueError naming row and value of a confidence that is not a fraction.
    """
    likelihood, confidence = np.asarray(likelihood, dtype=np.float64), np.asarray(confidence, dtype=np.float64)
    require_fractions(confidence, "confidence", may_be_missing=True)
    if pinned is not None:
        require_fractions(pinned, "pinned probability", may_be_missing=True)
    timing = np.asarray(timing)
    intercept, slope, weight = _records_of(records, np.asarray(rep_ids))
    word = intercept + slope * _word_log_odds(confidence)
    model = _model_log_odds(likelihood)
    probability = expit(model + weight * (word - model))
    np.copyto(probability, likelihood, where=np.isnan(confidence))
    np.copyto(probability, expit(word), where=np.isnan(likelihood))
    if pinned is not None:
        np.copyto(probability, pinned, where=~np.isnan(pinned))
    np.copyto(probability, 0.0, where=timing >= TimingClass.LAPSED)
    np.copyto(probability, 1.0, where=(timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE))
    return probability


def disagreement(likelihood: Floats, confidence: Floats) -> Floats:
    """Distance float64[n] between rep and model, 0..1; NaN where one is missing. Strong from `STRONG_DISAGREEMENT`."""
    return np.abs(np.asarray(confidence, dtype=np.float64) - np.asarray(likelihood, dtype=np.float64))


def _word_log_odds(confidence: Floats) -> Floats:
    return logit(np.clip(confidence, *CONFIDENCE_BOUNDS))


def _model_log_odds(likelihood: Floats) -> Floats:
    return logit(np.clip(likelihood, LOWEST, HIGHEST))


def _records_of(records: RepRecords, rep_ids: Integers) -> tuple[Floats, Floats, Floats]:
    """(a, b, w) of each row's rep."""
    place = np.searchsorted(records.rep_ids, rep_ids)
    is_known = np.append(records.rep_ids, -1)[place] == rep_ids
    place = np.where(is_known, place, records.rep_ids.size)
    columns = ((records.intercepts, 0.0), (records.slopes, 1.0), (records.weights, records.pooled_weight))
    intercept, slope, weight = (np.append(measured, default)[place] for measured, default in columns)
    return intercept, slope, weight


def _debias(
    word: Floats, came: Floats, group: Integers, centre: tuple[float, float], spread: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Most likely (a, b) of each group in expit(a + b word), with a and b normal around `centre`; Newton's method."""
    n = int(group.max()) + 1
    a, b = np.full(n, centre[0]), np.full(n, centre[1])
    pull_a, pull_b = spread[0] ** -2, spread[1] ** -2
    for _ in range(30):
        expected = expit(a[group] + b[group] * word)
        miss, information = came - expected, expected * (1 - expected)
        slope_a = np.bincount(group, miss) - pull_a * (a - centre[0])
        slope_b = np.bincount(group, miss * word) - pull_b * (b - centre[1])
        aa = np.bincount(group, information) + pull_a
        ab = np.bincount(group, information * word)
        bb = np.bincount(group, information * word**2) + pull_b
        determinant = aa * bb - ab**2
        step_a = (bb * slope_a - ab * slope_b) / determinant
        step_b = (aa * slope_b - ab * slope_a) / determinant
        # A full Newton step can overshoot far from the top; half a unit at a time always arrives.
        a += np.clip(step_a, -0.5, 0.5)
        b += np.clip(step_b, -0.5, 0.5)
        if max(np.abs(step_a).max(), np.abs(step_b).max()) < 1e-9:
            break
    return a, b
