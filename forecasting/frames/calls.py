"""Closed calls as they stood some days before the decision, beside what the model says of such renewals."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np

from forecasting.engine import timing
from forecasting.engine.calls import Tally, join_unseen, tally_calls
from forecasting.frames.book import OPEN, Accounts, read_book
from forecasting.frames.closed import said_before_decision
from forecasting.frames.fit import FIT_ROWS, calls_before_decision
from forecasting.frames.rules import Rules, day_number
from forecasting.frames.scoring import confidence_rates, judge

HORIZONS: Final = (90, 60, 30, 0)


def read_tallies(cursor: Any, rules: Rules, as_of: dt.date) -> dict[int, dict[int, Tally]]:
    """By horizon in days and rep, the owner of that day. Of every n-th account where the book is large.

    The likelihood is that of the run, as it would have been said on that day: what reps' weights are measured against.
    """
    cursor.execute("SELECT count(*) FROM renewals_renewal WHERE outcome <> 'open'")
    accounts = Accounts.one_in(-(-cursor.fetchone()[0] // FIT_ROWS))
    book = read_book(cursor, rules, accounts, closed_by=as_of)
    rows, found = book.renewals, {}
    for horizon in HORIZONS:
        # On the day of the decision itself much is known only through it.
        judged = judge(book, rules, day_number(as_of), horizon_days=max(horizon, 1))
        confidence, owner = calls_before_decision(cursor, rows, horizon)
        is_call = judged.is_closed & (rows["outcome"] != OPEN) & ~rows["is_excluded"] & (owner >= 0)
        is_call &= confidence >= 0
        is_renewed = (judged.timing >= timing.TimingClass.EARLY) & (judged.timing <= timing.TimingClass.LATE)
        calls = {
            "rep_ids": owner[is_call].astype(np.int64),
            "confidence": confidence_rates(confidence[is_call]),
            "likelihood": said_before_decision(book, rules, judged, np.flatnonzero(is_call)),
            "is_renewed": is_renewed[is_call],
        }
        joined = join_unseen(**calls, account_ids=rows["account_id"][is_call])
        found[horizon] = tally_calls(**calls, joined=joined)
    return found
