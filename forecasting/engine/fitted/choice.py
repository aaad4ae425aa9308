"""Which way to a likelihood: the simplest that no richer one beats on later cohorts than it was learned on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.fitted.candidates import (
    BASE,
    BLEND,
    BOOSTING,
    LOGISTIC,
    SCORE,
    SEGMENTS,
    Candidate,
    Formula,
)
from forecasting.engine.fitted.metrics import brier, log_losses
from forecasting.engine.fitted.rows import Rows
from forecasting.engine.log_odds import expit

ORIGINS: Final = 3  # newest cohorts that are forecast from the ones before them
FOLDS: Final = 5
LEAST_TRAINED: Final = 100  # decided renewals before the first of those cohorts
LEAST_FORECAST: Final = 200  # and in them together; with fewer, folds by chance use all rows
MOST_TRAINED: Final = 20_000  # rows by chance that a trial is learned on, and tested on; the winner is learned on all
MOST_FORECAST: Final = 10_000
# Standard errors by which a richer way has to win. That the signals say anything at all is claimed at two (one false
# claim in forty), between ways that both use them one decides.
TO_CLAIM_SIGNAL: Final = 2.0
TO_REPLACE: Final = 1.0
MANY_ACCOUNTS: Final = 30
APART: Final = 3  # folds of whole cohorts, every third one in the same
HALVING: Final = 0.5  # weight of a cohort against that of the next newer one


@dataclass(frozen=True, eq=False)
class Fold:
    train: Integers
    test: Integers


@dataclass(frozen=True)
class Trial:
    """One way, tried: its Brier score, and how much lower its log loss is than that of `against`, by renewal.

    measure  what `gain` and `standard_error` are of; the Brier score in fits of before 22 November 2026
    """

    name: str
    brier: float
    against: str
    gain: float
    standard_error: float
    is_taken: bool
    measure: str = "Brier score"


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen and why.

    unseen   its log-odds of the rows `tested`, none of which it had been learned on
    periods  the period of each of them: its cohort, or its fold where all are of one cohort
    """

    candidate: Candidate
    is_signal: bool
    is_recent: bool
    formula: Formula
    trials: tuple[Trial, ...]
    is_time_ordered: bool
    tested: Integers
    unseen: Floats
    periods: Integers
    reason: str


def choose(rows: Rows, *, gap: int) -> Choice:
    """Try the ways that the rows are enough for, from the simple to the rich, and learn the winner on all rows.

    `gap`: cohorts before the one to forecast whose outcomes are not known yet when it is forecast.
    """
    folds, is_time_ordered = _folds(rows, gap)
    ahead = gap + 1 if is_time_ordered else None
    tested = np.concatenate([fold.test for fold in folds]) if folds else np.empty(0, dtype=np.int64)
    simple = SEGMENTS if rows.segments and _is_ready(SEGMENTS, rows, folds) else BASE
    champion, is_recent, trials = simple, False, list[Trial]()
    unseen = _forecast(simple, rows, folds, ahead)
    for candidate in _ready(rows, folds):
        found = _forecast(candidate, rows, folds, ahead)
        needed = TO_CLAIM_SIGNAL if champion is simple else TO_REPLACE
        trial = _compare(candidate.name, found, champion.name, unseen, rows, tested, needed)
        trials.append(trial)
        if trial.is_taken:
            champion, unseen = candidate, found
    if is_time_ordered:
        found = _forecast(champion, rows, folds, ahead, HALVING)
        trial = _compare(f"{champion.name}, newer cohorts count more", found, champion.name, unseen, rows, tested, 1.0)
        trials.append(trial)
        if trial.is_taken:
            is_recent, unseen = True, found
    formula = champion.learn(rows, cohort_weights(rows, HALVING if is_recent else 1.0), gap + 1)
    reason = _reason(champion, simple, trials, rows, is_time_ordered)
    periods = rows.cohorts[tested]
    if np.unique(periods).size < 2:
        periods = np.repeat(np.arange(len(folds)), [fold.test.size for fold in folds])
    return Choice(
        champion,
        champion is not simple,
        is_recent,
        formula,
        tuple(trials),
        is_time_ordered,
        tested,
        unseen,
        periods,
        reason,
    )


def forecast_apart(rows: Rows, choice: Choice) -> Floats:
    """Log-odds float64[n] of each row, without a level, by what was chosen learned on other cohorts than its own.

    A way that asks many columns partly learns what a cohort shared, and so would miss it by too little in the cohorts
    that it was learned on. Rates have too few parameters for that: theirs are as they are, and so are those of rows of
    fewer than three cohorts, or of too few to be parted.
    """
    formula = choice.formula
    known, place = np.unique(rows.cohorts, return_inverse=True)
    folds = [
        Fold(np.flatnonzero(place % APART != part), np.flatnonzero(place % APART == part)) for part in range(APART)
    ]
    folds = [Fold(_some(fold.train, MOST_TRAINED), fold.test) for fold in folds]
    if not choice.is_signal or known.size < APART or not _is_ready(choice.candidate, rows, folds):
        return formula.calibration.apply(formula.raw(rows))
    found, weights = np.empty(len(rows)), cohort_weights(rows, HALVING if choice.is_recent else 1.0)
    for fold in folds:
        learned = choice.candidate.learn(rows.take(fold.train), weights[fold.train], None)
        found[fold.test] = learned.log_odds(rows.take(fold.test))
    return found


def cohort_weights(rows: Rows, halving: float) -> Floats:
    """Weight of each row: `halving` to the power of the cohorts that are newer than its own."""
    if halving == 1.0 or not len(rows):
        return np.ones(len(rows))
    known, place = np.unique(rows.cohorts, return_inverse=True)
    weights: Floats = halving ** (known.size - 1 - place).astype(np.float64)
    return weights


def _ready(rows: Rows, folds: Sequence[Fold]) -> list[Candidate]:
    """The ways that use signals and have rows enough in every fold, from the simple to the rich."""
    ways = [SCORE] if rows.scores.size and not np.isnan(rows.scores).all() else []
    ways += [BLEND, LOGISTIC, BOOSTING] if rows.columns else []
    return [way for way in ways if _is_ready(way, rows, folds)]


def _is_ready(way: Candidate, rows: Rows, folds: Sequence[Fold]) -> bool:
    """A fold has fewer rows than the whole: three fifths of what is asked of the whole are enough in it."""
    if not folds or not _has(way, rows, 1.0):
        return False
    return all(_has(way, rows.take(fold.train), 0.6) for fold in folds)


def _has(way: Candidate, rows: Rows, share: float) -> bool:
    won = int(rows.is_renewed.sum())
    return len(rows) >= share * way.least_rows and min(won, len(rows) - won) >= max(share * way.least_of_each, 1)


def _folds(rows: Rows, gap: int) -> tuple[list[Fold], bool]:
    """The newest cohorts, each forecast from those more than `gap` before it; else folds by chance."""
    known = np.unique(rows.cohorts)
    rolling: list[Fold] = []
    for place in range(known.size - 1, gap, -1):
        train = np.flatnonzero(rows.cohorts < known[place - gap])
        if train.size < LEAST_TRAINED or len(rolling) == ORIGINS:
            break
        test = np.flatnonzero(rows.cohorts == known[place])
        rolling.append(Fold(_some(train, MOST_TRAINED), _some(test, MOST_FORECAST)))
    if len(rolling) >= 2 and sum(fold.test.size for fold in rolling) >= LEAST_FORECAST:
        return rolling[::-1], True
    if len(rows) < 2 * FOLDS:
        return [], False
    some = _some(np.arange(len(rows)), MOST_TRAINED)
    fold = np.random.default_rng(3).permutation(some.size) % FOLDS
    return [Fold(some[fold != part], some[fold == part]) for part in range(FOLDS)], False


def _some(places: Integers, most: int) -> Integers:
    if places.size <= most:
        return places
    return np.sort(np.random.default_rng(4).choice(places, most, replace=False))


def _forecast(
    candidate: Candidate, rows: Rows, folds: Sequence[Fold], ahead: int | None, halving: float = 1.0
) -> Floats:
    found = []
    for fold in folds:
        train = rows.take(fold.train)
        formula = candidate.learn(train, cohort_weights(train, halving), ahead)
        found.append(formula.log_odds(rows.take(fold.test)))
    return np.concatenate(found) if found else np.empty(0)


def _compare(
    name: str, log_odds: Floats, against: str, reference: Floats, rows: Rows, tested: Integers, needed: float
) -> Trial:
    """By log loss: no test sees a difference sooner than the ratio of likelihoods (Neyman and Pearson 1933).

    Where few leave, the Brier score hardly tells 95 from 99 %.
    """
    came, p = rows.is_renewed[tested], expit(log_odds)
    gains = log_losses(expit(reference), came) - log_losses(p, came)
    gain, standard_error = float(gains.mean()), _standard_error(gains, rows, tested)
    return Trial(name, brier(p, came), against, gain, standard_error, gain > needed * standard_error, "log loss")


def _standard_error(gains: Floats, rows: Rows, tested: Integers) -> float:
    """Of the mean gain; the rows of one account count as one observation.

    Of few accounts the sums say little (of a single one, 0), so it is never below that of rows by themselves.
    """
    apart = gains - gains.mean()
    square = float((apart**2).sum())
    if rows.accounts.size:
        known, account = np.unique(rows.accounts[tested], return_inverse=True)
        of_accounts = float((np.bincount(account, apart) ** 2).sum())
        square = of_accounts if known.size >= MANY_ACCOUNTS else max(of_accounts, square)
    return float(np.sqrt(square)) / gains.size


def _reason(champion: Candidate, simple: Candidate, trials: Sequence[Trial], rows: Rows, is_time_ordered: bool) -> str:
    won = int(rows.is_renewed.sum())
    if not len(rows):
        return "Nothing is decided yet: a stated prior is used."
    if len(rows) == 1:
        return "One renewal is decided: the plain rate is used, drawn towards a stated prior."
    if won in (0, len(rows)):
        return f"All {len(rows):,} decided renewals ended alike: the plain rate is used, drawn towards a stated prior."
    where = "on later cohorts" if is_time_ordered else "on renewals left out by chance"
    tried = [trial for trial in trials if not trial.name.startswith(simple.name)]
    if not rows.columns and not rows.scores.size:
        return f"Nothing is known of the renewals but how they ended: used are {simple.words}."
    if not tried:
        return f"{len(rows):,} decided renewals are too few to learn from signals: used are {simple.words}."
    if champion is simple:
        best = max(tried, key=lambda trial: trial.gain / max(trial.standard_error, 1e-12))
        return (
            f"The signals carry no information: the simple rate is used ({simple.words}). The best try, {best.name}, "
            f"changed the log loss {where} by {-best.gain:+.5f}, standard error {best.standard_error:.5f}."
        )
    taken = next(trial for trial in reversed(trials) if trial.is_taken and trial.name == champion.name)
    return (
        f"{champion.words[0].upper()}{champion.words[1:]}: log loss {taken.gain:.5f} better than {taken.against} "
        f"{where}, standard error {taken.standard_error:.5f}."
    )
