"""The characteristic function of the sum of very many independent amounts, without a factor for each row and frequency.

With log(1 - p + p exp(i x)) = sum of kappa_n (i x)^n / n! the logarithm of a product over rows is a sum of power sums,
made in one pass. The cumulants kappa_1 to kappa_8 of one row are polynomials in p. The series of a row converges for
|x| < pi, and on |z| = 2 its logarithm less p z is at most 4.4 p (1 - p) in size, so by Cauchy's bound the terms from
the ninth on are at most 4.4 p (1 - p) (x / 2)^9 / (1 - x / 2). Rows whose x would be large are multiplied one by one.
"""

from math import factorial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Floats

ORDERS: Final = 8
CAUCHY: Final = 4.4  # greatest |log(1 - p + p e^z) - p z| / (p (1 - p)) on |z| = 2, over p: 4.389
SMALL_ANGLE: Final = 0.1  # of a row that is summed, at the last frequency
MOST_ERROR: Final = 1e-8
NEGLIGIBLE: Final = 1e-12
MOST_ALONE: Final = 2**18  # rows x frequencies that are multiplied
TRIES: Final = 4
BLOCK_ROWS: Final = 32_768


def characteristic_function_of_many(p: Floats, angles: Floats, frequencies: int) -> NDArray[np.complex128] | None:
    """Product over rows of 1 - p + p exp(i k angle), k = 0 .. frequencies, complex[frequencies + 1]; 0 < p < 1.

    Right to 1e-8: so is its logarithm, and it is left at 0 from where the rows that are summed leave less than that of
    it (their product falls for as long as their angles are below pi, and the others can only make it smaller). None
    where that is not reached soon enough, because a few rows have nearly all of the variance.
    """
    last = max(_last_of(float((p * (1 - p)) @ angles**2)), int(SMALL_ANGLE / np.pi * frequencies) + 1)
    for _ in range(TRIES):
        is_alone = angles * last > SMALL_ANGLE
        if last > frequencies or np.count_nonzero(is_alone) * last > MOST_ALONE:
            return None
        sums, ninth = _power_sums(*(column[~is_alone] for column in (p, angles)) if is_alone.any() else (p, angles))
        if CAUCHY * ninth * (last / 2) ** (ORDERS + 1) / (1 - SMALL_ANGLE / 2) > MOST_ERROR:
            return None
        product = _exponential(sums, last)
        if abs(product[-1]) < MOST_ERROR:
            found = np.zeros(frequencies + 1, dtype=np.complex128)
            found[: last + 1] = product * _product(p[is_alone], angles[is_alone], last)
            return found
        last = max(_last_of(float(sums[1])), last + 1)
    return None


def _last_of(variance: float) -> int:
    """The frequency at which next to nothing is left of a normal sum with this variance."""
    return int(np.ceil(np.sqrt(-2 * np.log(NEGLIGIBLE) / variance))) if variance > 0 else 1 << 30


def _power_sums(p: Floats, angles: Floats) -> tuple[Floats, float]:
    """(sum of kappa_n x^n, n = 1 .. 8; sum of p (1 - p) x^9)."""
    sums, ninth = np.zeros(ORDERS), 0.0
    for first in range(0, p.size, BLOCK_ROWS):
        chance, x = p[first : first + BLOCK_ROWS], angles[first : first + BLOCK_ROWS]
        spread, skew = chance * (1 - chance), 1 - 2 * chance
        square = x * x
        sums[0] += chance @ x
        of_even, of_odd = spread * square, spread * skew * square * x
        sums[1] += of_even.sum()
        sums[2] += of_odd.sum()
        of_even *= square
        sums[3] += of_even @ (1 - 6 * spread)
        of_odd *= square
        sums[4] += of_odd @ (1 - 12 * spread)
        of_even *= square
        sums[5] += of_even @ (1 + spread * (120 * spread - 30))
        of_odd *= square
        sums[6] += of_odd @ (1 + spread * (360 * spread - 60))
        of_even *= square
        sums[7] += of_even @ (1 + spread * (spread * (1680 - 5040 * spread) - 126))
        ninth += float(of_even @ x)
    return sums, ninth


def _exponential(sums: Floats, last: int) -> NDArray[np.complex128]:
    """exp(sum of sums_n (i k)^n / n!) for k = 0 .. last."""
    power = 1j * np.arange(last + 1)
    terms = [value * power**order / factorial(order) for order, value in enumerate(sums.tolist(), start=1)]
    return np.asarray(np.exp(np.sum(terms, axis=0)))


def _product(p: Floats, angles: Floats, last: int) -> NDArray[np.complex128]:
    """The same product row by row."""
    found = np.ones(last + 1, dtype=np.complex128)
    for k in range(last + 1):
        found[k] = np.prod((1 - p) + p * np.exp(1j * k * angles))
    return found
