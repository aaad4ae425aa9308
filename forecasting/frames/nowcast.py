"""What the decided renewals of quarters under way have told of the shock that their open ones share."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.fitted.horizons import told_shift
from forecasting.engine.fitted.shock import Shock
from forecasting.engine.survivors import clock, kind_of
from forecasting.frames.book import Book
from forecasting.frames.closed import said_of_closed
from forecasting.frames.rules import Rules
from forecasting.frames.scoring import Judged, late_calendar_days
from forecasting.frames.training import first_days_of_quarters, quarters_of_days

# Quarters before and after that of the day: older ones are settled, of later ones too little is decided.
BACK: Final = 2
AHEAD: Final = 3
DIGITS: Final = 2  # of log-odds: a level does not flicker with each decision
LEAST: Final = 10  # decided renewals of a quarter


def with_levels(shock: Shock, book: Book, rules: Rules, judged: Judged, day: int) -> Shock:
    """The shock of a fitted likelihood with the levels of the quarters under way on a day; see engine.fitted.horizons.

    `book` has what was decided by the day, `judged` is of it. As it is where nothing is fitted or nothing is told.
    """
    if rules.likelihood is None or not shock.told or not rules.survivors.decided_steps.size:
        return replace(shock, levels=())
    rows, now = book.renewals, int(quarters_of_days(np.array([day]))[0])
    quarters = quarters_of_days(rows["due"])
    is_near = (quarters >= now - BACK) & (quarters <= now + AHEAD)
    places = np.flatnonzero(judged.is_closed & ~rows["is_excluded"] & is_near)
    log_odds = said_of_closed(book, rules, judged, places) + _decided_steps(book, rules, judged, places, day)
    is_renewed = judged.is_renewed[places]
    levels = []
    for quarter in range(now - BACK, now + AHEAD + 1):
        own = quarters[places] == quarter
        if np.count_nonzero(own) >= LEAST:
            level = round(shock.told * told_shift(log_odds[own], is_renewed[own], shock.size), DIGITS)
            first, after = first_days_of_quarters(np.array([quarter, quarter + 1])).tolist()
            levels.append((first, after - 1, level))
    return replace(shock, levels=tuple(levels))


def _decided_steps(book: Book, rules: Rules, judged: Judged, places: Integers, day: int) -> Floats:
    rows = {name: book.renewals[name][places] for name in ("due", "segment_id", "is_auto_renewing", "notice_days")}
    notice = np.maximum(rows["notice_days"], 0)
    return rules.survivors.decided_log_odds(
        segment_ids=rows["segment_id"],
        kind=kind_of(is_auto_renewing=rows["is_auto_renewing"] == 1, notice_days=notice),
        place=clock(
            days_left=rows["due"].astype(np.int64) - day,
            notice_days=notice,
            late_days=late_calendar_days(rules.policies, judged.policy[places]),
        ),
    )
