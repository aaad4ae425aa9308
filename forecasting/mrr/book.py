"""The movements of some accounts, or of the whole book, from its contracts and renewals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import NO_ID, Floats, Integers
from forecasting.engine.recurring import (
    Decisions,
    Events,
    Kind,
    Points,
    Renewed,
    State,
    Steps,
    Terms,
    draw_timelines,
    find_movements,
)
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays, Column, Reporting, copy_out, day_number
from forecasting.frames.converted import converted_cents
from forecasting.periods import month_number, months_of_days

MONTHS_AHEAD: Final = 12
NO_RATE: Final = -1
# Of what ends ahead without a renewal row, while nothing is open from which to take an average.
UNKNOWN_RATE: Final = 0.5
# What an open one brings if it is renewed is what the forecast expects of it; the rep's word until it is scored.
IS_OPEN: Final = "r.outcome = 'open'"
OPEN_AMOUNT: Final = "COALESCE(s.mean_cents, r.forecast_amount * 100)"
CROSS_SELL: Final = "r.cross_sell_amount * 100"
INTEGERS: Final = (
    "account_id",
    "contract_id",
    "renewal_id",
    "owner_id",
    "segment_id",
    "month",
    "state",
    "kind",
    "amount",
    "cross_sell_amount",
    "open_amount",
    "kept_amount",
)


@dataclass(frozen=True)
class Accounts:
    """Whose rows to read: those with these ids, or all."""

    ids: Sequence[int] | None = None

    def condition(self, column: str) -> str:
        return "TRUE" if self.ids is None else f"{column} = ANY(%s)"

    @property
    def parameters(self) -> list[object]:
        return [] if self.ids is None else [list(self.ids)]


@dataclass(frozen=True, eq=False)
class Book:
    """Contracts and their renewals as the engine takes them, and the ids that it does not need."""

    terms: Terms
    steps: Steps
    renewed: Renewed
    contract_id: Integers
    line: Integers
    renewal_id: Integers
    probability: Floats
    owner_id: Integers  # by line
    segment_id: Integers  # by line
    account_id: Integers  # by line


def points_of(report: Reporting) -> Points:
    as_of = month_number(report.as_of)
    return Points.of_months(report.months[0], as_of + MONTHS_AHEAD, day_number(report.as_of))


def movement_rows(book: Book, report: Reporting, *, assumed_rate: float | None = None) -> tuple[Arrays, float]:
    """(one entry per movement: INTEGERS in cents, and `probability`; the rate of what has no renewal row)."""
    points = points_of(report)
    events, decisions = draw_timelines(book.terms, book.steps, book.renewed, as_of=points.as_of)
    if assumed_rate is None:
        assumed_rate = _average_rate(book, decisions)
    certain = _certain(book, events, points)
    expected = _expected(book, decisions, points, assumed_rate)
    return {name: np.concatenate([certain[name], expected[name]]) for name in certain}, assumed_rate


def _average_rate(book: Book, decisions: Decisions) -> float:
    """Mean probability of what is open, by value."""
    known = decisions.renewal != NO_ID
    value = decisions.amount[known].astype(np.float64)
    if not value.sum():
        return UNKNOWN_RATE
    return float(book.probability[decisions.renewal[known]] @ value / value.sum())


def _certain(book: Book, events: Events, points: Points) -> Arrays:
    line = book.line[events.term]
    found = find_movements(
        line=line,
        account=book.account_id.searchsorted(book.account_id)[line],
        day=events.day,
        delta=events.delta,
        cross_sell=events.cross_sell,
        rank=events.renewal,
        points=points,
    )
    rows = _rows(book, found.line, events.term[found.newest], events.renewal[found.newest])
    none = np.zeros(found.line.size, dtype=np.int64)
    return rows | {
        "month": found.month,
        "state": found.state,
        "kind": found.kind,
        "amount": found.amount,
        "cross_sell_amount": found.cross_sell,
        "open_amount": none,
        "kept_amount": none,
        "probability": none.astype(np.float64),
    }


def _expected(book: Book, decisions: Decisions, points: Points, assumed_rate: float) -> Arrays:
    """A churn of every open decision, and an expansion or contraction of those that renew for another amount."""
    day = np.maximum(decisions.day, points.as_of)
    seen = np.flatnonzero((day <= points.days[-1]) & (decisions.amount > 0))
    term, renewal, value = decisions.term[seen], decisions.renewal[seen], decisions.amount[seen]
    has_row = renewal != NO_ID
    p = np.full(seen.size, assumed_rate)
    forecast, cross = np.full(seen.size, NO_ID, dtype=np.int64), np.zeros(seen.size, dtype=np.int64)
    p[has_row] = book.probability[renewal[has_row]]
    forecast[has_row] = book.renewed.amount[renewal[has_row]]
    cross[has_row] = book.renewed.cross_sell[renewal[has_row]]
    kept = np.where(forecast >= 0, forecast, value)
    more = np.maximum(kept - value, 0)
    none = np.zeros(seen.size, dtype=np.int64)
    shared = _rows(book, book.line[term], term, renewal) | {
        "month": months_of_days(day[seen]).astype(np.int64),
        "state": np.full(seen.size, State.EXPECTED, dtype=np.int64),
    }
    parts = []
    for kind, amount in (
        (Kind.CHURN, (1 - p) * value),
        (Kind.CONTRACTION, p * np.maximum(value - kept, 0)),
        (Kind.EXPANSION, p * more),
    ):
        cents = np.rint(amount).astype(np.int64)
        is_churn = kind == Kind.CHURN
        rows = np.arange(seen.size) if is_churn else np.flatnonzero(cents)
        part = shared | {
            "kind": np.full(seen.size, kind, dtype=np.int64),
            "amount": cents,
            "cross_sell_amount": np.minimum(np.rint(p * np.minimum(cross, more)).astype(np.int64), cents)
            if kind == Kind.EXPANSION
            else none,
            "open_amount": value if is_churn else none,
            "kept_amount": kept if is_churn else none,
            "probability": p if is_churn else none.astype(np.float64),
        }
        parts.append({name: values[rows] for name, values in part.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _rows(book: Book, line: Integers, term: Integers, renewal: Integers) -> Arrays:
    ids = book.renewal_id if book.renewal_id.size else np.array([NO_ID])
    return {
        "account_id": book.account_id[line],
        "contract_id": book.contract_id[term],
        "renewal_id": np.where(renewal == NO_ID, NO_ID, ids[np.maximum(renewal, 0)]),
        "owner_id": book.owner_id[line],
        "segment_id": book.segment_id[line],
    }


def read_movement_book(cursor: Any, report: Reporting, accounts: Accounts) -> Book:
    """Contracts in a currency without a rate are left out with their renewals."""
    contracts = _read_contracts(cursor, report, accounts)
    order = np.lexsort((contracts["id"], contracts["starts"], contracts["number"], contracts["account_id"]))
    order = order[contracts["currency"][order] != NO_RATE]
    contracts = {name: values[order] for name, values in contracts.items()}
    steps = _read_steps(cursor, accounts)
    renewals = _read_renewals(cursor, report, accounts)
    by_id = np.argsort(contracts["id"])
    contract_ids = contracts["id"][by_id]
    for table in (steps, renewals):
        place = np.searchsorted(contract_ids, table["contract_id"])
        is_known = np.append(contract_ids, NO_ID)[place] == table["contract_id"]
        for name in table:
            table[name] = table[name][is_known]
        table["term"] = by_id[place[is_known]]
    rated = renewals["currency"] != NO_RATE
    renewals = {name: values[rated] for name, values in renewals.items()}
    order = np.lexsort((renewals["due"], renewals["term"]))
    renewals = {name: values[order] for name, values in renewals.items()}
    order = np.lexsort((steps["starts"], steps["term"]))
    steps = {name: values[order] for name, values in steps.items()}
    return _as_book(contracts, steps, renewals, _read_accounts(cursor, accounts), report)


def _as_book(contracts: Arrays, steps: Arrays, renewals: Arrays, accounts: Arrays, report: Reporting) -> Book:
    line, line_account = _lines(contracts)
    owner, segment = _owners(contracts, renewals, accounts, line, line_account)

    def monthly(table: Arrays, name: str) -> Integers:
        return monthly_cents(table[name], table["currency"], report)

    steps["currency"] = contracts["currency"][steps["term"]]
    return Book(
        terms=Terms(
            account=contracts["account_id"],
            number=contracts["number"],
            product=contracts["product"],
            starts=contracts["starts"].astype(np.int64),
            ends=contracts["ends"].astype(np.int64),
            amount=monthly(contracts, "amount"),
        ),
        steps=Steps(term=steps["term"], starts=steps["starts"].astype(np.int64), amount=monthly(steps, "amount")),
        renewed=Renewed(
            term=renewals["term"],
            due=renewals["due"].astype(np.int64),
            ordered=renewals["ordered"].astype(np.int64),
            timing=renewals["timing"],
            baseline=monthly(renewals, "baseline"),
            amount=np.where(renewals["amount"] < 0, NO_ID, monthly(renewals, "amount")),
            cross_sell=monthly(renewals, "cross_sell"),
        ),
        contract_id=contracts["id"],
        line=line,
        renewal_id=renewals["id"],
        probability=renewals["probability"],
        owner_id=owner,
        segment_id=segment,
        account_id=line_account,
    )


def _lines(contracts: Arrays) -> tuple[Integers, Integers]:
    """(line of each contract, account of each line): account, and product of the first term of its number."""
    account, number, product = (contracts[name] for name in ("account_id", "number", "product"))
    is_first = np.ones(account.size, dtype=np.bool_)
    is_first[1:] = (account[1:] != account[:-1]) | (number[1:] != number[:-1])
    of_number = product[np.maximum.accumulate(np.where(is_first, np.arange(account.size), 0))]
    order = np.lexsort((of_number, account))
    is_new = np.ones(account.size, dtype=np.bool_)
    is_new[1:] = (account[order][1:] != account[order][:-1]) | (of_number[order][1:] != of_number[order][:-1])
    line = np.empty(account.size, dtype=np.int64)
    line[order] = np.cumsum(is_new) - 1
    return line, account[order][is_new]


def _owners(
    contracts: Arrays, renewals: Arrays, accounts: Arrays, line: Integers, line_account: Integers
) -> tuple[Integers, Integers]:
    order = np.argsort(accounts["id"])
    place = order[np.searchsorted(accounts["id"][order], line_account)] if order.size else line_account
    owner, segment = accounts["owner_id"][place], accounts["segment_id"][place]
    newest = np.lexsort((renewals["id"], renewals["due"]))
    owner = owner.copy()
    owner[line[renewals["term"][newest]]] = renewals["owner_id"][newest]  # the last one written stays
    return owner, segment


def monthly_cents(cents: Integers, currency: Integers, report: Reporting) -> Integers:
    """A twelfth of each year's cents in the reporting currency, rounded half to even; exact for any rate."""
    return converted_cents(cents, currency, report.rates, divided_by=12)


def _currency(alias: str, report: Reporting) -> Column:
    position = f"COALESCE(array_position(%s::text[], {alias}.currency::text), 0) - 1"
    return Column("currency", "int2", position, (list(report.currencies),))


def _read_contracts(cursor: Any, report: Reporting, accounts: Accounts) -> Arrays:
    columns = [
        Column("id", "int8", "c.id"),
        Column("account_id", "int8", "c.account_id"),
        Column("number", "int8", "hashtextextended(c.number::text, 0)"),
        Column("product", "int8", "hashtextextended(lower(btrim(c.product)), 0)"),
        Column("starts", "date", "c.starts_on"),
        Column("ends", "date", "c.ends_on"),
        Column("amount", "int8", "c.recurring_amount * 100"),
        _currency("c", report),
    ]
    source = f"renewals_contract c WHERE {accounts.condition('c.account_id')}"
    return copy_out(cursor, columns, source, accounts.parameters)


def _read_steps(cursor: Any, accounts: Accounts) -> Arrays:
    columns = [
        Column("contract_id", "int8", "c.id"),
        Column("starts", "date", "(c.starts_on + make_interval(years => (step.year - 1)::int))::date"),
        Column("amount", "int8", "COALESCE(step.amount, c.recurring_amount) * 100"),
    ]
    source = (
        "renewals_contract c, unnest(c.ramp_amounts) WITH ORDINALITY AS step(amount, year)"
        f" WHERE c.ramp_amounts IS NOT NULL AND {accounts.condition('c.account_id')}"
    )
    return copy_out(cursor, columns, source, accounts.parameters)


def _read_renewals(cursor: Any, report: Reporting, accounts: Accounts) -> Arrays:
    # What was added since the last run has no score yet.
    unscored = (
        f"CASE r.outcome WHEN 'open' THEN {TimingClass.UPCOMING:d} WHEN 'renewed' THEN {TimingClass.ON_TIME:d}"
        f" ELSE {TimingClass.LOST:d} END"
    )
    columns = [
        Column("id", "int8", "r.id"),
        Column("contract_id", "int8", "r.contract_id"),
        Column("owner_id", "small_id", "COALESCE(r.owner_id, -1)"),
        Column("due", "date", "r.due_on"),
        Column("ordered", "date", "r.ordered_on"),
        Column("timing", "int2", f"COALESCE(s.timing_class, {unscored})"),
        Column("baseline", "int8", "r.baseline_amount * 100"),
        Column("amount", "int8", f"COALESCE(CASE WHEN {IS_OPEN} THEN {OPEN_AMOUNT} ELSE r.final_amount * 100 END, -1)"),
        Column(
            "cross_sell",
            "int8",
            f"CASE WHEN {IS_OPEN} THEN COALESCE(s.mean_cross_sell_cents, {CROSS_SELL}) ELSE {CROSS_SELL} END",
        ),
        Column("probability", "float8", f"COALESCE(s.probability, {UNKNOWN_RATE})"),
        _currency("r", report),
    ]
    source = (
        "renewals_renewal r LEFT JOIN renewals_renewalscore s ON s.renewal_id = r.id"
        f" WHERE {accounts.condition('r.account_id')}"
    )
    return copy_out(cursor, columns, source, accounts.parameters)


def _read_accounts(cursor: Any, accounts: Accounts) -> Arrays:
    columns = [
        Column("id", "int8", "a.id"),
        Column("owner_id", "small_id", "COALESCE(a.owner_id, -1)"),
        Column("segment_id", "small_id", "COALESCE(a.segment_id, -1)"),
    ]
    return copy_out(cursor, columns, f"accounts_account a WHERE {accounts.condition('a.id')}", accounts.parameters)
