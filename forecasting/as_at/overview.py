"""The forecast page as at a moment: the same figures, from the book as it stood."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from accounts.models import Company, User
from forecasting.as_at.book import ScoredBook, lines_of
from forecasting.as_at.kept import read_scored_book
from forecasting.as_at.lines import as_line
from forecasting.as_at.moments import Asked
from forecasting.engine.arrays import Booleans, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames import day_number
from forecasting.frames.book import MISSING, OPEN
from forecasting.frames.rules import EPOCH
from forecasting.models import ForecastLine
from forecasting.overview.at_risk import BANDS, LARGEST_SHOWN, WINDOW_DAYS, AtRisk, Open, RiskWeek, RiskyRow
from forecasting.overview.dashboard import Period, periods_of
from forecasting.periods import Grain, first_day, months_of_days, period_of
from forecasting.scopes.lines import Credit, credit_of_line
from forecasting.scopes.scope import Scope
from renewals.models import Renewal, RenewalScore
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM


@dataclass(frozen=True, eq=False)
class Overview:
    """What the page shows, as it stood."""

    asked: Asked
    book: ScoredBook
    periods: list[Period]
    at_risk: AtRisk

    @property
    def company(self) -> Company:
        return self.book.company


def read_overview(user: User, scope: Scope, asked: Asked) -> Overview:
    whole = read_scored_book(asked.moment)
    book = whole.only(whole.within(scope))
    company, today = book.company, book.as_of
    lines = _lines(book, scope.grain)
    credits = {start: credit_of_line(line) for start, line in lines.items()}
    if company.attribution != Company.Attribution.DUE_PERIOD:
        credits = _credits(book, scope.grain)
    periods = periods_of(scope, company, lines, credits, today=today)
    return Overview(asked, book, periods, _at_risk(user, scope, book))


def _lines(book: ScoredBook, grain: str) -> dict[dt.date, ForecastLine]:
    lines = lines_of(book)
    wanted = np.flatnonzero(lines["grain"] == int(grain == Grain.QUARTER))
    return {first_day(int(lines["month"][at])): as_line(lines, int(at), grain) for at in wanted}


def _rates(book: ScoredBook) -> Sequence[Decimal]:
    return [*book.report.rates.values(), Decimal(0)]


def _sums(book: ScoredBook, places: Integers, keys: Integers, cents: Integers) -> dict[int, Open]:
    """By key, how many and their sum in the reporting currency: whole cents by currency, each converted once."""
    rates = _rates(book)
    currency = book.rows["currency"][places].astype(np.int64)
    found: dict[int, Open] = {}
    pairs, place, counts = np.unique(np.stack([keys, currency]), axis=1, return_inverse=True, return_counts=True)
    sums = np.zeros(pairs.shape[1], dtype=np.int64)
    np.add.at(sums, place.ravel(), cents)
    for (key, code), total, count in zip(pairs.T.tolist(), sums.tolist(), counts.tolist(), strict=True):
        amount = (Decimal(total) / 100 * rates[code]).quantize(Decimal("0.01"))
        found[key] = found.get(key, Open()) + Open(count, amount)
    return found


def _credits(book: ScoredBook, grain: str) -> dict[dt.date, Credit]:
    """As scope_lines.read_credits: by order period, or hybrid, where early ones are held to their due period."""
    rows, timing = book.rows, book.scores["timing_class"]
    places = np.flatnonzero(~rows["is_excluded"] & (timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE))
    day = rows["ordered"][places]
    if book.company.attribution == Company.Attribution.HYBRID:
        day = np.maximum(day, rows["due"][places])
    month = months_of_days(day).astype(np.int64)
    final, baseline = np.maximum(rows["final"][places], 0), rows["baseline"][places]
    kept = np.minimum(final, baseline)
    in_time = np.where(timing[places] == TimingClass.LATE, 0, kept)
    sums = [_sums(book, places, month, cents) for cents in (kept, final, in_time)]
    found: dict[dt.date, Credit] = {}
    for number in sums[0]:
        start = period_of(grain, first_day(number), book.company.fiscal_year_start_month).starts_on
        found[start] = found.get(start, Credit()) + Credit(*(part[number].amount for part in sums))
    return found


def _at_risk(user: User, scope: Scope, book: ScoredBook) -> AtRisk:
    rows, today = book.rows, book.as_of
    last_on = today + dt.timedelta(days=WINDOW_DAYS)
    is_live = ~rows["is_excluded"] & (rows["outcome"] == OPEN)
    in_window = is_live & (rows["due"] >= day_number(today)) & (rows["due"] <= day_number(last_on))
    overdue = np.flatnonzero(~rows["is_excluded"] & (book.scores["timing_class"] == TimingClass.OVERDUE))
    past_due = _sums(book, overdue, np.zeros(overdue.size, dtype=np.int64), rows["baseline"][overdue])
    is_unrated = (rows["currency"] == MISSING) & (in_window | (book.scores["timing_class"] == TimingClass.OVERDUE))
    return AtRisk(
        today,
        last_on,
        _weeks(book, np.flatnonzero(in_window), today, last_on),
        past_due.get(0, Open()),
        _largest(user, scope, book, in_window),
        ("some currencies",) if is_unrated.any() else (),
    )


def _weeks(book: ScoredBook, places: Integers, first_on: dt.date, last_on: dt.date) -> list[RiskWeek]:
    monday = first_on - dt.timedelta(days=first_on.weekday())
    week = (book.rows["due"][places].astype(np.int64) - day_number(monday)) // 7
    score = book.scores["risk_score"][places]
    band = np.select([score >= HIGH_RISK_FROM, score >= MEDIUM_RISK_FROM, score >= 0], [0, 1, 2], 3)
    sums = _sums(book, places, week * len(BANDS) + band, book.rows["baseline"][places])
    count = (last_on - monday).days // 7 + 1
    return [
        RiskWeek(
            max(monday + dt.timedelta(weeks=at), first_on),
            min(monday + dt.timedelta(weeks=at, days=6), last_on),
            {name: sums[at * len(BANDS) + code] for code, name in enumerate(BANDS) if at * len(BANDS) + code in sums},
        )
        for at in range(count)
    ]


def _largest(user: User, scope: Scope, book: ScoredBook, in_window: Booleans) -> list[RiskyRow]:
    """Of those that the reader sees at present, as they stood then."""
    rows = book.rows
    rates = np.array([float(rate) for rate in _rates(book)])[rows["currency"]]
    loss = rows["baseline"] * rates * (1 - book.scores["probability"]) * in_window
    found: list[RiskyRow] = []
    order = np.argsort(-loss, kind="stable")
    order = order[loss[order] > 0]
    for first in range(0, order.size, 200):
        part = order[first : first + 200]
        seen = {
            row.pk: row
            for row in Renewal.objects.visible_to(user)
            .filter(pk__in=rows["id"][part].tolist())
            .select_related("account")
        }
        for at in part:
            renewal = seen.get(int(rows["id"][at]))
            if renewal is not None:
                amount = Decimal(int(rows["baseline"][at])) / 100 * _rates(book)[int(rows["currency"][at])]
                url = scope.rows_url(account=renewal.account_id)
                found.append(RiskyRow(_as_it_was(renewal, book, int(at)), amount, Decimal(round(loss[at])) / 100, url))
            if len(found) == LARGEST_SHOWN:
                return found
    return found


def _as_it_was(renewal: Renewal, book: ScoredBook, at: int) -> Renewal:
    """Today's row, for its names, with what the page shows of it set to what it was; never saved."""
    rows, risk = book.rows, float(book.scores["risk_score"][at])
    renewal.due_on = EPOCH + dt.timedelta(days=int(rows["due"][at]))
    renewal.baseline_amount = Decimal(int(rows["baseline"][at])) / 100
    renewal.owner = User.objects.filter(pk=int(rows["owner_id"][at])).first()
    renewal.score = RenewalScore(
        renewal=renewal,
        risk_score=None if np.isnan(risk) else risk,
        probability=float(book.scores["probability"][at]),
    )
    return renewal
