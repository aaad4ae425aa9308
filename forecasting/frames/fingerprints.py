"""64 bits of a score, so that a run reads these instead of the stored score to see whether it would write the same."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Integers
from forecasting.engine.bits import chained
from forecasting.frames.outlook import MEANS

# What a score says of its renewal.
DERIVED: Final = (
    "account_id",
    "timing_class",
    "timing_days",
    "risk_score",
    "likelihood",
    "likelihood_count",
    "probability",
    *MEANS,
    "completeness",
    "contributions",
)
SMALLINTS_IN_A_WORD: Final = 4


def fingerprints(scores: Mapping[str, NDArray[Any]]) -> Integers:
    """int64[n] of an array[n] for each of DERIVED, by their values: neither an array's type counts nor which NaN."""
    words = (word for name in DERIVED for word in _words(scores[name]))
    return chained(words, np.zeros(len(scores[DERIVED[0]]), dtype=np.uint64)).view(np.int64)


def _words(values: NDArray[Any]) -> Iterator[NDArray[np.uint64]]:
    if values.ndim == 2:
        yield np.full(len(values), values.shape[1], dtype=np.uint64)
        held = np.zeros((len(values), -(-values.shape[1] // SMALLINTS_IN_A_WORD) * SMALLINTS_IN_A_WORD), dtype=np.int16)
        held[:, : values.shape[1]] = values
        yield from held.view(np.uint64).T
    elif values.dtype.kind == "f":
        known = values.astype(np.float64) + 0.0  # -0.0 is 0.0
        yield np.where(np.isnan(known), np.nan, known).view(np.uint64)
    else:
        yield values.astype(np.int64).view(np.uint64)
