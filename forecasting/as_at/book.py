"""The whole book at a moment, judged and scored as it would have been then."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Company, ExchangeRate, User
from forecasting.engine.arrays import Booleans
from forecasting.frames import (
    Accounts,
    Arrays,
    Reporting,
    Rules,
    day_number,
    judge,
    line_rows,
    load_rules,
    read_book,
    score_book,
)
from forecasting.frames.book import MISSING
from forecasting.frames.past import rows_at
from forecasting.lines import compute_lines
from forecasting.models import Run
from forecasting.periods import months_of_days
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import sliced_then

EVERYBODY: Final = Accounts("TRUE", ())


@dataclass(frozen=True, eq=False)
class ScoredBook:
    """n renewals as they stood at a moment, by id, and what the engine made of them.

    rows      the columns of frames.book, of accounts and contracts too; money in cents of its own currency
    scores    the columns of RenewalScore
    run_id    whose fit was in use; None before the first published run
    """

    moment: dt.datetime
    company: Company
    rules: Rules
    report: Reporting
    rows: Arrays
    scores: dict[str, NDArray[Any]]
    run_id: int | None

    @property
    def as_of(self) -> dt.date:
        return self.report.as_of

    @property
    def row_count(self) -> int:
        return int(self.rows["id"].size)

    def within(self, scope: Scope) -> Booleans:
        """Which rows a scope is about, by what they, their owners and accounts were then."""
        is_within: Booleans = np.ones(self.row_count, dtype=np.bool_)
        if scope.owner:
            is_within &= self.rows["owner_id"] == scope.owner.pk
        elif scope.team:
            mates = [owner for owner, team in self.report.team_of_owner.items() if team == scope.team.pk]
            is_within &= np.isin(self.rows["owner_id"], np.array(mates, dtype=np.int64))
        if scope.segment:
            is_within &= self.rows["segment_id"] == scope.segment.pk
        if scope.slice:
            is_within &= sliced_then(scope.slice, self.rows, self.report, self.moment)
        return is_within

    def only(self, kept: Booleans) -> ScoredBook:
        """The same of some of the rows."""
        return ScoredBook(
            self.moment,
            self.company,
            self.rules,
            self.report,
            {name: values[kept] for name, values in self.rows.items()},
            {name: values[kept] for name, values in self.scores.items()},
            self.run_id,
        )


def score_at(moment: dt.datetime, *, as_of: dt.date | None = None) -> ScoredBook:
    """The book as it stood, with the rules in force and the fit of the newest run that was published by then.

    It is judged by the business date of the moment, unless `as_of` names another day.
    """
    company = company_at(moment)
    report = reporting_at(moment, company, as_of=as_of or company.today(moment))
    run = run_at(moment)
    rules = load_rules(run, moment)
    with connection.cursor() as cursor:
        book = read_book(cursor, rules, EVERYBODY, currencies=report.currencies, moment=moment)
    scores = score_book(book, rules, judge(book, rules, day_number(report.as_of)))
    return ScoredBook(moment, company, rules, report, book.renewals, scores, run.pk if run else None)


def run_at(moment: dt.datetime) -> Run | None:
    """The newest that was published by then."""
    return Run.objects.filter(state=Run.State.PUBLISHED, published_at__lte=moment).order_by("-published_at").first()


def lines_of(book: ScoredBook, *, with_scopes: bool = False) -> Arrays:
    """The forecast lines of a book (see lines.compute_lines): of the whole of its rows, or of every scope."""
    return compute_lines(line_rows_of(book), book.report, shock=book.rules.outlook.shock, with_scopes=with_scopes)


def line_rows_of(book: ScoredBook) -> NDArray[Any]:
    """LINE_ROW of the rows that `is_in_lines` names, in their order."""
    found, _ = line_rows(book.rows, book.scores, book.rules, book.report)
    return found


def is_in_lines(book: ScoredBook) -> Booleans:
    """As `frames.line_rows` decides: no approved exceptions, a rate, due in a month that lines are kept for."""
    month = months_of_days(book.rows["due"])
    within = (month >= book.report.months[0]) & (month <= book.report.months[-1])
    counted: Booleans = within & ~book.rows["is_excluded"] & (book.rows["currency"] != MISSING)
    return counted


def company_at(moment: dt.datetime) -> Company:
    return rows_at(Company.objects.all(), moment)[0]


def reporting_at(moment: dt.datetime, company: Company, *, as_of: dt.date) -> Reporting:
    """What turned rows into a report at the moment: rates as recorded by then, and who belonged to which team."""
    return Reporting(
        as_of=as_of,
        rates=rates_at(moment, company.reporting_currency, as_of=as_of),
        fiscal_start=company.fiscal_year_start_month,
        team_of_owner={
            user.pk: user.team_id for user in rows_at(User.objects.all(), moment) if user.team_id is not None
        },
    )


def rates_at(moment: dt.datetime, reporting_currency: str, *, as_of: dt.date) -> dict[str, Decimal]:
    """As `accounts.exchange.read_rates`, of the rates that were recorded by the moment."""
    newest: dict[str, ExchangeRate] = {}
    for rate in rows_at(ExchangeRate.objects.all(), moment):
        known = newest.get(rate.currency)
        if rate.effective_on <= as_of and (known is None or rate.effective_on > known.effective_on):
            newest[rate.currency] = rate
    rates = {currency: newest[currency].rate for currency in sorted(newest)}
    return {**rates, reporting_currency: Decimal(1)}
