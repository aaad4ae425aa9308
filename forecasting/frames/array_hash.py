"""PostgreSQL's hash of a smallint[], computed here: to compare stored arrays without reading their elements."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Integers
from forecasting.frames.binary_copy import Column, copy_out

# Contributions: -1 is a missing input, and no factor brings more than 100 points in hundredths.
LOWEST: Final = -1
HIGHEST: Final = 10_000


def hash_sql(column: str) -> str:
    """64 bits of a smallint[] column. Not kept anywhere, so PostgreSQL may change how it hashes."""
    return f"hash_array_extended({column}, 0)"


def array_hashes(cursor: Any, values: Integers) -> Integers:
    """int64[n]: what `hash_sql` gives for each row of int16[n, k], whose elements are from LOWEST to HIGHEST."""
    table = _element_hashes(cursor)
    hashes = np.ones(len(values), dtype=np.uint64)
    for column in values.T:
        hashes *= np.uint64(31)
        hashes += table[column - LOWEST]
    return hashes.view(np.int64)


# Once per process: the hashes of all elements that there can be.
_known: list[NDArray[np.uint64]] = []


def _element_hashes(cursor: Any) -> NDArray[np.uint64]:
    if not _known:
        column = Column("hash", "int8", "hashint2extended(v::int2, 0)")
        _known.append(copy_out(cursor, [column], f"generate_series({LOWEST}, {HIGHEST}) v")["hash"].view(np.uint64))
    return _known[0]
