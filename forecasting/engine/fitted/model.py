"""The fitted likelihood of a book: learn it, ask it, explain it, keep it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.fitted.candidates import LOG_ODDS_BOUNDS, Formula
from forecasting.engine.fitted.choice import Choice, Trial, choose, forecast_apart
from forecasting.engine.fitted.features import MANY_VALUES
from forecasting.engine.fitted.level import LEVEL_SPREAD, learn_level, miss
from forecasting.engine.fitted.rows import Categories, Rows
from forecasting.engine.fitted.segments import cell_codes
from forecasting.engine.fitted.shock import Shock, learn_segment_size, learn_shock, size_of_level, unknown_rate
from forecasting.engine.fitted.shrinkage import STRENGTH_BOUNDS, base_log_odds, strength
from forecasting.engine.log_odds import expit

VERSION: Final = 1
SMALL_HISTORY: Final = 200
LEAST_CELL_ROWS: Final = 20


@dataclass(frozen=True, eq=False)
class Explanation:
    """Log-odds by column, float64[n] each: `base` + their sum = log-odds of the likelihood."""

    base: float
    contributions: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted likelihood; plain numbers and texts throughout (`to_dict`).

    way           what was chosen (`choice`), in a word and in words; `is_signal`: more than a rate
    reason        why, in words
    trials        every way that was tried
    row_count     decided renewals it rests on, `renewed_count` of them renewed
    base_rate     their rate, drawn to the stated prior
    newest_cohort, newest_information   the newest of them, and the sum of p (1 - p) over its rows
    segments      columns whose cells have a shock of their own besides the shared one
    """

    formula: Formula
    shock: Shock
    way: str
    words: str
    reason: str
    trials: tuple[Trial, ...]
    is_signal: bool
    is_recent: bool
    is_time_ordered: bool
    row_count: int
    renewed_count: int
    base_rate: float
    newest_cohort: int
    newest_information: float
    segments: tuple[str, ...] = ()

    @property
    def is_small(self) -> bool:
        """So few decided renewals that the likelihoods are wide of the mark by themselves: to be shown beside them."""
        return self.row_count < SMALL_HISTORY

    def shock_of(self, cohort: int, concentration: float = 0.0) -> float:
        """Size of the shock of a period: smaller where part of it is decided, and so has told of its shock.

        `concentration` of a book in one segment (`shock.concentration`): so much of the segments' own shock remains.
        """
        size = np.hypot(self.shock.size, self.shock.unknown)
        is_known = self.row_count > 0 and cohort == self.newest_cohort
        shared = size / np.sqrt(1 + size**2 * self.newest_information) if is_known else size
        return float(np.sqrt(shared**2 + concentration * self.shock.segment_size**2))

    def likelihood(self, rows: Rows) -> Floats:
        """Calibrated probability float64[n] that each renewal comes within tolerance. Only columns are read."""
        found: Floats = expit(self.formula.log_odds(rows))
        return found

    def explain(self, rows: Rows) -> Explanation:
        """Why each likelihood is not that of the average renewal, in log-odds that add up exactly.

        Rates and logistic: each column's term less its mean. Boosting: each test on a tree's path moves the mean of the
        training rows that reach it; the sum of these moves by column (additive and exact for the path; of two columns
        that say the same, the one that was asked gets the credit). Calibration bends the sum, so each contribution
        keeps its share of it.
        """
        raw_base, parts = self.formula.raw_contributions(rows)
        raw: Floats = np.sum([*parts.values()], axis=0) if parts else np.zeros(len(rows))
        base = float(self._final(np.array([raw_base]))[0])
        moved = self._final(raw_base + raw) - base
        is_bent = np.abs(raw) > 1e-12
        share = np.where(is_bent, moved / np.where(is_bent, raw, 1.0), 0.0)
        return Explanation(base, {name: values * share for name, values in parts.items()})

    def _final(self, raw: Floats) -> Floats:
        bent: Floats = np.clip(self.formula.calibration.apply(raw) + self.formula.level, *LOG_ODDS_BOUNDS)
        return bent

    def to_dict(self) -> dict[str, Any]:
        """Numbers, texts, lists and None alone, for JSON. `from_dict` gives the same likelihoods, bit by bit."""
        kept = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("formula", "shock", "trials")
        }
        return kept | {
            "segments": list(self.segments),
            "version": VERSION,
            "formula": self.formula.to_dict(),
            "shock": asdict(self.shock),
            "trials": [asdict(trial) for trial in self.trials],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Model":
        """Raises ValueError for a model of another version."""
        if stored["version"] != VERSION:
            raise ValueError(f"a fitted likelihood of version {stored['version']}; this program reads {VERSION}")
        nested = {
            "formula": Formula.from_dict(stored["formula"]),
            "shock": Shock.from_dict(stored["shock"]),
            "trials": tuple(Trial(**trial) for trial in stored["trials"]),
        }
        kept = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored and name not in nested}
        return cls(**kept | nested | {"segments": tuple(stored.get("segments", ()))})


def fit(rows: Rows, *, gap: int = 0) -> Model:
    """Fit on decided renewals alone; their order does not matter, and the same rows give the same model.

    gap     cohorts between the newest whose outcomes are known and the one to be forecast
    Where no segments are named, the category whose renewal rates differ most beyond chance serves as one.
    """
    return fit_apart(rows, gap=gap)[0]


def fit_apart(rows: Rows, *, gap: int = 0) -> tuple[Model, Floats]:
    """(`fit`, the log-odds of each row, without a level, that other cohorts than its own tell: `forecast_apart`)."""
    from threadpoolctl import threadpool_limits

    rows = _with_segment(rows)
    order = rows.order()
    rows = rows.take(order)
    # Matrices this narrow are slower on many threads than on one, and sums would come in another order.
    with threadpool_limits(limits=1):
        choice = choose(rows, gap=gap)
        ordered = forecast_apart(rows, choice)
    apart = np.empty(len(rows))
    apart[order] = ordered
    return _model(rows, choice, ordered, gap), apart


def _model(rows: Rows, choice: Choice, apart: Floats, gap: int) -> Model:
    won = int(rows.is_renewed.sum())
    newest = rows.take(np.flatnonzero(rows.cohorts == rows.cohorts.max(initial=0)))
    p = expit(choice.formula.log_odds(newest))
    return Model(
        formula=choice.formula,
        shock=_shock(rows, choice, apart, gap),
        way=choice.candidate.name,
        words=choice.candidate.words,
        reason=choice.reason,
        trials=choice.trials,
        is_signal=choice.is_signal,
        is_recent=choice.is_recent,
        is_time_ordered=choice.is_time_ordered,
        row_count=len(rows),
        renewed_count=won,
        base_rate=float(expit(base_log_odds(won, len(rows)))),
        newest_cohort=int(rows.cohorts.max(initial=0)),
        newest_information=float((p * (1 - p)).sum()),
        segments=rows.segments,
    )


def _with_segment(rows: Rows) -> Rows:
    if rows.segments or not len(rows):
        return rows
    base = float(expit(base_log_odds(float(rows.is_renewed.sum()), len(rows))))
    best: tuple[str, ...] = ()
    least = STRENGTH_BOUNDS[1]
    for name, column in sorted(rows.columns.items()):
        if isinstance(column, Categories) and 2 <= len(column.names) <= MANY_VALUES:
            codes, size = column.coded_by(column.names), len(column.names) + 1
            n, renewed = np.bincount(codes, minlength=size), np.bincount(codes, rows.is_renewed, size)
            pull = strength(renewed.astype(np.float64), n.astype(np.float64), base)
            if pull < least:
                best, least = (name,), pull
    return replace(rows, segments=best)


def _shock(rows: Rows, choice: Choice, apart: Floats, gap: int) -> Shock:
    """What is not known of the level of the cohort to come; with a single cohort, what folds by chance missed by.

    Cohorts miss by the forecasts of what was not learned on them (`apart`). What the rate of all may be off by is told
    beside it, and so no part of it. The shock of the segments is what those of each period in the trials missed by
    beyond the period itself.
    """
    segment, is_renewed = cell_codes(rows)[choice.tested], rows.is_renewed[choice.tested]
    misses, of_segments = [], []
    for period in np.unique(choice.periods):
        own = np.flatnonzero(choice.periods == period)
        shift, error = miss(choice.unseen[own], is_renewed[own])
        misses.append((shift, error))
        for places in _cells(own, segment):
            beyond, own_error = miss(choice.unseen[places] + shift, is_renewed[places])
            of_segments.append((beyond, own_error, min((error / own_error) ** 2, 1.0)))
    p = expit(apart)
    information = float((p * (1 - p)).sum())
    deviation = learn_level(apart, rows.is_renewed, rows.cohorts, gap + 1).deviation
    if choice.formula.deviation is None or deviation is None:
        shock = learn_shock([shift for shift, _ in misses], [error for _, error in misses])
    else:
        count = np.unique(rows.cohorts).size
        within = 1 / (information + LEVEL_SPREAD**-2)
        shock = Shock(size_of_level(float(np.sqrt(max(deviation**2 - within, 0.0))), count), count)
    shock = replace(shock, unknown=unknown_rate(information))
    return replace(shock, segment_size=learn_segment_size(*np.array(of_segments).reshape(-1, 3).T))


def _cells(places: Integers, segment: Integers) -> list[Integers]:
    """The places of each segment that has rows enough to say anything."""
    ordered = places[np.argsort(segment[places], kind="stable")]
    cells = np.split(ordered, np.flatnonzero(np.diff(segment[ordered])) + 1)
    return [cell for cell in cells if cell.size >= LEAST_CELL_ROWS]
