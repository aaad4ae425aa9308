"""Whole cents of one currency as whole cents of the reporting one."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Integers


def converted_cents(
    cents: Integers, currency: Integers, rates: Mapping[str, Decimal], *, divided_by: int = 1
) -> Integers:
    """int64[..., n] of cents[..., n] times the rate of each currency[n], a position among the rates, over a divisor.

    Each rounded half to even; exact for any rate. A rate has the decimals of its own, so all are whole numbers over
    one power of ten.
    """
    if not cents.size:
        return cents.astype(np.int64)
    decimals = max(0, *(-int(rate.normalize().as_tuple().exponent) for rate in rates.values()))
    denominator = divided_by * 10**decimals
    numerators = [int(rate.scaleb(decimals)) for rate in rates.values()]
    largest = max(abs(int(cents.min())), abs(int(cents.max()))) // denominator + 1
    # Within int64 where every product surely is; else Python's own whole numbers, which np.divmod does not take.
    is_small = max(numerators) * max(denominator, largest) < 2**61
    numerator = np.array(numerators, dtype=np.int64 if is_small else object)[currency]
    exact: NDArray[Any] = cents.astype(np.int64 if is_small else object)
    product = exact % denominator * numerator
    rest = product % denominator
    whole: NDArray[Any] = exact // denominator * numerator + product // denominator
    whole = whole + ((2 * rest > denominator) | ((2 * rest == denominator) & (whole % 2 == 1)))
    return whole.astype(np.int64)
