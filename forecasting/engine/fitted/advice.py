"""Which columns matter in a whole book, and which changes would move one renewal most."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine.arrays import Floats
from forecasting.engine.fitted.metrics import log_losses
from forecasting.engine.fitted.model import Model
from forecasting.engine.fitted.rows import Column, Numbers, Rows

SHUFFLES: Final = 5
LEVELS: Final = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Importance:
    """How much worse the log loss of a renewal gets, on average, without what a column says; with its 95 % interval."""

    column: str
    loss: float
    lowest: float
    highest: float

    @property
    def is_certain(self) -> bool:
        return self.lowest > 0


@dataclass(frozen=True)
class Change:
    """Log-odds that one renewal would gain if `column` were `value` (a number or a name), all else as it is."""

    column: str
    value: float | str
    gain: float
    likelihood: float


def measure_importance(model: Model, rows: Rows) -> list[Importance]:
    """By column, the greatest first: the loss when its values are dealt to other rows (5 times, fixed seed).

    `rows` are best ones that the model was not fitted on. The interval comes from the spread over the rows.
    """
    if not len(rows):
        return []
    rng, whole = np.random.default_rng(0), _losses(model, rows, rows)
    found = []
    for name in sorted(rows.columns):
        worse: Floats = np.zeros(len(rows))
        for _ in range(SHUFFLES):
            dealt = rows.columns[name].take(rng.permutation(len(rows)))
            worse += (_losses(model, _replaced(rows, name, dealt), rows) - whole) / SHUFFLES
        mean, reach = float(worse.mean()), 1.96 * float(worse.std()) / np.sqrt(len(rows))
        found.append(Importance(name, mean, mean - reach, mean + reach))
    return sorted(found, key=lambda one: (-one.loss, one.column))


def best_changes(model: Model, rows: Rows, row: int, columns: Mapping[str, int], count: int = 3) -> list[Change]:
    """The `count` changes of single `columns` that would raise the likelihood of one of the rows most.

    A number may become any of the rows' 10th, 25th, 50th, 75th and 90th percentiles, a category any name among them.
    Only what a person can change belongs in `columns`: a plan, yes; an age, no. Each with the sense in which a number
    of it may be moved: 1 up, -1 down, 0 either. What goes with renewing need not bring it about: renewals that are at
    risk are called more often, and nobody is advised to call less.
    """
    now = float(model.formula.log_odds(rows.take(np.array([row])))[0])
    found = []
    for name, sense in columns.items():
        column = rows.columns[name]
        options, values = _options(column)
        if not values:
            continue
        many = rows.take(np.full(len(values), row))
        log_odds = model.formula.log_odds(_replaced(many, name, options))
        if isinstance(column, Numbers) and isinstance(options, Numbers):
            log_odds[(options.values - column.values[row]) * sense < 0] = -np.inf
        best = int(np.argmax(log_odds))
        gain = float(log_odds[best]) - now
        if gain > 0:
            found.append(Change(name, values[best], gain, float(1 / (1 + np.exp(-log_odds[best])))))
    return sorted(found, key=lambda one: (-one.gain, one.column))[:count]


def _losses(model: Model, asked: Rows, rows: Rows) -> Floats:
    return log_losses(model.likelihood(asked), rows.is_renewed)


def _replaced(rows: Rows, name: str, column: Column) -> Rows:
    return Rows(
        {**rows.columns, name: column}, rows.segments, rows.cohorts, rows.is_renewed, rows.accounts, rows.scores
    )


def _options(column: Column) -> tuple[Column, list[float] | list[str]]:
    if isinstance(column, Numbers):
        known = column.values[~np.isnan(column.values)]
        if not known.size:
            return column, []
        values = np.unique(np.quantile(known, LEVELS, method="nearest"))
        return Numbers(values), [float(value) for value in values]
    present = np.unique(column.codes[column.codes >= 0])
    return column.__class__(present, column.names), [column.names[code] for code in present]
