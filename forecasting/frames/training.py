"""Decided renewals as they stood before their decision: what the likelihood is learned from.

Each is looked at `horizon_days` before its decision, or its due day where that is earlier, or 30, 60 or 90 days before
that, by chance of its id: an open one is asked about on all those days, when its signals may be old or not measured
yet, and that says nothing of it. What has a history is read as it was at the beginning of that day, in the company's
time zone. What has none by then (it was imported later) counts only where no outcome changes it: contract, segment,
industry, region, baseline, and custom attributes of the account that are marked as steady; stage, forecast, the
account's last touch and attributes of the renewal are missing then. Signals are dated facts: those measured by that day
count.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from django.conf import settings

from accounts.exchange import read_rates
from accounts.models import AttributeDefinition, get_company
from forecasting.engine import fitted, timing
from forecasting.engine.arrays import NO_DAY, Booleans, Integers
from forecasting.engine.survivors import Survivors, Waits, fit_survivors, kind_of
from forecasting.frames.binary_copy import Arrays, Column, copy_out
from forecasting.frames.book import (
    ACCOUNT_COLUMNS,
    MISSING,
    OPEN,
    RENEWAL_COLUMNS,
    Accounts,
    Book,
    contract_columns,
    custom_columns,
    read_book,
)
from forecasting.frames.likelihood_columns import (
    COMMON,
    OF_CONTRACT,
    WORKED,
    WORKED_DAYS,
    Attribute,
    Inputs,
    build_columns,
)
from forecasting.frames.rules import Rules, day_number
from forecasting.frames.scoring import Judged, judge, late_calendar_days
from forecasting.periods import days_of_months, months_of_days

# Newest settled renewals that a fit takes: with more it is no better, and takes longer.
MOST_ROWS: Final = 200_000
# Values of a category that are told apart, the most frequent ones.
MOST_NAMES: Final = 200
# Days before the horizon at which each is looked at, 0 to 90: the id alone says which (Fibonacci hashing).
LOOK_STEP: Final = 30
LOOK_DAYS: Final = f"{LOOK_STEP} * (mod(mod(s.id, 65536) * 40503, 65536) / 16384)"
# The day of the look at each renewal `s`, and the columns of it that an outcome may change.
MOMENT: Final = (
    f"((LEAST(s.ordered_on, s.declined_on, s.due_on) - (%s + {LOOK_DAYS})::int)"
    "::timestamp AT TIME ZONE %s)"  # the day's beginning
)
CHANGING: Final = ("stage_id", "forecast", "baseline", "outcome")


@dataclass(frozen=True, eq=False)
class Training:
    """n settled renewals as rows of the engine, in the order of their ids.

    renewal_ids, due   int64[n], int32[n]
    baseline_cents     int64[n], in the currency of each
    survivors          what being open still says of a renewal, learned from the same ones
    known_counts       by custom attribute's column: how many of the rows know its value
    left_out_count     settled renewals that were too many
    gap                fiscal quarters between the newest of them and that of the cut-off
    waits              when each was decided
    """

    rows: fitted.Rows
    renewal_ids: Integers
    due: Integers
    baseline_cents: Integers
    inputs: Inputs
    survivors: Survivors
    known_counts: dict[str, int]
    left_out_count: int
    gap: int
    waits: Waits


def training_rows(
    cursor: Any, rules: Rules, *, cut_off: dt.date, horizon_days: int, most_rows: int = MOST_ROWS
) -> Training:
    """The renewals that were settled by `cut_off` (their last tolerated day lies before it) as they stood before.

    With a past cut-off, what was decided later is not known: an order after it is still to come, and a renewal that had
    lapsed by then counts as lost. Approved exceptions are left out. Where there are more than `most_rows`, accounts
    are left out whole by their ids, then the oldest cohorts.
    """
    cursor.execute("SELECT count(*) FROM renewals_renewal WHERE outcome <> 'open' OR due_on < %s", [cut_off])
    accounts = Accounts.one_in(cursor.fetchone()[0] // (2 * most_rows) + 1)
    rules = replace(rules, inputs=choose_inputs(cursor, cut_off=cut_off, horizon_days=horizon_days))
    book = read_book(cursor, rules, accounts, closed_by=cut_off)
    today = day_number(cut_off)
    hide_later_decisions(book.renewals, today)
    known = _read_past(cursor, rules, accounts, book.renewals, cut_off, horizon_days)
    # On the day of the decision itself much is known only through it.
    looks = look_days(book.renewals["id"])
    judged = judge(book, rules, today, horizon_days=max(horizon_days, 1) + looks)
    places, left_out_count = _settled(book, rules, judged, today, most_rows)
    return _training(book, rules, judged, known.of_renewal & (looks <= WORKED_DAYS), places, left_out_count, today)


def look_days(renewal_ids: Integers) -> Integers:
    """LOOK_DAYS of each: 0, 30, 60 or 90."""
    days: Integers = LOOK_STEP * (renewal_ids.astype(np.int64) % 65536 * 40503 % 65536 // 16384)
    return days


def choose_inputs(cursor: Any, *, cut_off: dt.date, horizon_days: int) -> Inputs:
    """Every column there is, with the names of categories and the rates of the day."""
    company = get_company()
    rates = read_rates(as_of=cut_off, reporting_currency=company.reporting_currency)
    attributes = tuple(_attribute(cursor, one) for one in AttributeDefinition.objects.order_by("key"))
    names = (*COMMON, "region", *OF_CONTRACT, *WORKED, *(one.column for one in attributes))
    return Inputs(
        names=names,
        rates={currency: float(rate) for currency, rate in rates.items()},
        regions=_names(cursor, "accounts_account", "region"),
        products=_names(cursor, "renewals_contract", "product"),
        attributes=attributes,
        horizon_days=horizon_days,
    )


def _attribute(cursor: Any, definition: AttributeDefinition) -> Attribute:
    is_of_account = definition.holder == AttributeDefinition.Holder.ACCOUNT
    names: tuple[str, ...] = ()
    if definition.kind == AttributeDefinition.Kind.CATEGORY:
        table = "accounts_account" if is_of_account else "renewals_renewal"
        names = _names(cursor, table, "attributes ->> %s", definition.key)
    return Attribute(definition.key, definition.kind, is_of_account, definition.is_steady, names)


def _names(cursor: Any, table: str, value: str, *parameters: str) -> tuple[str, ...]:
    """The most frequent values, those of the past included: nobody may have one any more that a decided one had."""
    held = " UNION ALL ".join(f"SELECT {value} AS name FROM {one}" for one in (table, f"{table}event"))
    most_first = f"GROUP BY name ORDER BY count(*) DESC, name LIMIT {MOST_NAMES}"
    cursor.execute(f"SELECT name FROM ({held}) held WHERE name <> '' {most_first}", [*parameters, *parameters])
    return tuple(sorted(name for (name,) in cursor.fetchall()))


def hide_later_decisions(rows: Arrays, today: int) -> None:
    """What came after the cut-off is not known on it. A loss without a day counts from its due day."""
    lost_on = np.where(rows["declined"] == NO_DAY, rows["due"], rows["declined"])
    decided = np.where(rows["ordered"] != NO_DAY, rows["ordered"], lost_on)
    is_later = (rows["outcome"] != OPEN) & (decided > today)
    for name, blank in (("ordered", NO_DAY), ("declined", NO_DAY), ("outcome", OPEN), ("final", MISSING)):
        rows[name] = np.where(is_later, rows[name].dtype.type(blank), rows[name])


@dataclass(frozen=True, eq=False)
class Known:
    """bool[rows of the book]: whether what the renewal, and what the account said of itself, is known of that day."""

    of_renewal: Booleans
    of_account: Booleans


def _read_past(
    cursor: Any, rules: Rules, accounts: Accounts, rows: Arrays, cut_off: dt.date, horizon_days: int
) -> Known:
    """Put each row back to what it was at its horizon, as far as history tells."""
    zone = get_company().time_zone
    moment = cursor.mogrify(MOMENT, [horizon_days, zone]).decode()
    of_interest = f"({accounts.condition.format('s.account_id')}) AND (s.outcome <> 'open' OR s.due_on < %s)"
    parameters = [*accounts.parameters, cut_off]
    order = np.argsort(rows["id"], kind="stable")
    renewal = [column for column in RENEWAL_COLUMNS if column.name in CHANGING]
    has_event: dict[str, Booleans] = {}
    for alias, table, key, columns in (
        ("r", "renewals_renewal", "s.id", [*renewal, *custom_columns(rules, is_of_account=False)]),
        ("a", "accounts_account", "s.account_id", [*ACCOUNT_COLUMNS[1:], *custom_columns(rules, is_of_account=True)]),
        ("c", "renewals_contract", "s.contract_id", contract_columns(rules)[1:]),
    ):
        source = (
            f"renewals_renewal s JOIN LATERAL (SELECT * FROM {table}event e WHERE e.pgh_obj_id = {key}"
            f" AND e.pgh_created_at > {moment} ORDER BY e.pgh_id LIMIT 1) {alias} ON TRUE WHERE {of_interest}"
        )
        past = copy_out(cursor, [Column("s_id", "int8", "s.id"), *columns], source, parameters)
        places = order[np.searchsorted(rows["id"], past.pop("s_id"), sorter=order)]
        has_event[alias] = np.zeros(rows["id"].size, dtype=np.bool_)
        has_event[alias][places] = True
        was_open = np.ones(places.size, dtype=np.bool_)
        if alias == "r":
            # Recorded before the day that it is said to have happened on: then it says what came.
            was_open = past.pop("outcome") == OPEN
            has_event["r"][places[~was_open]] = False
        for name, values in past.items():
            rows[name][places[was_open]] = values[was_open]
    known = _known(cursor, moment, of_interest, parameters, rows, order, has_event["r"])
    forget_unknown(rules, rows, known)
    return known


def _known(
    cursor: Any,
    moment: str,
    of_interest: str,
    parameters: list[object],
    rows: Arrays,
    order: Integers,
    has_event: Booleans,
) -> Known:
    """Known is what was there by then, unless its history has been forgotten since."""
    kept = f"{moment} > now() - make_interval(days => {int(settings.HISTORY_RETENTION_DAYS)})"
    there = copy_out(
        cursor,
        [
            Column("s_id", "int8", "s.id"),
            Column("renewal", "bool", f"({kept} AND s.created_at <= {moment})"),
            Column("account", "bool", f"({kept} AND a.created_at <= {moment})"),
        ],
        f"renewals_renewal s JOIN accounts_account a ON a.id = s.account_id WHERE {of_interest}",
        parameters,
    )
    places = order[np.searchsorted(rows["id"], there["s_id"], sorter=order)]
    of_renewal = np.zeros(rows["id"].size, dtype=np.bool_)
    of_account = of_renewal.copy()
    # Without an event since, a renewal that is decided now was put in decided.
    of_renewal[places] = there["renewal"] & has_event[places]
    of_account[places] = there["account"]
    return Known(of_renewal, of_account)


def forget_unknown(rules: Rules, rows: Arrays, known: Known) -> None:
    """Blank out what an outcome may have changed where its state of that day is not known."""
    rows["forecast"][~known.of_renewal] = MISSING
    rows["last_touch"][~known.of_account] = NO_DAY
    for one in rules.inputs.attributes:
        if one.is_of_account and one.is_steady:
            continue
        values = rows[one.field]
        is_category = one.kind == AttributeDefinition.Kind.CATEGORY
        values[~(known.of_account if one.is_of_account else known.of_renewal)] = MISSING if is_category else np.nan


def _settled(book: Book, rules: Rules, judged: Judged, today: int, most_rows: int) -> tuple[Integers, int]:
    """(places in the book of what is settled, the newest whole cohorts; how many are left out)."""
    rows, policies, policy = book.renewals, rules.policies, judged.policy
    past_due = timing.days_between(rows["due"], today, policies.is_business[policy])
    places = np.flatnonzero(judged.is_closed & ~rows["is_excluded"] & (past_due > policies.late_days[policy]))
    if places.size <= most_rows:
        return places, 0
    quarters = quarters_of_days(rows["due"][places])
    age = quarters.max(initial=0) - quarters
    sizes = np.cumsum(np.bincount(age))
    kept = places[age <= max(int(np.searchsorted(sizes, most_rows, side="right")) - 1, 0)]
    return kept, places.size - kept.size


def quarters_of_days(days: Integers) -> Integers:
    """Running number of the fiscal quarter, int64[n]: what is due in one shares a shock, as it does in the forecast."""
    months = months_of_days(days).astype(np.int64)
    quarters: Integers = (months - (get_company().fiscal_year_start_month - 1)) // 3
    return quarters


def first_days_of_quarters(quarters: Integers) -> Integers:
    """Day number int64[n] on which each running number of `quarters_of_days` begins."""
    return days_of_months(3 * quarters + get_company().fiscal_year_start_month - 1)


def _training(
    book: Book, rules: Rules, judged: Judged, is_worked: Booleans, places: Integers, left_out_count: int, today: int
) -> Training:
    rows = book.renewals
    places = places[np.argsort(rows["id"][places], kind="stable")]
    cohorts, this_quarter = quarters_of_days(rows["due"][places]), int(quarters_of_days(np.array([today]))[0])
    progress = rules.stage_progress[rules.stages_at(rows["stage_id"])]
    columns = build_columns(book, judged, rules.inputs, places=places, progress=progress, is_worked=is_worked)
    outcome = judged.timing[places]
    is_renewed = (outcome >= timing.TimingClass.EARLY) & (outcome <= timing.TimingClass.LATE)
    due, waits = rows["due"][places], _waits(book, rules, judged, places)
    segments = columns["segment"]
    assert isinstance(segments, fitted.Categories)
    counts = {}
    for one in rules.inputs.attributes:
        column = columns[one.column]
        is_known = column.codes >= 0 if isinstance(column, fitted.Categories) else ~np.isnan(column.values)
        counts[one.column] = int(np.count_nonzero(is_known))
    return Training(
        rows=fitted.Rows(
            columns,
            ("segment",) if (segments.codes >= 0).any() else (),
            cohorts,
            is_renewed,
            accounts=rows["account_id"][places],
            scores=judged.risk.score[places],
        ),
        renewal_ids=rows["id"][places],
        due=due,
        baseline_cents=rows["baseline"][places],
        inputs=rules.inputs,
        survivors=fit_survivors(
            segment_ids=waits.segment_ids, kind=waits.kind, decided=waits.places(), is_renewed=is_renewed
        ),
        waits=waits,
        known_counts=counts,
        left_out_count=left_out_count,
        gap=max(this_quarter - int(cohorts.max(initial=this_quarter)) - 1, 0),
    )


def _waits(book: Book, rules: Rules, judged: Judged, places: Integers) -> Waits:
    """One that lapsed, or came back after that, was open to the end."""
    rows, outcome = book.renewals, judged.timing[places]
    notice = np.maximum(rows["notice_days"][places], 0)
    return Waits(
        segment_ids=rows["segment_id"][places],
        kind=kind_of(is_auto_renewing=rows["is_auto_renewing"][places] == 1, notice_days=notice),
        due=rows["due"][places].astype(np.int64),
        decided=judged.decided[places],
        ran_out=(outcome == timing.TimingClass.LAPSED) | (outcome == timing.TimingClass.WIN_BACK),
        notice_days=notice,
        late_days=late_calendar_days(rules.policies, judged.policy[places]),
    )
