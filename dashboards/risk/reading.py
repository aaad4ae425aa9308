"""The rows under the risk page: what is open now, and what two periods lost and to what.

Amounts are cents of the reporting currency, each renewal converted by itself, as in the cells: sums are exact.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import HealthBand
from dashboards.frame import Frame, PeriodTotal
from dashboards.rollups.facts import SOURCE
from forecasting.engine.arrays import NO_ID, Booleans, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames import SCORED, Arrays, Column, copy_out, read_reporting
from forecasting.frames.book import MISSING, currency_column
from forecasting.frames.converted import converted_cents
from forecasting.scopes.slices import within
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM

BANDS: Final = ("high", "medium", "low", "unscored")
UNKNOWN: Final = -1  # of a health band, a health score and a risk score
SURE_FROM, DOUBTED_BELOW = 0.7, 0.5  # forecast probability that contradicts poor health, or good health
CHURN, DOWNSELL = 0, 1
OPEN_COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("account_id", "int8", "r.account_id"),
    Column("segment_id", "int8", f"COALESCE(a.segment_id, {NO_ID})"),
    Column("due", "date", "r.due_on"),
    Column("timing", "int2", "s.timing_class"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("mean", "int8", "s.mean_cents"),
    Column("risk", "float8", f"COALESCE(s.risk_score, {UNKNOWN})"),
    Column("probability", "float8", "s.probability"),
    Column("health", "float8", f"COALESCE(h.score, {UNKNOWN})"),
    Column("health_band", "int2", f"COALESCE(h.band, {UNKNOWN})"),
    Column("is_commit", "bool", "(g.forecast_category = 'commit')"),
)
OPEN_SOURCE: Final = (
    f"{SOURCE} JOIN renewals_stage g ON g.id = r.stage_id LEFT JOIN accounts_accounthealth h ON h.account_id = a.id"
)
GONE: Final = tuple(int(one) for one in (TimingClass.LAPSED, TimingClass.LOST, TimingClass.WIN_BACK))
KEPT: Final = tuple(int(one) for one in (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE))
# Of renewed ones, those that may be worth less than before: most are not. What is converted with its cross-sell apart
# may lose a cent by it.
GIVEN_UP: Final = "(COALESCE(r.final_amount, 0) < r.baseline_amount OR r.cross_sell_amount > 0)"
LOST_COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("owner_id", "int8", f"COALESCE(r.owner_id, {NO_ID})"),
    Column("segment_id", "int8", f"COALESCE(a.segment_id, {NO_ID})"),
    Column("reason_id", "int8", f"COALESCE(r.churn_reason_id, {NO_ID})"),
    Column("product_id", "int8", "hashtextextended(c.product, 0)"),
    Column("due", "date", "r.due_on"),
    Column("timing", "int2", "s.timing_class"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("renewed", "int8", "COALESCE(r.final_amount, 0) * 100"),
    Column("cross_sell", "int8", "r.cross_sell_amount * 100"),
)


def read_open(frame: Frame) -> Arrays:
    """Every open renewal of the scope that counts: the columns above. None as at a past moment."""
    if frame.past is not None:
        return {column.name: np.zeros(0, dtype=np.int64) for column in OPEN_COLUMNS}
    # What has lapsed is left out here: said to the database too, it takes the two for independent, expects a fifth of
    # the rows, and looks up each one's account by itself.
    rows = _read(frame, OPEN_COLUMNS, OPEN_SOURCE, "r.outcome = 'open'", [], ("baseline", "mean"))
    is_live = rows["timing"] <= TimingClass.OVERDUE
    return {name: values[is_live] for name, values in rows.items()}


def _read(
    frame: Frame,
    columns: Sequence[Column],
    source: str,
    condition: str,
    parameters: Sequence[object],
    amounts: Sequence[str],
) -> Arrays:
    report = read_reporting(as_of=frame.as_of)
    where, values = within(frame.scope)
    with connection.cursor() as cursor:
        rows = copy_out(
            cursor,
            [*columns, currency_column(report.currencies)],
            f"{source} WHERE NOT r.is_excluded AND {condition} AND {where}",
            [*parameters, *values],
        )
    rows = {name: values[rows["currency"] != MISSING] for name, values in rows.items()}
    currency = rows["currency"].astype(np.int64)
    return rows | {name: converted_cents(rows[name], currency, report.rates) for name in amounts}


def in_band(rows: Arrays, band: str) -> Booleans:
    score = rows["risk"]
    found: Booleans = {
        "high": score >= HIGH_RISK_FROM,
        "medium": (score >= MEDIUM_RISK_FROM) & (score < HIGH_RISK_FROM),
        "low": (score >= 0) & (score < MEDIUM_RISK_FROM),
        "unscored": score < 0,
    }[band]
    return found


def over_forecast(rows: Arrays) -> Booleans:
    """In commit, or with a high forecast probability, of an account of poor health."""
    found: Booleans = (rows["health_band"] == HealthBand.POOR) & (
        rows["is_commit"].astype(np.bool_) | (rows["probability"] >= SURE_FROM)
    )
    return found


def under_forecast(rows: Arrays) -> Booleans:
    """Forecast to be rather lost, of a healthy account."""
    found: Booleans = (rows["health_band"] == HealthBand.HEALTHY) & (rows["probability"] < DOUBTED_BELOW)
    return found


def largest(rows: Arrays, chosen: Booleans, amounts: Integers, count: int) -> Integers:
    """Where the largest of the chosen rows are, the largest first, ties by id."""
    at = np.flatnonzero(chosen)
    found: Integers = at[np.lexsort([rows["id"][at], -amounts[at]])][:count]
    return found


@dataclass(frozen=True)
class Contributor:
    """What a reason, segment, booking type, owner and product lost, in cents; ids are NO_ID where there is none.

    `product_id` stands for the words of the contract's product, which are those of the renewal `example_id`.
    """

    reason_id: int
    segment_id: int
    booking: int
    owner_id: int
    product_id: int
    example_id: int
    before_cents: int
    now_cents: int

    @property
    def change_cents(self) -> int:
        return self.now_cents - self.before_cents


def read_lost(frame: Frame, before: PeriodTotal | None, chosen: PeriodTotal) -> list[Contributor]:
    """By reason, segment, booking type, owner and product, those that changed most first.

    They add up to the cells' lost and downsell of the two periods. None as at a past moment.

    Lost is the baseline of what was declined, has lapsed, or lapsed and was won back; downsell what renewed ones gave
    up of theirs.
    """
    if frame.past is not None:
        return []
    first_on = before.starts_on if before else chosen.starts_on
    rows = _read(
        frame,
        LOST_COLUMNS,
        SCORED,
        f"r.due_on BETWEEN %s AND %s AND (s.timing_class IN %s OR s.timing_class IN %s AND {GIVEN_UP})",
        [first_on, chosen.ends_on, GONE, KEPT],
        ("baseline", "renewed", "cross_sell"),
    )
    is_won = (rows["timing"] >= TimingClass.EARLY) & (rows["timing"] <= TimingClass.LATE)
    kept = rows["renewed"] - np.minimum(rows["cross_sell"], rows["renewed"])
    cents = np.where(is_won, np.maximum(rows["baseline"] - kept, 0), rows["baseline"])
    is_now = rows["due"] >= (chosen.starts_on - dt.date(1970, 1, 1)).days
    booking = np.where(is_won, DOWNSELL, CHURN)
    return _contributors(rows, booking, cents, is_now)


def _contributors(rows: Arrays, booking: NDArray[Any], cents: Integers, is_now: Booleans) -> list[Contributor]:
    some = np.flatnonzero(cents)
    keys = np.stack([rows["reason_id"], rows["segment_id"], booking, rows["owner_id"], rows["product_id"]], axis=1)[
        some
    ]
    known, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    sums = np.zeros((2, len(known)), dtype=np.int64)
    np.add.at(sums, (is_now[some].astype(np.int64), place.reshape(-1)), cents[some])
    found = [
        Contributor(key[0], key[1], key[2], key[3], key[4], example, int(old), int(new))
        for key, example, old, new in zip(
            known.tolist(), rows["id"][some][first].tolist(), sums[0], sums[1], strict=True
        )
    ]
    return sorted(found, key=lambda one: (-abs(one.change_cents), *_ids(one)))


def _ids(one: Contributor) -> tuple[int, ...]:
    return one.reason_id, one.segment_id, one.owner_id, one.booking, one.product_id


def added(contributors: Sequence[Contributor], name: str) -> list[tuple[int, int, int]]:
    """(key, before, now) of one of their dimensions, the largest change first."""
    before: Counter[int] = Counter()
    now: Counter[int] = Counter()
    for one in contributors:
        before[getattr(one, name)] += one.before_cents
        now[getattr(one, name)] += one.now_cents
    return sorted(((key, before[key], now[key]) for key in before), key=lambda part: (-abs(part[2] - part[1]), part[0]))
