"""When an open renewal will be ordered, given that it is renewed. Source: docs/domain.md section 3.

The day of the order relative to the due day has a distribution for each segment, learned from settled renewals and
drawn to that of the whole book. An account's own orders are shrunk to it (m = 5), the newest of them counting three
times (six times in a book of fewer than 500 orders): on the real books that were measured, with many orders an account
and with few, that was better than the plain share. A renewal that is still open on some day is conditioned on that:
what lies before is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.amounts import place_of
from forecasting.engine.arrays import NO_DAY, Booleans, Floats, Integers
from forecasting.engine.log_odds import expit

# Days after the due day at which the cumulated share is kept: each of the 35 around it, where tolerances end; further
# out it is a line from one to the next.
FAR: Final = (400, 365, 270, 180, 150, 120, 90, 75, 60, 45)
KNOTS: Final = np.array([*(-day for day in FAR), *range(-35, 36), *reversed(FAR)])
HORIZONS: Final = (0, 30, 60, 90)  # days after the due day by which a renewal may be in

# With no history at all: half come ten days or more before the due day, nine of ten by 16 days after it.
PRIOR_CENTRE: Final = -10.0
PRIOR_SCALE: Final = 12.0
PRIOR_ORDERS: Final = 10.0
SEGMENT_STRENGTH: Final = 50.0  # orders that the whole book counts as beside a segment's own
ACCOUNT_STRENGTH: Final = 5.0
# How much more the newest of an account's orders counts than another: with few orders in the whole book "as last time"
# says more than shares do.
NEWEST_EXTRA: Final = 2.0
NEWEST_EXTRA_OF_FEW: Final = 5.0
FEW_ORDERS: Final = 500
NOTHING_LEFT: Final = 1e-9


@dataclass(frozen=True, eq=False)
class OrderTiming:
    """shares: float64[s + 1, knots], ordered by each knot; the last row is for a segment that was never seen."""

    segment_ids: Integers
    shares: Floats
    order_count: int

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON."""
        return {
            "segment_ids": self.segment_ids.tolist(),
            "shares": self.shares.tolist(),
            "order_count": self.order_count,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "OrderTiming":
        ids = np.asarray(stored["segment_ids"], dtype=np.int64)
        return cls(ids, np.asarray(stored["shares"], dtype=np.float64), stored["order_count"])

    @classmethod
    def without_history(cls) -> "OrderTiming":
        none = np.empty(0, dtype=np.int64)
        return fit_order_timing(segment_ids=none, delay=none)

    @property
    def newest_extra(self) -> float:
        return NEWEST_EXTRA_OF_FEW if self.order_count < FEW_ORDERS else NEWEST_EXTRA

    def curves(self) -> Floats:
        """float64[s + 1, days], shares by each day from the first knot to the last: a line from knot to knot."""
        day = np.arange(KNOTS[0], KNOTS[-1] + 1)
        after = np.clip(np.searchsorted(KNOTS, day), 1, KNOTS.size - 1)
        along = (day - KNOTS[after - 1]) / (KNOTS[after] - KNOTS[after - 1])
        low, high = self.shares[:, after - 1], self.shares[:, after]
        found: Floats = low + along * (high - low)
        return found

    def share_by(self, segment_ids: Integers, day: Integers) -> Floats:
        """Share of the segment's orders that are in by `day` days after the due day, float64[n]."""
        segment = place_of(self.segment_ids, np.asarray(segment_ids))
        found: Floats = self.curves()[segment, _on_curve(day)]
        return found


def _on_curve(day: Integers) -> Integers:
    found: Integers = np.clip(day, KNOTS[0], KNOTS[-1]) - KNOTS[0]
    return found


def fit_order_timing(*, segment_ids: Integers, delay: Integers) -> OrderTiming:
    """Learn from n settled orders that came within tolerance; `delay` is the order's day less the due day.

    Settled: the last tolerated day is over. With younger ones in it, the early orders of a cohort would count and its
    late ones would not.
    """
    segment_ids, delay = np.asarray(segment_ids), np.asarray(delay)
    segments = np.unique(segment_ids)
    segments = segments[segments >= 0].astype(np.int64)
    # From knot to knot, what comes after the last counted with it.
    step = np.minimum(np.searchsorted(KNOTS, delay), KNOTS.size - 1)
    prior = PRIOR_ORDERS * np.diff(expit((KNOTS - PRIOR_CENTRE) / PRIOR_SCALE), prepend=0.0)
    book = np.bincount(step, minlength=KNOTS.size) + prior
    book /= book.sum()
    cells = np.bincount(place_of(segments, segment_ids) * KNOTS.size + step, minlength=(segments.size + 1) * KNOTS.size)
    own = cells.reshape(-1, KNOTS.size).astype(np.float64)
    own[-1] = 0.0
    shares = (own + SEGMENT_STRENGTH * book) / (own.sum(axis=1, keepdims=True) + SEGMENT_STRENGTH)
    return OrderTiming(segments, np.minimum(np.cumsum(shares, axis=1), 1.0), int(delay.size))


@dataclass(frozen=True, eq=False)
class PastOrders:
    """Orders of a accounts: `keys` sorted, the account's position and the delay as one number (`order_keys`).

    starts  int64[a + 1], where each account's keys begin
    newest  int64[a], delay of the one of the account's orders that was due last; NO_DAY where it has none
    """

    keys: Integers
    newest: Integers
    starts: Integers

    @classmethod
    def of(cls, account: Integers, delay: Integers, due: Integers, account_count: int) -> "PastOrders":
        """Of m orders: the position of each one's account, its delay and the day it was due."""
        order = np.lexsort((delay, due, account))
        newest = np.full(account_count, NO_DAY, dtype=np.int64)
        last = order[np.append(account[order][1:] != account[order][:-1], True)] if order.size else order
        newest[account[last]] = delay[last]
        return cls._of(np.sort(order_keys(account, delay)), newest)

    @classmethod
    def none(cls, account_count: int) -> "PastOrders":
        empty = np.empty(0, dtype=np.int64)
        return cls._of(empty, np.full(account_count, NO_DAY, dtype=np.int64))

    @classmethod
    def _of(cls, keys: Integers, newest: Integers) -> "PastOrders":
        starts = np.searchsorted(keys, order_keys(np.arange(newest.size + 1), np.array(NO_DAY)))
        return cls(keys, newest, starts)

    def counts(self, account: Integers, day: Integers) -> Floats:
        """Orders of each row's account that came by `day` days after their due days."""
        last = np.searchsorted(self.keys, order_keys(account, day), side="right")
        return (last - self.starts[account]).astype(np.float64)


def order_keys(account: Integers, delay: Integers) -> Integers:
    """(account, delay) as one int64, in the same order."""
    keys: Integers = (np.asarray(account, dtype=np.int64) << 33) + delay
    return keys


@dataclass(frozen=True, eq=False)
class OrderChances:
    """Of n open renewals, each as a share of 1 given that it is renewed: float64[n].

    early, on_time  the classes; what is left of 1 is late
    by              float64[4, n]: in by the due day, and 30, 60 and 90 days after it
    """

    early: Floats
    on_time: Floats
    by: Floats

    @property
    def late(self) -> Floats:
        return np.maximum(1.0 - self.early - self.on_time, 0.0)


def order_chances(
    timing: OrderTiming,
    past: PastOrders,
    *,
    account: Integers,
    segment_ids: Integers,
    age: Integers,
    early_days: Integers | int,
    grace_days: Integers | int,
    late_days: Integers | int,
) -> OrderChances:
    """When n renewals that are still open will be ordered. `age` is today less the due day; days are calendar days.

    With e = 2 (5 in a book of few orders) and S(d) = (own orders by day d + e x newest by day d + 5 x the segment's
    share by day d) / (own + e + 5), within the last tolerated day L and after yesterday:

        P(by d) = (S(d) - S(age - 1)) / (S(L) - S(age - 1)),  0 before today, 1 from L on
    """
    age = np.asarray(age, dtype=np.int64)
    early_days, grace_days, late_days = (
        np.broadcast_to(np.asarray(days, dtype=np.int64), age.shape) for days in (early_days, grace_days, late_days)
    )
    newest = past.newest[account]
    has_past: Booleans = newest != NO_DAY
    own_count = np.diff(past.starts)[account]
    curves, segment = timing.curves(), place_of(timing.segment_ids, np.asarray(segment_ids))
    rows_with_past = np.flatnonzero(has_past)
    weight = own_count + timing.newest_extra * has_past + ACCOUNT_STRENGTH

    def share(day: Integers) -> Floats:
        own = timing.newest_extra * (has_past & (newest <= day))
        own[rows_with_past] += past.counts(account[rows_with_past], day[rows_with_past])
        found: Floats = (own + ACCOUNT_STRENGTH * curves[segment, _on_curve(day)]) / weight
        return found

    gone, whole = share(age - 1), share(np.maximum(late_days, age))
    left = whole - gone

    def chance(day: Integers) -> Floats:
        within = np.divide(
            share(np.minimum(day, late_days)) - gone, left, out=np.ones(age.size), where=left > NOTHING_LEFT
        )
        return np.where(day < age, 0.0, np.where(day >= late_days, 1.0, np.clip(within, 0.0, 1.0)))

    early = chance(-early_days - 1)
    by = np.stack([chance(np.full(age.shape, days)) for days in HORIZONS])
    return OrderChances(early, np.maximum(chance(grace_days) - early, 0.0), by)
