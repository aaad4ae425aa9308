"""Log-odds and back: logit(p) = ln(p / (1 - p))."""

import numpy as np

from forecasting.engine.arrays import Floats


def logit(rate: Floats | float) -> Floats:
    """Log-odds of rates strictly between 0 and 1; NaN stays NaN."""
    rate = np.asarray(rate, dtype=np.float64)
    return np.asarray(np.log(rate) - np.log1p(-rate))


def expit(log_odds: Floats | float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.asarray(log_odds, dtype=np.float64))))
