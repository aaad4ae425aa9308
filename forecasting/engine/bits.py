"""64 bits mixed so that numbers which differ little give hashes that have nothing in common."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """uint64[n] of uint64[n], one to one: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits ^ (bits >> np.uint64(31))


def chained(words: Iterable[NDArray[np.uint64]], start: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """uint64[n] of words of n rows, each of which counts by its place too."""
    hashes = start
    for word in words:
        hashes = mixed(hashes + word)
    return hashes
