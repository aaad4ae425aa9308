"""Mixed columns to matrices, as learned on the training rows alone.

A column becomes some columns of the design matrix (for the logistic) and one of the tree matrix (for boosting). A
number is cut at its 1st and 99th percentile, put on a logarithmic scale where it is skewed, standardised, and bent at
its quartiles where there are rows enough; missing is a column of its own. A category with few values is a column per
value, one with many a single column of shrunken log-odds. What was never seen in training counts as average.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.fitted.rows import MISSING, Categories, Column, Numbers, Rows
from forecasting.engine.fitted.shrinkage import base_log_odds, group_log_odds

MANY_VALUES: Final = 12  # a category with more is one column of shrunken log-odds
LEAST_ROWS: Final = 5  # a value that fewer rows have has no column of its own
BENT_ROWS: Final = 500  # from so many rows a number may bend
BENT_ROWS_BY_COLUMN: Final = 40  # and from so many for each number there is: ten for each column it would become
BENDS: Final = (0.25, 0.5, 0.75)
SKEWED: Final = 2.0
MOST: Final = 1e90  # beyond it the cube of a number, summed, is infinite
CUT: Final = (0.01, 0.99)
FOLDS: Final = 5  # a row's own outcome never enters the log-odds it is trained on


@dataclass(frozen=True, eq=False)
class NumberEncoder:
    """z = (g(clip(x)) - mean) / sd with g(x) = x or sign(x) log(1 + |x|), then max(z - bend, 0) of each bend."""

    name: str
    lowest: float
    highest: float
    is_logarithmic: bool
    mean: float
    deviation: float
    bends: tuple[float, ...]
    has_missing: bool

    @property
    def width(self) -> int:
        return 1 + len(self.bends) + self.has_missing

    def design(self, column: Column) -> Floats:
        x = _numbers(column)
        z = (self._scaled(np.clip(x, self.lowest, self.highest)) - self.mean) / self.deviation
        is_missing = np.isnan(z)
        z[is_missing] = 0.0
        parts = [z, *(np.where(is_missing, 0.0, np.maximum(z - bend, 0.0)) for bend in self.bends)]
        if self.has_missing:
            parts.append(is_missing.astype(np.float64))
        return np.stack(parts, axis=1)

    def linear(self, column: Column, coefficients: Floats) -> Floats:
        """design @ coefficients, without the design: for a million rows that is five times the work."""
        x = _values(column)
        is_missing = ~np.isfinite(x)
        z = self._scaled(np.clip(x, self.lowest, self.highest))
        z = (z - self.mean) / self.deviation
        found: Floats = coefficients[0] * z
        for bend, coefficient in zip(self.bends, coefficients[1:], strict=False):
            part = z - bend
            np.maximum(part, 0.0, out=part)
            part *= coefficient
            found += part
        found[is_missing] = coefficients[-1] if self.has_missing else 0.0
        return found

    def tree(self, column: Column) -> Floats:
        return _numbers(column)

    def _scaled(self, x: Floats) -> Floats:
        return np.sign(x) * np.log1p(np.abs(x)) if self.is_logarithmic else x


@dataclass(frozen=True, eq=False)
class CategoryEncoder:
    """`log_odds` of each known name above the base; the last entry is for missing or unknown ones.

    `is_narrow`: few values, a design column each (those of `names`, then one for missing where it was seen).
    """

    name: str
    names: tuple[str, ...]
    log_odds: Floats
    is_narrow: bool

    @property
    def width(self) -> int:
        return len(self.names) + 1 if self.is_narrow else 1

    def design(self, column: Column) -> Floats:
        places = _categories(column).coded_by(self.names)
        if not self.is_narrow:
            return self.log_odds[places][:, None]
        columns: Floats = (places[:, None] == np.arange(len(self.names) + 1)).astype(np.float64)
        return columns

    def linear(self, column: Column, coefficients: Floats) -> Floats:
        """design @ coefficients, without the design."""
        values = coefficients if self.is_narrow else self.log_odds * coefficients[0]
        return _categories(column).valued_by(self.names, values)

    def tree(self, column: Column) -> Floats:
        return _categories(column).valued_by(self.names, self.log_odds)


Encoder = NumberEncoder | CategoryEncoder


@dataclass(frozen=True, eq=False)
class Encoded:
    """design float64[n, d], tree float64[n, c]: column i of the tree matrix comes from `Encoding.names[i]`."""

    design: Floats
    tree: Floats


@dataclass(frozen=True, eq=False)
class Encoding:
    encoders: tuple[Encoder, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(encoder.name for encoder in self.encoders)

    @property
    def sources(self) -> Integers:
        """int64[d]: the encoder that each design column comes from."""
        return np.repeat(np.arange(len(self.encoders)), [encoder.width for encoder in self.encoders])

    def design(self, rows: Rows) -> Floats:
        return _stacked([encoder.design(_column_of(rows, encoder)) for encoder in self.encoders], len(rows))

    def linear(self, rows: Rows, coefficients: Floats) -> Floats:
        """float64[n]: design(rows) @ coefficients. Each row by itself: few or many at once give the same."""
        found: Floats = np.zeros(len(rows))
        first = 0
        for encoder in self.encoders:
            found += encoder.linear(_column_of(rows, encoder), coefficients[first : first + encoder.width])
            first += encoder.width
        return found

    def tree(self, rows: Rows) -> Floats:
        return _stacked([encoder.tree(_column_of(rows, encoder))[:, None] for encoder in self.encoders], len(rows))

    def to_dict(self) -> list[dict[str, Any]]:
        return [_stored(encoder) for encoder in self.encoders]

    @classmethod
    def from_dict(cls, stored: Sequence[dict[str, Any]]) -> "Encoding":
        return cls(tuple(_restored(dict(entry)) for entry in stored))


def learn_encoding(rows: Rows, weights: Floats) -> tuple[Encoding, Encoded]:
    """(encoding, the training rows encoded). Columns that say one thing throughout are left out.

    In the returned matrices the log-odds of a category with many values come from the other rows (5 folds).
    """
    encoders: list[Encoder] = []
    numbers = sum(isinstance(column, Numbers) for column in rows.columns.values())
    may_bend = len(rows) >= BENT_ROWS_BY_COLUMN * numbers
    own: dict[str, Floats] = {}
    for name in sorted(rows.columns):
        column = rows.columns[name]
        encoder = (
            _learn_number(name, column, may_bend=may_bend)
            if isinstance(column, Numbers)
            else _learn_category(name, column, rows, weights)
        )
        if encoder is None:
            continue
        encoders.append(encoder)
        if isinstance(encoder, CategoryEncoder) and not encoder.is_narrow:
            own[name] = _log_odds_of_others(encoder, _categories(column), rows, weights)
    return Encoding(tuple(encoders)), _encoded(rows, encoders, own)


def _encoded(rows: Rows, encoders: Sequence[Encoder], own: dict[str, Floats]) -> Encoded:
    design, tree = [], []
    for encoder in encoders:
        column = _column_of(rows, encoder)
        replaced = own.get(encoder.name)
        design.append(encoder.design(column) if replaced is None else replaced[:, None])
        tree.append((encoder.tree(column) if replaced is None else replaced)[:, None])
    return Encoded(_stacked(design, len(rows)), _stacked(tree, len(rows)))


def _learn_number(name: str, column: Numbers, *, may_bend: bool) -> NumberEncoder | None:
    x = _numbers(column)
    known = x[~np.isnan(x)]
    if known.size == 0:
        return None
    lowest, highest = (float(value) for value in np.quantile(known, CUT))
    if lowest == highest:  # a rare flag: its 1 % tails are all there is
        lowest, highest = float(known.min()), float(known.max())
    has_missing = known.size < x.size
    if lowest == highest and not has_missing:
        return None
    cut = np.clip(known, lowest, highest)
    is_logarithmic = _skewness(cut) > SKEWED and np.unique(cut).size > 2
    scaled = np.sign(cut) * np.log1p(np.abs(cut)) if is_logarithmic else cut
    mean, deviation = float(scaled.mean()), float(scaled.std()) or 1.0
    z = (scaled - mean) / deviation
    bends: tuple[float, ...] = ()
    if may_bend and known.size >= BENT_ROWS:
        candidates = np.unique(np.quantile(z, BENDS))
        bends = tuple(float(bend) for bend in candidates if z.min() < bend < z.max())
    return NumberEncoder(name, lowest, highest, bool(is_logarithmic), mean, deviation, bends, has_missing)


def _learn_category(name: str, column: Categories, rows: Rows, weights: Floats) -> CategoryEncoder | None:
    seen = np.bincount(column.codes[column.codes >= 0], minlength=len(column.names))
    kept = sorted(column.names[place] for place in np.flatnonzero(seen >= LEAST_ROWS))
    if np.count_nonzero(seen) + bool((column.codes < 0).any()) < 2 or not kept:
        return None
    names = tuple(kept)
    return CategoryEncoder(
        name,
        names,
        _log_odds(column.coded_by(names), rows.is_renewed.astype(np.float64), weights, len(names) + 1),
        is_narrow=len(names) <= MANY_VALUES,
    )


def _log_odds(places: Integers, renewed: Floats, weights: Floats, size: int) -> Floats:
    """Shrunken log-odds of each place less those of all."""
    n = np.bincount(places, weights, size).astype(np.float64)
    won = np.bincount(places, weights * renewed, size).astype(np.float64)
    base = base_log_odds(float(won.sum()), float(n.sum()))
    return group_log_odds(won, n, base) - base


def _log_odds_of_others(encoder: CategoryEncoder, column: Categories, rows: Rows, weights: Floats) -> Floats:
    places, renewed = column.coded_by(encoder.names), rows.is_renewed.astype(np.float64)
    fold = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    found = np.empty(len(rows))
    for part in range(FOLDS):
        is_other = fold != part
        found[~is_other] = _log_odds(places[is_other], renewed[is_other], weights[is_other], len(encoder.names) + 1)[
            places[~is_other]
        ]
    return found


def _skewness(x: Floats) -> float:
    deviation = float(x.std())
    return abs(float(((x - x.mean()) ** 3).mean())) / deviation**3 if deviation > 0 else 0.0


def _column_of(rows: Rows, encoder: Encoder) -> Column:
    """The column it was learned on; all missing where there is no such column any more."""
    if encoder.name in rows.columns:
        return rows.columns[encoder.name]
    if isinstance(encoder, NumberEncoder):
        return Numbers(np.full(len(rows), np.nan))
    return Categories(np.full(len(rows), MISSING), ())


def _values(column: Column) -> Floats:
    if not isinstance(column, Numbers):
        raise TypeError("a column of numbers was expected, categories came")
    return column.values.astype(np.float64, copy=False)


def _numbers(column: Column) -> Floats:
    x = _values(column).copy()
    x[np.isinf(x)] = np.nan
    return np.clip(x, -MOST, MOST)


def _categories(column: Column) -> Categories:
    if not isinstance(column, Categories):
        raise TypeError("a column of categories was expected, numbers came")
    return column


def _stacked(parts: list[Floats], n: int) -> Floats:
    return np.concatenate(parts, axis=1) if parts else np.empty((n, 0))


def _stored(encoder: Encoder) -> dict[str, Any]:
    stored = {field: getattr(encoder, field) for field in encoder.__dataclass_fields__}
    if isinstance(encoder, CategoryEncoder):
        stored["log_odds"] = encoder.log_odds.tolist()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in stored.items()}


def _restored(stored: dict[str, Any]) -> Encoder:
    if "log_odds" not in stored:
        return NumberEncoder(**stored | {"bends": tuple(stored["bends"])})
    log_odds = np.asarray(stored["log_odds"], dtype=np.float64)
    return CategoryEncoder(**stored | {"names": tuple(stored["names"]), "log_odds": log_odds})
