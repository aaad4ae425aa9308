"""A fit from the book to what is stored of it; nothing is written here."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
from django.db import connection

from forecasting.engine import fitted
from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.fitted import Model, Rows, metrics
from forecasting.engine.fitted.advice import measure_importance
from forecasting.engine.fitted.horizons import with_horizons
from forecasting.frames import MOST_ROWS, Rules, Training, load_rules, training_rows
from forecasting.frames.likelihood_columns import Inputs
from forecasting.frames.training import first_days_of_quarters

# A fit is judged on the newest cohorts, which a second one was not learned on: this share of the rows at least, and so
# many rows. With fewer than both together leave, nothing is measured.
JUDGED_SHARE: Final = 0.15
LEAST_JUDGED: Final = 50
LEAST_LEARNED: Final = 100
MOST_LEARNED: Final = 30_000  # by that second one, by chance
MOST_SHUFFLED: Final = 5_000


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model with the columns that it asks, and what it was learned from."""

    model: Model
    inputs: Inputs
    training: Training
    cut_off: dt.date

    def content(self) -> dict[str, Any]:
        """For LikelihoodModel.content."""
        return {
            "model": self.model.to_dict(),
            "inputs": self.inputs.to_dict(),
            "survivors": self.training.survivors.to_dict(),
        }


def fit_as_of(rules: Rules | None = None, *, cut_off: dt.date, horizon_days: int, most_rows: int = MOST_ROWS) -> Fitted:
    """What would have been fitted on the day `cut_off`, from what was known on it. Reads only."""
    with connection.cursor() as cursor:
        training = training_rows(
            cursor, rules or load_rules(None), cut_off=cut_off, horizon_days=horizon_days, most_rows=most_rows
        )
    model = _with_horizons(*fitted.fit_apart(training.rows, gap=training.gap), training)
    inputs = replace(training.inputs, levels=_levels(training.rows))
    return Fitted(model, inputs.only(asked_columns(model)), training, cut_off)


def _with_horizons(model: Model, apart: Floats, training: Training) -> Model:
    """The shock as well for what is still open near a quarter's end, by forecasts that had not seen its quarter."""
    rows = training.rows
    shock = with_horizons(
        model.shock,
        log_odds=apart,
        level=model.formula.level,
        is_renewed=rows.is_renewed,
        periods=rows.cohorts,
        ends=first_days_of_quarters(rows.cohorts + 1) - 1,
        waits=training.waits,
        survivors=training.survivors,
        ahead=training.gap + 1,
    )
    return replace(model, shock=shock)


def _levels(rows: Rows) -> dict[str, list[float] | list[str]]:
    """By column: the deciles of its numbers, or the names that its rows have."""
    found: dict[str, list[float] | list[str]] = {}
    for name, column in rows.columns.items():
        if isinstance(column, fitted.Categories):
            found[name] = [column.names[code] for code in np.unique(column.codes[column.codes >= 0]).tolist()]
        else:
            known = column.values[~np.isnan(column.values)]
            deciles = np.quantile(known, np.linspace(0.1, 0.9, 9), method="nearest") if known.size else known
            found[name] = [float(value) for value in deciles]
    return found


def with_likelihood(rules: Rules, found: Fitted) -> Rules:
    """Rules by which `frames.score_book` scores open renewals with this model; read the book with them as well."""
    return replace(rules, inputs=found.inputs, likelihood=found.model, survivors=found.training.survivors)


def asked_columns(model: Model) -> set[str]:
    """The columns that the model's likelihoods depend on."""
    formula = model.formula
    asked = set(formula.rates.columns) if formula.rates_share else set()
    if formula.encoding is not None and (formula.logistic_share or formula.trees_share):
        asked |= set(formula.encoding.names)
    return asked


def measure(found: Fitted) -> dict[str, Any]:
    """What the page tells of a fit, as plain numbers: what was tried, and how it does on what it had not seen."""
    model, rows = found.model, found.training.rows
    told: dict[str, Any] = {
        "trials": [asdict(trial) for trial in model.trials],
        "is_recent": model.is_recent,
        "is_time_ordered": model.is_time_ordered,
        "calibration": model.formula.calibration.kind,
        "level": model.formula.level,
        "shock": model.shock.size,
        "base_rate": model.base_rate,
        "known_counts": found.training.known_counts,
        "columns": sorted(rows.columns),
        "asked": sorted(asked_columns(model)),
    }
    return told | {"unseen": _judged(rows)}


def _judged(rows: Rows) -> dict[str, Any] | None:
    """The same way of fitting, learned on the older cohorts and asked about the newest."""
    places = _newest(rows.cohorts)
    if places is None:
        return None
    older = _some(np.setdiff1d(np.arange(len(rows)), places), MOST_LEARNED)
    model, unseen = fitted.fit(rows.take(older)), rows.take(places)
    p, base = model.likelihood(unseen), model.base_rate
    bins = metrics.calibration_bins(p, unseen.is_renewed)
    rank = metrics.auc(p, unseen.is_renewed)
    return {
        "way": model.way,
        "learned_count": int(older.size),
        "row_count": int(places.size),
        "cohort_count": int(np.unique(unseen.cohorts).size),
        "renewed_rate": float(unseen.is_renewed.mean()),
        "forecast_rate": float(p.mean()),
        "auc": _known(rank.value),
        "auc_lowest": _known(rank.lowest),
        "auc_highest": _known(rank.highest),
        "brier": _known(metrics.brier(p, unseen.is_renewed)),
        "base_brier": _known(metrics.brier(np.full(p.size, base), unseen.is_renewed)),
        "skill": _known(metrics.skill(p, unseen.is_renewed, base)),
        "calibration_error": _known(bins.error),
        "bins": [
            {"count": count, "forecast": forecast, "came": came}
            for count, forecast, came in zip(
                bins.count.tolist(), bins.forecast.tolist(), bins.came.tolist(), strict=True
            )
        ],
        "importance": _importance(model, unseen),
    }


def _newest(cohorts: Integers) -> Integers | None:
    """Places of the newest cohorts that are enough to judge by; None where they leave too few to learn from."""
    needed = max(LEAST_JUDGED, JUDGED_SHARE * cohorts.size)
    for cohort in np.unique(cohorts)[::-1]:
        places = np.flatnonzero(cohorts >= cohort)
        if places.size >= needed:
            return places if cohorts.size - places.size >= LEAST_LEARNED else None
    return None


def _some(places: Integers, most: int) -> Integers:
    if places.size <= most:
        return places
    return np.sort(np.random.default_rng(5).choice(places, most, replace=False))


def _importance(model: Model, rows: Rows) -> list[dict[str, Any]]:
    asked = asked_columns(model)
    if not asked:
        return []
    rows = rows.take(_some(np.arange(len(rows)), MOST_SHUFFLED))
    few = replace(rows, columns={name: column for name, column in rows.columns.items() if name in asked})
    few = replace(few, segments=())
    return [asdict(one) for one in measure_importance(model, few)]


def _known(value: float | Floats) -> float | None:
    return None if np.isnan(value) else float(value)
