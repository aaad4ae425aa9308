"""Renewals with a plan against like ones without: the difference of their renewal rates within cells of equals.

Each cell counts by its renewals with a plan, so the difference is that of the kind of renewals that got one
(subclassification: Cochran 1968). Its interval is the normal one over the cells' variances, each from (x + 1) / (n + 2)
so that a cell in which all went one way is not taken for certain (Agresti and Caffo 2000).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FEWEST: Final = 20  # decided renewals on either side, below which no difference is told
Z: Final = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Cell:
    """Decided renewals of one segment, risk band and stretch of days left, with a plan and without."""

    segment: str
    band: str
    stretch: int
    with_count: int
    with_renewed: int
    without_count: int
    without_renewed: int

    @property
    def is_matched(self) -> bool:
        return self.with_count > 0 and self.without_count > 0

    @property
    def difference(self) -> float:
        return self.with_renewed / self.with_count - self.without_renewed / self.without_count


@dataclass(frozen=True)
class Comparison:
    """Counts are of matched cells, but for `unmatched_count`: with a plan, and nobody like them without.

    The difference and its bounds are rates (0.05 is five points); None where there are too few to tell.
    """

    cells: list[Cell]
    with_count: int
    without_count: int
    unmatched_count: int
    with_rate: float | None = None
    without_rate: float | None = None
    lowest: float | None = None
    highest: float | None = None

    @property
    def difference(self) -> float | None:
        if self.with_rate is None or self.without_rate is None:
            return None
        return self.with_rate - self.without_rate

    @property
    def is_told(self) -> bool:
        return self.with_rate is not None

    @property
    def is_clear(self) -> bool:
        """Whether chance alone hardly explains it."""
        return self.lowest is not None and self.highest is not None and (self.lowest > 0 or self.highest < 0)


def compare(cells: Sequence[Cell]) -> Comparison:
    matched = [cell for cell in cells if cell.is_matched]
    with_count = sum(cell.with_count for cell in matched)
    without_count = sum(cell.without_count for cell in matched)
    unmatched = sum(cell.with_count for cell in cells) - with_count
    if with_count < FEWEST or without_count < FEWEST:
        return Comparison(list(cells), with_count, without_count, unmatched)
    weights = [cell.with_count / with_count for cell in matched]
    with_rate = sum(cell.with_renewed for cell in matched) / with_count
    without_rate = sum(
        weight * cell.without_renewed / cell.without_count for weight, cell in zip(weights, matched, strict=True)
    )
    variance = sum(
        weight**2
        * (_variance(cell.with_renewed, cell.with_count) + _variance(cell.without_renewed, cell.without_count))
        for weight, cell in zip(weights, matched, strict=True)
    )
    reach, difference = Z * math.sqrt(variance), with_rate - without_rate
    bounds = max(difference - reach, -1.0), min(difference + reach, 1.0)
    return Comparison(list(cells), with_count, without_count, unmatched, with_rate, without_rate, *bounds)


def _variance(renewed: int, count: int) -> float:
    rate = (renewed + 1) / (count + 2)
    return rate * (1 - rate) / (count + 2)
