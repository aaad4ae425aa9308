"""What the likelihood in use says of closed renewals as they stood before their decision: what reps are measured by."""

from __future__ import annotations

import numpy as np

from accounts.models import AttributeDefinition
from forecasting.engine import likelihood, risk, timing
from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.fitted import Categories, Column, Numbers, Rows
from forecasting.engine.log_odds import expit
from forecasting.frames.book import Book
from forecasting.frames.likelihood_columns import Inputs, build_columns
from forecasting.frames.rules import Rules
from forecasting.frames.scoring import Judged, open_steps


def said_before_decision(book: Book, rules: Rules, judged: Judged, places: Integers) -> Floats:
    """float64[len(places)], each on its `known_until`; the rates of segment, state and band where nothing is fitted.

    The book is read as it is, so what an outcome may have changed counts as missing: stage, forecast, and attributes
    that are not steady ones of the account. The model has seen these renewals, among all others.
    """
    if rules.likelihood is None:
        return _by_rates(book, rules, judged, places)
    said = expit(said_of_closed(book, rules, judged, places) + open_steps(book, rules, judged, places))
    return np.clip(said, likelihood.LOWEST, likelihood.HIGHEST)


def said_of_closed(book: Book, rules: Rules, judged: Judged, places: Integers) -> Floats:
    """float64[len(places)], the log-odds of the fitted likelihood alone."""
    assert rules.likelihood is not None
    none = np.zeros(places.size, dtype=np.int64)
    rows = Rows(
        _lasting_columns(book, rules.inputs, judged, places),
        (),
        none,
        none.astype(np.bool_),
        scores=judged.risk.score[places],
    )
    return rules.likelihood.formula.log_odds(rows)


def _lasting_columns(book: Book, inputs: Inputs, judged: Judged, places: Integers) -> dict[str, Column]:
    nothing = np.full(book.row_count, np.nan)
    columns = build_columns(
        book, judged, inputs, places=places, progress=nothing, is_worked=np.zeros(book.row_count, dtype=np.bool_)
    )
    for one in inputs.attributes:
        if one.is_of_account and one.is_steady:
            continue
        is_category = one.kind == AttributeDefinition.Kind.CATEGORY
        blank = np.full(places.size, -1, dtype=np.int64)
        columns[one.column] = Categories(blank, one.names) if is_category else Numbers(np.full(places.size, np.nan))
    return columns


def _by_rates(book: Book, rules: Rules, judged: Judged, places: Integers) -> Floats:
    policy, rows = judged.policy[places], book.renewals
    age = timing.days_between(rows["due"][places], judged.known_until[places], rules.policies.is_business[policy])
    was_in_window = age >= -rules.policies.early_days[policy]
    state = np.where(was_in_window, timing.TimingClass.IN_WINDOW, timing.TimingClass.UPCOMING)
    band = risk.risk_band(judged.risk.score[places])
    rate, _ = likelihood.apply_rates(rules.rates, rows["segment_id"][places], state, band)
    return rate
