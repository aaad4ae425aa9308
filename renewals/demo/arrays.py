"""Array types of the demo's generator, and the few draws that all of its parts use. Days count from 1970-01-01."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

EPOCH = dt.date(1970, 1, 1).toordinal()
NONE = -(2**31)  # a day or a choice that is missing


def day_number(date: dt.date) -> int:
    return date.toordinal() - EPOCH


def as_date(day: int) -> dt.date:
    return dt.date.fromordinal(day + EPOCH)


def draw(rng: np.random.Generator, shares: Sequence[float] | Floats, size: int) -> Ints:
    """Indices drawn by share; shares need not add up to 1."""
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    return np.searchsorted(edges / edges[-1], rng.random(size), side="right").astype(np.int64)


def chance(rng: np.random.Generator, probability: float | Floats, size: int) -> Flags:
    return rng.random(size) < probability


def sigmoid(logit: Floats) -> Floats:
    return 1 / (1 + np.exp(-logit))


def last_day_of(month: Ints) -> Ints:
    """Last day of a month that is counted from January 1970."""
    return (month + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - 1


def first_day_of(month: Ints) -> Ints:
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
