"""One past period, forecast anew from what was known 90, 60, 30 and 0 days before its end."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import Count, Q, Sum
from numpy.typing import NDArray

from accounts.models import Company
from forecasting.as_at.book import ScoredBook, line_rows_of, lines_of
from forecasting.as_at.moments import end_of_day
from forecasting.as_at.standing import is_open, is_won, standing_of
from forecasting.engine.accuracy import Replay
from forecasting.engine.arrays import NO_DAY, Booleans, Floats, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames import (
    Accounts,
    Arrays,
    Reporting,
    Rules,
    day_number,
    fit_history,
    judge,
    read_book,
    score_book,
)
from forecasting.frames.book import MISSING, Book
from forecasting.frames.nowcast import with_levels
from forecasting.frames.replay import known_on
from forecasting.frames.scoring import confidence_rates
from forecasting.learning.fit import fit_as_of, with_likelihood
from forecasting.periods import Period, month_number
from renewals.models import Renewal

HORIZONS: Final = (90, 60, 30, 0)  # days before the period's end
FORECASTERS: Final = ("joined", "model", "rep", "last_year")  # of probability and amount
# Renewals of the accounts that a period is about; of more, every n-th account is taken, whole.
MOST_ROWS: Final = 200_000
FIT_ROWS: Final = 30_000  # decided renewals that the likelihood of a period is learned from, the newest
LEAST_SETTLED: Final = 30  # that were known by the first origin, else there was nothing to learn from
LEAST_DUE: Final = 10


@dataclass(frozen=True, eq=False)
class Origin:
    """n renewals of a period as they were forecast at one origin, in money of the reporting currency.

    seen     by forecaster; `rep` where the rep had given a word (`is_worded`) alone
    lines    the forecast's own lines of the period's scopes (lines.compute_lines)
    """

    horizon: int
    day: dt.date
    owner: Integers
    team: Integers
    segment: Integers
    seen: dict[str, Replay]
    is_worded: Booleans
    lines: Arrays


@dataclass(frozen=True, eq=False)
class Replayed:
    period: Period
    origins: list[Origin]
    way: str
    settled_count: int
    share: int  # one in so many accounts was taken


def first_origin(period: Period) -> dt.date:
    return period.ends_on - dt.timedelta(days=HORIZONS[0])


def replay_period(period: Period, base: Rules, report: Reporting, company: Company) -> Replayed | None:
    """None where too little was due or known, or not everything is decided yet.

    Everything that is learned (likelihood, rates, records of reps, amounts, shock) is learned at the first origin, from
    what was decided and known by then; the renewals are read anew at each. `base` is of `frames.replay.rules_of_replay`
    without any fit, `report` has the rates of today, for one rate per currency keeps exchange out of the comparison.
    """
    with connection.cursor() as cursor:
        accounts, share = _accounts(cursor, period)
        learned_on = first_origin(period)
        if not _is_worth_it(period, learned_on):
            return None
        if _what_came(read_book(cursor, base, accounts, currencies=report.currencies), base, report, period) is None:
            return None
        found = fit_as_of(base, cut_off=learned_on, horizon_days=company.likelihood_horizon_days, most_rows=FIT_ROWS)
        settled_count = found.model.row_count
        if settled_count < LEAST_SETTLED:
            return None
        rules = with_likelihood(base, found)
        learned = fit_history(cursor, rules, learned_on)
        rules = replace(rules, rates=learned.rates, records=learned.records, outlook=learned.outlook)
        present = read_book(cursor, rules, accounts, currencies=report.currencies)
        came = _what_came(present, rules, report, period)
        if came is None:
            return None
        origins = [
            _origin(cursor, rules, accounts, present, came, period, horizon, report, company) for horizon in HORIZONS
        ]
    return Replayed(period, origins, found.model.way, settled_count, share)


def _accounts(cursor: Any, period: Period) -> tuple[Accounts, int]:
    """(the accounts with a renewal due in the period, every n-th of them where they have too many, that n)."""
    due = "{0} IN (SELECT account_id FROM renewals_renewal WHERE due_on BETWEEN %s AND %s)"
    bounds = (period.starts_on, period.ends_on)
    cursor.execute(f"SELECT count(*) FROM renewals_renewal WHERE {due.format('account_id')}", bounds)
    share = -(-cursor.fetchone()[0] // MOST_ROWS)
    return (Accounts(f"{due} AND {{0}} %% {share} = 0", bounds) if share > 1 else Accounts(due, bounds)), max(share, 1)


def _is_worth_it(period: Period, learned_on: dt.date) -> bool:
    """Whether enough was due, and enough decided before: cheap to ask, where a fit is not."""
    due = Renewal.objects.due_between(period.starts_on, period.ends_on).filter(is_excluded=False)
    before = Renewal.objects.exclude(outcome=Renewal.Outcome.OPEN).filter(due_on__lt=learned_on)
    return due[:LEAST_DUE].count() >= LEAST_DUE and before[:LEAST_SETTLED].count() >= LEAST_SETTLED


@dataclass(frozen=True, eq=False)
class _Came:
    """What is known by now of the renewals at `places` of the book: money of the reporting currency."""

    places: Integers
    amount: Floats
    is_renewed: Booleans
    rate: Floats

    def only(self, kept: Booleans) -> _Came:
        return _Came(self.places[kept], self.amount[kept], self.is_renewed[kept], self.rate[kept])


def _what_came(present: Book, rules: Rules, report: Reporting, period: Period) -> _Came | None:
    """None while one of them is open within its tolerance: then the period is not over."""
    rows = present.renewals
    is_due = (rows["due"] >= day_number(period.starts_on)) & (rows["due"] <= day_number(period.ends_on))
    places = np.flatnonzero(is_due & ~rows["is_excluded"] & (rows["currency"] != MISSING))
    timing = judge(present, rules, day_number(report.as_of)).timing[places]
    if places.size < LEAST_DUE or (timing <= TimingClass.OVERDUE).any():
        return None
    is_renewed = (timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE)
    rate = np.array([float(rate) for rate in report.rates.values()])[rows["currency"][places]]
    amount = np.maximum(rows["final"][places], 0) * is_renewed * rate / 100
    return _Came(places, amount, is_renewed, rate)


def _origin(
    cursor: Any,
    rules: Rules,
    accounts: Accounts,
    present: Book,
    came: _Came,
    period: Period,
    horizon: int,
    report: Reporting,
    company: Company,
) -> Origin:
    day = period.ends_on - dt.timedelta(days=horizon)
    moment = end_of_day(day, company)
    known = known_on(cursor, rules, accounts, present, day=day, moment=moment)
    judged = judge(known.book, rules, day_number(day))
    # What the quarter has told by then is told anew by each recompute.
    shock = with_levels(rules.outlook.shock, known.book, rules, judged, day_number(day))
    rules = replace(rules, outlook=replace(rules.outlook, shock=shock))
    scores = score_book(known.book, rules, judged)
    last_years = last_years_rates(period, day, report)
    # A contract that had not begun yet could not be forecast to end.
    starts = known.book.renewals["starts"][came.places]
    had_begun = (starts == NO_DAY) | (starts <= day_number(day))
    places = came.places[had_begun]
    as_of = replace(report, as_of=day)
    book = ScoredBook(moment, company, rules, as_of, known.book.renewals, scores, None).only(places)
    rows, standing = book.rows, standing_of(book).rows
    lines = lines_of(book, with_scopes=True)
    in_period = (lines["grain"] == int(period.month_count == 3)) & (lines["month"] == month_number(period.starts_on))
    spread = line_rows_of(book)["spread"].astype(np.float64)
    came = came.only(had_begun)
    seen = {
        name: _seen(view, rows, standing, spread, came) for name, view in _views(book, standing, last_years).items()
    }
    return Origin(
        horizon=horizon,
        day=day,
        owner=standing["owner"].astype(np.int64),
        team=standing["team"].astype(np.int64),
        segment=standing["segment"].astype(np.int64),
        seen=seen,
        is_worded=seen["rep"].is_open & (rows["confidence"] != MISSING),
        lines={name: values[in_period] for name, values in lines.items()},
    )


def _views(
    book: ScoredBook, standing: NDArray[Any], last_years: tuple[float, float]
) -> dict[str, tuple[Floats, Floats]]:
    """By forecaster: (probability of each row, cents of its own currency that it brings if renewed)."""
    rows, mean = book.rows, standing["mean"].astype(np.float64)
    # A rep forecasts their own amount, and the baseline where they named none.
    own = np.where(rows["forecast"] == MISSING, rows["baseline"], rows["forecast"]).astype(np.float64)
    share, kept = last_years
    return {
        "joined": (book.scores["probability"], mean),
        "model": (book.scores["likelihood"], mean),
        "rep": (confidence_rates(rows["confidence"]), own),
        # So much of the value was kept where all of it was due: what a renewed one brought is that over the share.
        "last_year": (np.full(mean.size, share), rows["baseline"] * (kept / share if share else 0.0)),
    }


def _seen(view: tuple[Floats, Floats], rows: Arrays, standing: NDArray[Any], spread: Floats, came: _Came) -> Replay:
    p, brings = view
    is_now_open = is_open(standing["timing"])
    won = np.maximum(rows["final"], 0) * is_won(standing["timing"])
    expected = np.where(is_now_open, p * brings, won) * came.rate / 100
    variance = (p * (1 - p) * brings**2 + p * spread**2) * (came.rate / 100) ** 2
    return Replay(expected, came.amount, p, is_now_open, came.is_renewed, np.where(is_now_open, variance, 0.0))


def last_years_rates(period: Period, day: dt.date, report: Reporting) -> tuple[float, float]:
    """(share of the renewals, share of the value) that was renewed of what was due in the same quarter a year before.

    As known on `day`, from 0 to 1 for the first; both are 1 where nothing was due then.
    """
    begin, end = (one.replace(year=one.year - 1, day=min(one.day, 28)) for one in (period.starts_on, period.ends_on))
    end = (end.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    renewed = Q(outcome=Renewal.Outcome.RENEWED, ordered_on__lte=day)
    found = (
        Renewal.objects.due_between(begin, end)
        .filter(is_excluded=False, currency__in=report.currencies)
        .values("currency")
        .annotate(
            due=Count("pk"),
            renewed=Count("pk", filter=renewed),
            baseline=Sum("baseline_amount"),
            final=Sum("final_amount", filter=renewed),
        )
    )
    rows = list(found)
    due, won = sum(row["due"] for row in rows), sum(row["renewed"] for row in rows)
    baseline, final = (
        sum(float(row[name] or 0) * float(report.rates[row["currency"]]) for row in rows)
        for name in ("baseline", "final")
    )
    return (won / due, final / baseline) if due and baseline else (1.0, 1.0)
