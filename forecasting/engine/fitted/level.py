"""How far the level of a cohort lay from its forecast, and how much of that to carry on.

In a book that drifts, every model fitted on all of its past is wrong in the same direction; the newest closed cohort
knows. The likelihoods are therefore shifted by its miss, shrunk by how little it says.
"""

from typing import Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats
from forecasting.engine.log_odds import expit

LEVEL_SPREAD: Final = 0.15  # standard deviation, in log-odds, with which a level is believed to stray


def miss(log_odds: Floats, is_renewed: Booleans, spread: float = np.inf) -> tuple[float, float]:
    """(d, its standard error): the most likely common shift of the log-odds given d ~ N(0, spread^2); Newton's method.

    (0, inf) without rows. Where all rows came, or none, half a renewal is counted as the other way.
    """
    if is_renewed.size == 0:
        return 0.0, np.inf
    pull = spread**-2
    came = float(np.clip(is_renewed.sum(), 0.5, is_renewed.size - 0.5)) if is_renewed.size > 1 else 0.5
    shift = 0.0
    for _ in range(50):
        expected = expit(log_odds + shift)
        information = float((expected * (1 - expected)).sum())
        step = float(np.clip((came - float(expected.sum()) - pull * shift) / (information + pull), -0.5, 0.5))
        shift += step
        if abs(step) < 1e-9:
            break
    return shift, float(1 / np.sqrt(information))


def level_shift(log_odds: Floats, is_renewed: Booleans) -> float:
    """The miss of the newest closed cohort, given d ~ N(0, LEVEL_SPREAD^2)."""
    return miss(log_odds, is_renewed, LEVEL_SPREAD)[0] if is_renewed.size else 0.0
