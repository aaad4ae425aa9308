"""Fill an empty installation with the demo company, in one transaction."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Company, User
from renewals.demo import profile
from renewals.demo.arrays import as_date, day_number
from renewals.demo.book import Lines, Terms, Window, draw_lines, draw_terms
from renewals.demo.customers import Customers, draw_customers
from renewals.demo.desk import draw_account_owners, draw_reps, work_the_book
from renewals.demo.past import record_past
from renewals.demo.people import SignIn, create_people
from renewals.demo.records import accounts_table, contracts_table, renewals_table, signals_table
from renewals.demo.rules import create_rules
from renewals.demo.signals import draw_signals
from renewals.demo.tables import analyse, built_after_loading, take_keys, write_table

# Enough lines for the renewals that are asked for, whatever the seed; what is too many is cut off.
LINES_PER_RENEWAL = 0.62
SPARE_LINES = 40
BOOK_TABLES = ("accounts_account", "accounts_accountsignal", "renewals_contract", "renewals_renewal")


class Moments(TypedDict):
    """When the rows are written, and the last day on which one may have been recorded."""

    now: str
    yesterday: int


class BookNotEmpty(Exception):
    """There are users or accounts already; a demo among real data could never be told from it again."""


@dataclass(frozen=True)
class LoadedDemo:
    as_of: dt.date
    account_count: int
    contract_count: int
    renewal_count: int
    open_count: int
    signal_count: int
    user_count: int
    seconds: float
    sign_ins: list[SignIn]


def is_empty() -> bool:
    return not (User.objects.exists() or Account.objects.exists())


def load_demo(*, renewal_count: int, seed: int, as_of: dt.date | None = None, with_history: bool = True) -> LoadedDemo:
    """Make exactly `renewal_count` renewals of the process that `renewals.demo` describes; the same for a seed and day.

    With `with_history` also what they were before (see `past`).

    Raises:
        BookNotEmpty: there is a user or an account.
        ValueError: fewer than 1 renewal is asked for.
    """
    if renewal_count < 1:
        raise ValueError(f"The demo needs at least 1 renewal, not {renewal_count}.")
    started = time.monotonic()
    with transaction.atomic():
        if not is_empty():
            raise BookNotEmpty(
                "This installation already has users or accounts; the demo is loaded into an empty one only."
            )
        # The demo company's own business date: until it is loaded, the installation has another zone.
        as_of = as_of or Company(time_zone=profile.TIME_ZONE).today()
        return _load(renewal_count, np.random.default_rng(seed), as_of, started, with_history=with_history)


def fiscal_year_of(day: dt.date, first_month: int) -> dt.date:
    """First day of the fiscal year that `day` is in."""
    return dt.date(day.year - (day.month < first_month), first_month, 1)


def _load(
    renewal_count: int, rng: np.random.Generator, as_of: dt.date, started: float, *, with_history: bool
) -> LoadedDemo:
    fiscal_year_on = fiscal_year_of(as_of, profile.FISCAL_YEAR_START_MONTH)
    window = _window_of(as_of, fiscal_year_on)
    customers, lines, terms = _draw_book(rng, renewal_count, window)
    in_book = np.flatnonzero(terms.due <= window.horizon)
    recorded = terms.take(in_book)
    open_count = int(recorded.is_open.sum())
    reps = draw_reps(rng, open_count)
    account_owner = draw_account_owners(rng, customers, reps)
    keys = create_rules(fiscal_year_on=fiscal_year_on)
    people = create_people(rng, reps)
    desk = work_the_book(
        rng, customers, lines, recorded, reps, account_owner, window, churn_reason_count=len(keys.churn_reasons)
    )
    signals = draw_signals(rng, customers, recorded, window)
    moments = Moments(now=timezone.now().isoformat(), yesterday=window.as_of - 1)
    first_account = take_keys("accounts_account", len(customers))
    first_contract = take_keys("renewals_contract", len(terms))
    with built_after_loading(*BOOK_TABLES):
        write_table(
            accounts_table(rng, customers, recorded, desk, account_owner, people, keys, first_account, **moments)
        )
        write_table(contracts_table(rng, customers, lines, terms, first_account, first_contract, **moments))
        contract_keys = first_contract + in_book
        write_table(
            renewals_table(rng, customers, lines, recorded, desk, people, keys, first_account, contract_keys, **moments)
        )
        write_table(signals_table(signals, first_account))
    if with_history:
        record_past(as_of=as_of, history_from=as_date(window.history_from))
    analyse(*BOOK_TABLES)
    return LoadedDemo(
        as_of=as_of,
        account_count=len(customers),
        contract_count=len(terms),
        renewal_count=len(recorded),
        open_count=open_count,
        signal_count=len(signals.customer),
        user_count=User.objects.count(),
        seconds=round(time.monotonic() - started, 2),
        sign_ins=people.sign_ins,
    )


def _window_of(as_of: dt.date, fiscal_year_on: dt.date) -> Window:
    return Window(
        history_from=day_number(fiscal_year_on.replace(year=fiscal_year_on.year - profile.HISTORY_YEARS)),
        as_of=day_number(as_of),
        horizon=day_number(as_of) + profile.HORIZON_DAYS,
    )


def _draw_book(rng: np.random.Generator, renewal_count: int, window: Window) -> tuple[Customers, Lines, Terms]:
    """Customers and lines that together have exactly so many renewals in the book. Contracts that end beyond the
    horizon are in force, but their renewal has no row yet."""
    line_count = round(renewal_count * LINES_PER_RENEWAL) + SPARE_LINES
    customers = draw_customers(rng, line_count, history_from=window.history_from, as_of=window.as_of)
    lines = draw_lines(rng, customers, window)
    terms = draw_terms(rng, customers, lines, window)
    in_book = np.cumsum(terms.due <= window.horizon)
    if in_book[-1] < renewal_count:
        raise AssertionError(f"{line_count} lines gave {in_book[-1]} renewals, fewer than {renewal_count}.")
    last = int(np.searchsorted(in_book, renewal_count))
    terms = terms.take(slice(0, last + 1))
    return customers.first(int(terms.customer[-1]) + 1), lines, terms
