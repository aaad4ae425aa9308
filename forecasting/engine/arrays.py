"""Array types, marks for missing values, and the checks that name the bad row."""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Integers: TypeAlias = NDArray[np.integer[Any]]
Booleans: TypeAlias = NDArray[np.bool_]

NO_DAY: Final = -(2**31)
NO_ID: Final = -1


def reject_rows(is_bad: Booleans, field: str, values: NDArray[Any], reason: str) -> None:
    """Raise ValueError for the first row where `is_bad`, naming row, field, value and reason."""
    if is_bad.any():
        row = int(np.argmax(is_bad))
        raise ValueError(f"row {row}: {field} {values[row]} {reason}")


def require_fractions(values: Floats, field: str, *, may_be_missing: bool = False) -> None:
    """Raise ValueError unless every value lies between 0 and 1 (NaN only where it may be missing)."""
    if values.size == 0:
        return
    lowest, highest = np.fmin.reduce(values), np.fmax.reduce(values)
    has_missing = not may_be_missing and bool(np.isnan(values).any())
    if lowest < 0 or highest > 1 or has_missing:
        is_good = (values >= 0) & (values <= 1)
        reject_rows(
            ~(is_good | np.isnan(values)) if may_be_missing else ~is_good, field, values, "is not between 0 and 1"
        )
