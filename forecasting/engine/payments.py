"""What of a booked renewal will be collected. Source: docs/domain.md section 4.3.

    collected = booked x (1 - default probability)

No book records defaults as such, so the probability is stated, not fitted: log-odds of 1 in 100 for an account of which
nothing bad is known, more for each sign of trouble, as far as the signs go. An account of which nothing at all is known
has the prior, 2 in 100.
"""

from typing import Final

import numpy as np

from forecasting.engine.arrays import Floats
from forecasting.engine.log_odds import expit, logit

UNKNOWN_RATE: Final = 0.02
GOOD_RATE: Final = 0.01
HIGHEST_RATE: Final = 0.5
# Log-odds for each: ten days late, twice doubling in a month; a failed payment; a chargeback.
PER_LATE_DAY: Final = 0.03
PER_FAILED_PAYMENT: Final = 0.5
PER_CHARGEBACK: Final = 1.0
LATE_DAYS_BOUND: Final = 60.0
COUNT_BOUND: Final = 5.0


def default_rates(*, late_days: Floats, failed_count: Floats, chargeback_count: Floats) -> Floats:
    """Probability float64[n], 0.01 to 0.5, that what is booked is not paid; NaN in is unknown."""
    signs = (
        (late_days, PER_LATE_DAY, LATE_DAYS_BOUND),
        (failed_count, PER_FAILED_PAYMENT, COUNT_BOUND),
        (chargeback_count, PER_CHARGEBACK, COUNT_BOUND),
    )
    total = np.full(np.shape(late_days), float(logit(np.array(GOOD_RATE))))
    is_unknown = np.ones(np.shape(late_days), dtype=np.bool_)
    for values, step, bound in signs:
        held = np.asarray(values, dtype=np.float64)
        is_unknown &= np.isnan(held)
        total += step * np.clip(np.nan_to_num(held), 0.0, bound)
    rates: Floats = np.where(is_unknown, UNKNOWN_RATE, np.minimum(expit(total), HIGHEST_RATE))
    return rates
