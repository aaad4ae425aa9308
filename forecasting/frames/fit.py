"""What a run learns from history before it scores: the likelihood table, each rep's record, the outlook."""

import datetime as dt
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecasting.engine import likelihood, probability, risk, timing
from forecasting.engine.arrays import Booleans, Integers
from forecasting.frames.binary_copy import Column, copy_out
from forecasting.frames.book import OPEN, Accounts, Book, read_book
from forecasting.frames.closed import said_before_decision
from forecasting.frames.learn_outlook import learn_outlook
from forecasting.frames.nowcast import with_levels
from forecasting.frames.outlook import Outlook
from forecasting.frames.rules import Rules, day_number
from forecasting.frames.scoring import DECISION_HORIZON_DAYS, Judged, confidence_rates, judge
from forecasting.frames.training import hide_later_decisions

# Rates of some dozens of cells do not get better with more: a larger book is read by every n-th account, whole.
FIT_ROWS: Final = 100_000


class Learned(NamedTuple):
    rates: likelihood.RateTable
    records: probability.RepRecords
    outlook: Outlook


def fit_history(cursor: Any, rules: Rules, as_of: dt.date) -> Learned:
    """Fit all on the closed renewals of the book; of every n-th account where there are more than FIT_ROWS of them.

    What was decided after `as_of` is not known on it, so that a past day learns what it could have learned.

    Reps are measured against the fitted likelihood of `rules`, and the shock is its own, where there is one.
    """
    cursor.execute("SELECT count(*) FROM renewals_renewal WHERE outcome <> 'open' OR due_on < %s", [as_of])
    accounts = Accounts.one_in(-(-cursor.fetchone()[0] // FIT_ROWS))
    book = read_book(cursor, rules, accounts, closed_by=as_of).by_id()
    hide_later_decisions(book.renewals, day_number(as_of))
    judged = judge(book, rules, day_number(as_of))
    rows, policies, policy = book.renewals, rules.policies, judged.policy
    is_counted = judged.is_closed & ~rows["is_excluded"]
    band = risk.risk_band(judged.risk.score)
    rates = likelihood.fit_rates(
        segment_ids=rows["segment_id"][is_counted],
        band=band[is_counted],
        timing=judged.timing[is_counted],
        due=rows["due"][is_counted],
        lost_on=rows["declined"][is_counted],
        early_days=policies.early_days[policy][is_counted],
        grace_days=policies.grace_days[policy][is_counted],
        late_days=policies.late_days[policy][is_counted],
        is_business=policies.is_business[policy][is_counted],
        cut_off=day_number(as_of),
    )
    is_call = is_counted & (rows["outcome"] != OPEN)
    records = _measure_reps(cursor, book, replace(rules, rates=rates), judged, is_call)
    model = rules.likelihood
    shock = with_levels(model.shock, book, rules, judged, day_number(as_of)) if model else None
    outlook = learn_outlook(cursor, book, rules, judged, accounts=accounts, as_of=as_of, shock=shock)
    return Learned(rates, records, outlook)


def _measure_reps(
    cursor: Any,
    book: Book,
    rules: Rules,
    judged: Judged,
    is_call: Booleans,
) -> probability.RepRecords:
    """Records from the confidence that each row had at its decision horizon, and the likelihood it would have had."""
    confidence, owner = calls_before_decision(cursor, book.renewals)
    is_renewed = (judged.timing >= timing.TimingClass.EARLY) & (judged.timing <= timing.TimingClass.LATE)
    calls = np.flatnonzero(is_call & (owner >= 0) & (confidence >= 0))
    return probability.measure_reps(
        rep_ids=owner[calls],
        confidence=confidence_rates(confidence[calls]),
        likelihood=said_before_decision(book, rules, judged, calls),
        is_renewed=is_renewed[calls],
    )


EVENT_COLUMNS: Final = (
    Column("id", "int8", "e.pgh_obj_id"),
    Column("confidence", "int2", "COALESCE(e.confidence, -1)"),
    Column("owner_id", "small_id", "COALESCE(e.owner_id, -1)"),
)


def calls_before_decision(
    cursor: Any, rows: dict[str, NDArray[Any]], horizon_days: int = DECISION_HORIZON_DAYS
) -> tuple[Integers, Integers]:
    """(confidence, owner) of each row as they stood so many days before its decision.

    History keeps a row as it was before each change: what it was at a moment is its first event after that moment, or
    the row itself where there is none.
    """
    events = copy_out(
        cursor,
        EVENT_COLUMNS,
        "(SELECT DISTINCT ON (e.pgh_obj_id) e.pgh_obj_id, e.confidence, e.owner_id FROM renewals_renewalevent e"
        " JOIN renewals_renewal r ON r.id = e.pgh_obj_id WHERE r.outcome <> 'open' AND e.pgh_created_at >"
        " LEAST(r.ordered_on, r.declined_on, r.due_on) - make_interval(days => %s)"
        " ORDER BY e.pgh_obj_id, e.pgh_created_at, e.pgh_id) e",
        [horizon_days],
    )
    confidence, owner = rows["confidence"].copy(), rows["owner_id"].copy()
    if events["id"].size:
        place = np.minimum(np.searchsorted(events["id"], rows["id"]), events["id"].size - 1)
        has_event = events["id"][place] == rows["id"]
        np.copyto(confidence, events["confidence"][place], where=has_event)
        np.copyto(owner, events["owner_id"][place], where=has_event)
    return confidence, owner
