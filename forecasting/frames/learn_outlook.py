"""What a run learns from settled renewals beside their likelihood: what they brought, when, and what they shared."""

import datetime as dt
from typing import Any, Final

import numpy as np

from forecasting.engine.amounts import ceilings, fit_amounts
from forecasting.engine.arrays import NO_DAY, Integers
from forecasting.engine.fitted.shock import Shock
from forecasting.engine.likelihood import COHORT_DAYS
from forecasting.engine.order_timing import fit_order_timing
from forecasting.engine.past_shock import learn_past_shock
from forecasting.engine.timing import TimingClass
from forecasting.frames.binary_copy import Column, copy_out
from forecasting.frames.book import MISSING, Accounts, Book
from forecasting.frames.outlook import Outlook
from forecasting.frames.rules import Rules, day_number
from forecasting.frames.scoring import DECISION_HORIZON_DAYS, Judged

CEILING_COLUMNS: Final = ("baseline", "uplift_cap", "price_locked", "due", "cross_sell")


def learn_outlook(
    cursor: Any, book: Book, rules: Rules, judged: Judged, *, accounts: Accounts, as_of: dt.date, shock: Shock | None
) -> Outlook:
    """From the closed renewals of some accounts; `shock` is that of the fitted likelihood in use, if there is one.

    Amounts are learned from everything that was renewed, order timing and shock from settled cohorts only: those whose
    last tolerated day is over.
    """
    rows, today = book.renewals, day_number(as_of)
    policy = judged.policy
    late = rules.policies.late_days[policy] * np.where(rules.policies.is_business[policy], 7, 5) // 5 + 3
    is_counted = judged.is_closed & ~rows["is_excluded"]
    is_renewed = (judged.timing >= TimingClass.EARLY) & (judged.timing <= TimingClass.LATE)
    is_settled = is_counted & (rows["due"].astype(np.int64) + late < today)
    brought, ordered = is_counted & is_renewed, is_settled & is_renewed & (rows["ordered"] != NO_DAY)
    if shock is None:
        shock = learn_past_shock(
            segment_ids=rows["segment_id"][is_settled],
            cohort=-((today - rows["due"][is_settled].astype(np.int64)) // COHORT_DAYS),
            is_renewed=is_renewed[is_settled],
        )
    forecast = _forecasts_before_decision(cursor, accounts, rows["id"])
    return Outlook(
        fit_amounts(
            segment_ids=rows["segment_id"][brought],
            baseline=rows["baseline"][brought],
            forecast=forecast[brought],
            renewed=rows["final"][brought],
            ceiling=ceilings(*(rows[name][brought] for name in CEILING_COLUMNS)),
        ),
        fit_order_timing(
            segment_ids=rows["segment_id"][ordered],
            delay=rows["ordered"][ordered].astype(np.int64) - rows["due"][ordered],
        ),
        shock,
    )


FORECAST_COLUMNS = (
    Column("id", "int8", "r.id"),
    Column(
        "forecast",
        "int8",
        "CASE WHEN e.pgh_id IS NOT NULL THEN COALESCE(e.forecast_amount * 100, -1)"
        " WHEN r.created_at <= h.moment THEN COALESCE(r.forecast_amount * 100, -1) ELSE -1 END",
    ),
)
# What a row was at a moment is its first event after it, or the row itself. One that was only brought in after its
# decision says nothing of what the rep thought before.
FORECASTS = (
    "renewals_renewal r CROSS JOIN LATERAL"
    " (SELECT LEAST(r.ordered_on, r.declined_on, r.due_on) - make_interval(days => %s) AS moment) h"
    " LEFT JOIN LATERAL (SELECT e.pgh_id, e.forecast_amount FROM renewals_renewalevent e WHERE e.pgh_obj_id = r.id"
    " AND e.pgh_created_at > h.moment ORDER BY e.pgh_id LIMIT 1) e ON r.created_at <= h.moment"
    " WHERE r.outcome = 'renewed' AND {}"
)


def _forecasts_before_decision(cursor: Any, accounts: Accounts, renewal_ids: Integers) -> Integers:
    """The rep's forecast amount of each renewal in cents as it stood at its decision horizon; MISSING where unknown."""
    source = FORECASTS.format(accounts.condition.format("r.account_id"))
    found = copy_out(cursor, FORECAST_COLUMNS, source, [DECISION_HORIZON_DAYS, *accounts.parameters])
    forecast: Integers = np.full(renewal_ids.size, MISSING, dtype=np.int64)
    order = np.argsort(renewal_ids, kind="stable")
    if renewal_ids.size and found["id"].size:
        place = order[np.minimum(np.searchsorted(renewal_ids, found["id"], sorter=order), renewal_ids.size - 1)]
        is_here = renewal_ids[place] == found["id"]
        forecast[place[is_here]] = found["forecast"][is_here]
    return forecast
