"""How good calls were: what reps, the model and the two joined said of renewals that are decided by now.

Everything is kept as sums, so that a team's record is the sum of its reps', and a year's of its months'.

    bias = mean(confidence - came), drawn to that of all with the weight of 30 calls
    Brier score = mean((said - came)^2): 0 is perfect, the variance of what came is knowing only the rate
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers, require_fractions
from forecasting.engine.probability import POOLED_CALLS, join_probability, measure_reps
from forecasting.engine.timing import TimingClass

TENTHS: Final = 10
Z95: Final = 1.96


@dataclass(frozen=True)
class Tally:
    """Sums over calls. `tenths` are (calls, confidence, came) by tenth of the confidence."""

    count: int = 0
    confidence: float = 0.0
    came: float = 0.0
    rep_error: float = 0.0  # squared errors
    model_error: float = 0.0
    joined_error: float = 0.0
    tenths: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, 0.0),) * TENTHS

    def __add__(self, other: Tally) -> Tally:
        tenths = tuple((a[0] + b[0], a[1] + b[1], a[2] + b[2]) for a, b in zip(self.tenths, other.tenths, strict=True))
        names = [field.name for field in fields(self) if field.name != "tenths"]
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names}, tenths=tenths)

    @property
    def bias(self) -> float:
        """As measured, in fractions; above 0 the rep said more than came. Asked of one call at least."""
        return (self.confidence - self.came) / self.count

    def drawn_bias(self, of_all: Tally) -> tuple[float, float, float]:
        """(bias, lowest, highest): drawn to the bias of all, with its 95 % interval."""
        behind = self.count + POOLED_CALLS
        drawn = (self.count * self.bias + POOLED_CALLS * of_all.bias) / behind
        spread = max(of_all.rep_error / of_all.count - of_all.bias**2, 0.0)
        half = float(Z95 * np.sqrt(spread / behind))
        return drawn, drawn - half, drawn + half

    def brier(self, said: str) -> float:
        """Of `rep`, `model` or `joined`."""
        return float(getattr(self, f"{said}_error")) / self.count

    def to_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Tally:
        return cls(**{**stored, "tenths": tuple((a, b, c) for a, b, c in stored["tenths"])})


def total(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())


def tally_calls(
    *, rep_ids: Integers, confidence: Floats, likelihood: Floats, joined: Floats, is_renewed: Booleans
) -> dict[int, Tally]:
    """By rep. Calls without a confidence or a likelihood are left out. ValueError of a confidence out of 0..1."""
    require_fractions(confidence, "confidence", may_be_missing=True)
    is_call = ~(np.isnan(confidence) | np.isnan(likelihood))
    reps, rep = np.unique(rep_ids[is_call], return_inverse=True)
    confidence, came = confidence[is_call], is_renewed[is_call].astype(np.float64)
    errors = [(said - came) ** 2 for said in (confidence, likelihood[is_call], joined[is_call])]
    sums = [np.bincount(rep, values, reps.size) for values in (confidence, came, *errors)]
    counts = np.bincount(rep, minlength=reps.size)
    place = rep * TENTHS + np.minimum((confidence * TENTHS).astype(np.int64), TENTHS - 1)
    tenths = np.stack(
        [np.bincount(place, values, reps.size * TENTHS) for values in (np.ones(rep.size), confidence, came)], axis=1
    ).reshape(reps.size, TENTHS, 3)
    return {
        int(one): Tally(
            count=int(counts[at]),
            confidence=float(sums[0][at]),
            came=float(sums[1][at]),
            rep_error=float(sums[2][at]),
            model_error=float(sums[3][at]),
            joined_error=float(sums[4][at]),
            tenths=tuple((float(a), float(b), float(c)) for a, b, c in tenths[at]),
        )
        for at, one in enumerate(reps)
    }


def join_unseen(
    *, rep_ids: Integers, confidence: Floats, likelihood: Floats, is_renewed: Booleans, account_ids: Integers
) -> Floats:
    """The joined probability float64[n] of closed calls, by records that were measured without their accounts.

    Weights that were measured on the same calls would flatter the joined one: half of the accounts is judged by the
    records of the other half.
    """
    joined = np.empty(rep_ids.size)
    is_odd = account_ids % 2 == 1
    for half in (is_odd, ~is_odd):
        records = measure_reps(
            rep_ids=rep_ids[~half],
            confidence=confidence[~half],
            likelihood=likelihood[~half],
            is_renewed=is_renewed[~half],
        )
        joined[half] = join_probability(
            likelihood=likelihood[half],
            confidence=confidence[half],
            rep_ids=rep_ids[half],
            timing=np.full(np.count_nonzero(half), TimingClass.UPCOMING),
            records=records,
        )
    return joined
