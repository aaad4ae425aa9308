"""What a likelihood was worth: fit, forecast and measure each split, then all of them together."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.fitted import Model, fit, metrics
from forecasting.engine.fitted.segments import cell_codes
from forecasting.engine.fitted.shock import concentration, forecast_period
from forecasting.evaluation.files import LabelledFile
from forecasting.evaluation.splits import Split

BOOK_SIZES: Final = (50, 200)
BOOKS: Final = 600  # random books of each size, over all splits, unless another number is asked for
LEAST_ROWS: Final = 20  # in a segment of a cohort
SEGMENT_ROWS: Final = 200  # of one, in the books that are drawn from it; the whole segments are told beside them


@dataclass(frozen=True, eq=False)
class Forecast:
    """One split: the model, and its forecast of the rows left out."""

    split: Split
    model: Model
    p: Floats
    is_renewed: Booleans
    amounts: Integers
    segment_codes: Integers
    cohort: int
    seconds: float

    def shock_of(self, places: Integers) -> float:
        """Size of the shock of a book of some of the rows."""
        moved = concentration(self.p[places], self.amounts[places], self.segment_codes[places])
        return self.model.shock_of(self.cohort, moved)


@dataclass(frozen=True, eq=False)
class Books:
    """Totals of parts of a forecast beside what came; `below`, `up_to` as in `metrics.coverage`."""

    below: Floats
    up_to: Floats
    width: float  # mean P90 - P10 over that of independent renewals
    error: float  # median |error of the total|
    floor: float  # what chance alone leaves of it

    @property
    def coverage(self) -> float:
        return metrics.coverage(self.below, self.up_to)


def forecast_split(file: LabelledFile, split: Split) -> Forecast:
    began = time.process_time()
    model = fit(file.rows.take(split.train), gap=split.gap)
    rows = file.rows.take(split.test)
    p = model.likelihood(rows)
    seconds = time.process_time() - began
    return Forecast(
        split=split,
        model=model,
        p=p,
        is_renewed=rows.is_renewed,
        amounts=file.amounts[split.test],
        segment_codes=np.unique(cell_codes(rows, model.segments), return_inverse=True)[1],
        cohort=int(rows.cohorts.max(initial=-1)),
        seconds=seconds,
    )


def measure(file: LabelledFile, forecasts: Sequence[Forecast], books: int = BOOKS) -> dict[str, Any]:
    """Everything that is printed, as plain numbers and texts."""
    p, is_renewed, base = (
        np.concatenate(parts)
        for parts in (
            [forecast.p for forecast in forecasts],
            [forecast.is_renewed for forecast in forecasts],
            [np.full(forecast.p.size, forecast.model.base_rate) for forecast in forecasts],
        )
    )
    rank = metrics.auc(p, is_renewed)
    errors = [_total_error(forecast) for forecast in forecasts]
    return {
        "file": file.name,
        "row_count": int(p.size),
        "renewed_rate": float(is_renewed.mean()),
        "auc": _rounded(rank.value),
        "auc_interval": [_rounded(rank.lowest), _rounded(rank.highest)],
        "brier": _rounded(metrics.brier(p, is_renewed)),
        "base_brier": _rounded(metrics.brier(base, is_renewed)),
        "skill": _rounded(metrics.skill(p, is_renewed, base)),
        "skill_in_hindsight": _rounded(metrics.skill(p, is_renewed, float(is_renewed.mean()))),
        "log_loss": _rounded(metrics.log_loss(p, is_renewed)),
        "ece": _rounded(metrics.calibration_error(p, is_renewed)),
        "total_error": _rounded(float(np.mean(np.abs(errors)))),
        "total_error_floor": _rounded(float(np.mean([_floor(forecast) for forecast in forecasts]))),
        "books": {f"of {size}": _told(random_books(forecasts, size, books)) for size in BOOK_SIZES}
        | {
            "of one segment": _told(segment_books(forecasts, books, SEGMENT_ROWS)),
            "of one whole segment": _told(segment_books(forecasts, books)),
        },
        "cohorts": list(file.cohorts),
        "notes": list(file.notes),
        "splits": [_told_split(forecast, error, file.scale) for forecast, error in zip(forecasts, errors, strict=True)],
    }


def random_books(forecasts: Iterable[Forecast], size: int, count: int) -> Books:
    """At least `count` books of `size` renewals, drawn from each split without repetition."""
    large = [forecast for forecast in forecasts if forecast.p.size >= size]
    chosen = []
    for number, forecast in enumerate(large):
        rng = np.random.default_rng([number, size])
        chosen += [(forecast, rng.choice(forecast.p.size, size, replace=False)) for _ in range(-(-count // len(large)))]
    return _books(chosen)


def whole_books(forecasts: Iterable[Forecast]) -> Books:
    """Each split as one book."""
    return _books([(forecast, np.arange(forecast.p.size)) for forecast in forecasts])


def segment_books(forecasts: Iterable[Forecast], count: int, most: int | None = None) -> Books:
    """Books of one segment in one split, by the segments named or else by the one that the model found.

    With `most`, a larger one is drawn from by chance instead, that many rows at a time.
    """
    found = []
    for forecast in forecasts:
        for segment in np.unique(forecast.segment_codes):
            places = np.flatnonzero(forecast.segment_codes == segment)
            if places.size >= LEAST_ROWS:
                found.append((forecast, places))
    chosen = []
    for number, (forecast, places) in enumerate(found):
        rng, draws = np.random.default_rng([number, len(found)]), -(-count // len(found))
        if most is None or places.size <= most:
            chosen.append((forecast, places))
        else:
            chosen += [(forecast, rng.choice(places, most, replace=False)) for _ in range(draws)]
    return _books(chosen)


def _books(chosen: Sequence[tuple[Forecast, Integers]]) -> Books:
    below, up_to, widths, alone, errors, floors = [], [], [], [], [], []
    for number, (forecast, places) in enumerate(chosen):
        p, amounts, is_renewed = forecast.p[places], forecast.amounts[places], forecast.is_renewed[places]
        period = forecast_period(p, amounts, forecast.shock_of(places))
        independent = forecast_period(p, amounts, 0.0)
        reached = period.reached(float(amounts[is_renewed].sum()))
        below.append(reached[0])
        up_to.append(reached[1])
        widths.append((period.p90 - period.p10) / period.mean if period.mean else 0.0)
        alone.append((independent.p90 - independent.p10) / period.mean if period.mean else 0.0)
        errors.append(abs(metrics.total_error(p, amounts.astype(np.float64), is_renewed)))
        floors.append(metrics.chance_floor(p, amounts.astype(np.float64), draws=200, seed=number))
    if not chosen:
        return Books(np.empty(0), np.empty(0), np.nan, np.nan, np.nan)
    width = float(np.sum(widths) / np.sum(alone)) if np.sum(alone) else 1.0
    return Books(np.array(below), np.array(up_to), width, _median(errors), _median(floors))


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.median(known)) if known else np.nan


def _total_error(forecast: Forecast) -> float:
    return metrics.total_error(forecast.p, forecast.amounts.astype(np.float64), forecast.is_renewed)


def _floor(forecast: Forecast) -> float:
    return metrics.chance_floor(forecast.p, forecast.amounts.astype(np.float64), draws=100)


def _told(books: Books) -> dict[str, Any]:
    return {
        "count": int(books.below.size),
        "coverage": _rounded(books.coverage),
        "width_ratio": _rounded(books.width),
        "median_error": _rounded(books.error),
        "median_floor": _rounded(books.floor),
    }


def _told_split(forecast: Forecast, error: float, scale: float) -> dict[str, Any]:
    model = forecast.model
    came = forecast.amounts[forecast.is_renewed].sum() / scale
    return {
        "name": forecast.split.name,
        "trained_count": model.row_count,
        "test_count": int(forecast.p.size),
        "way": model.way,
        "is_signal": model.is_signal,
        "is_recent": model.is_recent,
        "calibration": model.formula.calibration.kind,
        "level_shift": _rounded(model.formula.level),
        "shock": _rounded(forecast.model.shock_of(forecast.cohort)),
        "segment_shock": _rounded(forecast.model.shock.segment_size),
        "brier": _rounded(metrics.brier(forecast.p, forecast.is_renewed)),
        "forecast_total": float(np.round(forecast.p @ forecast.amounts / scale, 2)),
        "came_total": float(came),
        "total_error": _rounded(error),
        "reason": model.reason,
        "trials": [asdict(trial) for trial in model.trials],
        "seconds": round(forecast.seconds, 2),
    }


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
