"""What a likelihood is fitted on and asked about: columns of numbers and of categories, one row per renewal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers

MISSING: Final = -1


@dataclass(frozen=True, eq=False)
class Numbers:
    """float64[n]; NaN where nothing is known. A flag is 0 or 1."""

    values: Floats

    def take(self, places: Integers) -> "Numbers":
        return Numbers(self.values[places])

    def __len__(self) -> int:
        return int(self.values.size)


@dataclass(frozen=True, eq=False)
class Categories:
    """codes int[n] into `names`, `MISSING` where nothing is known. Models remember names, never codes."""

    codes: Integers
    names: tuple[str, ...]

    def take(self, places: Integers) -> "Categories":
        return Categories(self.codes[places], self.names)

    def __len__(self) -> int:
        return int(self.codes.size)

    def coded_by(self, known: tuple[str, ...]) -> Integers:
        """int64[n]: place of each row's name among `known`, len(known) where it is missing or not among them."""
        place_of = {name: place for place, name in enumerate(known)}
        places = [place_of.get(name, len(known)) for name in self.names]
        return np.array([*places, len(known)], dtype=np.int64)[self.codes]

    def valued_by(self, known: tuple[str, ...], values: Floats) -> Floats:
        """float64[n]: `values[coded_by(known)]`, looked up once."""
        return values[Categories(np.arange(-1, len(self.names)), self.names).coded_by(known)][self.codes + 1]


Column: TypeAlias = Numbers | Categories


@dataclass(frozen=True, eq=False)
class Rows:
    """n renewals as they stood at one horizon before their decision.

    columns     what was known of each, by name
    segments    names of the `Categories` columns whose renewal rates are the simple answer, the widest first
    cohorts     int64[n], the period each was due in as a running number: greater is later
    is_renewed  bool[n], what came; all False where it is not known yet
    accounts    int64[n], rows of one account are not independent of each other; empty = each row stands alone
    scores      float64[n], hand-weighted risk score 0..100 (NaN where missing); empty = there is none
    """

    columns: Mapping[str, Column]
    segments: tuple[str, ...]
    cohorts: Integers
    is_renewed: Booleans
    accounts: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    scores: Floats = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        n = self.cohorts.size
        sizes = {name: len(column) for name, column in self.columns.items()} | {"is_renewed": self.is_renewed.size}
        sizes |= {name: getattr(self, name).size for name in ("accounts", "scores") if getattr(self, name).size}
        for name, size in sizes.items():
            if size != n:
                raise ValueError(f"{name} has {size} rows, cohorts has {n}")
        for name in self.segments:
            if not isinstance(self.columns.get(name), Categories):
                raise ValueError(f"segment {name} is not a column of categories")

    def __len__(self) -> int:
        return int(self.cohorts.size)

    def take(self, places: Integers) -> "Rows":
        return Rows(
            {name: column.take(places) for name, column in self.columns.items()},
            self.segments,
            self.cohorts[places],
            self.is_renewed[places],
            self.accounts[places] if self.accounts.size else self.accounts,
            self.scores[places] if self.scores.size else self.scores,
        )

    def order(self) -> Integers:
        """int64[n]: places in an order that depends on what rows say alone, so that a fit never depends on theirs."""
        keys: list[Integers | Floats | Booleans] = [self.is_renewed, self.scores, self.accounts]
        for column in self.columns.values():
            if isinstance(column, Numbers):
                keys.append(column.values)
            else:
                names = tuple(sorted(column.names))
                keys.append(column.coded_by(names))
        places: Integers = np.lexsort([*(key for key in keys if key.size), self.cohorts])
        return places
