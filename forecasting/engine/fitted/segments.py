"""Renewal rates of segments, each drawn to the wider one it lies in: the simple answer that a model has to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.fitted.rows import MISSING, Categories, Rows
from forecasting.engine.fitted.shrinkage import base_log_odds, group_log_odds


@dataclass(frozen=True, eq=False)
class SegmentRates:
    """`base` plus a step for each segment column: the cell of the first k columns against that of the first k - 1.

    names   the known names of each column
    keys    by column: int64 sorted, the cells that were seen
    steps   by column: float64, log-odds of each cell less those of its parent
    """

    base: float
    columns: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    keys: tuple[Integers, ...]
    steps: tuple[Floats, ...]

    def contributions(self, rows: Rows) -> dict[str, Floats]:
        """Step float64[n] of each segment column; 0 for a cell that was never seen."""
        found: dict[str, Floats] = {}
        for column, key, keys, steps in zip(self.columns, self._cells(rows), self.keys, self.steps, strict=True):
            place = np.minimum(np.searchsorted(keys, key), keys.size - 1)
            found[column] = np.where(keys[place] == key, steps[place], 0.0)
        return found

    def log_odds(self, rows: Rows) -> Floats:
        total = np.full(len(rows), self.base)
        for step in self.contributions(rows).values():
            total += step
        return total

    def _cells(self, rows: Rows) -> list[Integers]:
        return _cells([_categories(rows, column) for column in self.columns], self.names, len(rows))

    def to_dict(self) -> dict[str, Any]:
        return {
            "base": self.base,
            "columns": list(self.columns),
            "names": [list(names) for names in self.names],
            "keys": [keys.tolist() for keys in self.keys],
            "steps": [steps.tolist() for steps in self.steps],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "SegmentRates":
        return cls(
            stored["base"],
            tuple(stored["columns"]),
            tuple(tuple(names) for names in stored["names"]),
            tuple(np.asarray(keys, dtype=np.int64) for keys in stored["keys"]),
            tuple(np.asarray(steps, dtype=np.float64) for steps in stored["steps"]),
        )


def learn_rates(rows: Rows, weights: Floats, columns: tuple[str, ...] | None = None) -> SegmentRates:
    """Rates by the segments of the rows (or by `columns`): the whole, then the first column, the first two, and so on.

    Each cell is drawn to its parent by `shrinkage.strength`; the whole to the stated prior.
    """
    columns = rows.segments if columns is None else columns
    renewed = weights * rows.is_renewed
    base = base_log_odds(float(renewed.sum()), float(weights.sum()))
    categories = [_categories(rows, column) for column in columns]
    names = tuple(tuple(sorted(category.names)) for category in categories)
    parent: Floats = np.full(len(rows), base)
    keys, steps = [], []
    for cell in _cells(categories, names, len(rows)):
        known, first, place = np.unique(cell, return_index=True, return_inverse=True)
        n, won = (np.bincount(place, each).astype(np.float64) for each in (weights, renewed))
        log_odds = group_log_odds(won, n, parent[first])
        keys.append(known)
        steps.append(log_odds - parent[first])
        parent = log_odds[place]
    return SegmentRates(base, columns, names, tuple(keys), tuple(steps))


def cell_codes(rows: Rows, columns: tuple[str, ...] | None = None) -> Integers:
    """int64[n], one number for what a row says in all the segment columns (or in `columns`); 0 where there are none."""
    categories = [_categories(rows, column) for column in (rows.segments if columns is None else columns)]
    cells = _cells(categories, [category.names for category in categories], len(rows))
    return cells[-1] if cells else np.zeros(len(rows), dtype=np.int64)


def _categories(rows: Rows, column: str) -> Categories:
    found = rows.columns.get(column)
    return found if isinstance(found, Categories) else Categories(np.full(len(rows), MISSING), ())


def _cells(categories: Sequence[Categories], names: Sequence[tuple[str, ...]], n: int) -> list[Integers]:
    """By column: one number for the names of the first k columns. Unknown is a name of its own."""
    key: Integers = np.zeros(n, dtype=np.int64)
    cells: list[Integers] = []
    for category, known in zip(categories, names, strict=True):
        key = key * (len(known) + 1) + category.coded_by(known)
        cells.append(key)
    return cells
