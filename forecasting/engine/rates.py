"""Renewal rates of a period: what was due, what was kept, and when it came. Source: docs/domain.md section 4.3.

The cohort of a period P is every renewal with its due day in P, less approved exceptions. Renewed means early,
on time or late; a win-back had lapsed and is not a renewal. Lapsed counts as lost until it is revived. A rate with
nothing to divide by is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.timing import NO_DAY, TimingClass


class Attribution(StrEnum):
    """Which period an early or late renewal counts in.

    due_period    the period it was due in, whenever it was ordered
    order_period  the period it was ordered in
    hybrid        early ones are held until the period they are due in; late ones count when they are ordered,
                  so they are a loss to the period they were due in and a windfall to the one they came in
    """

    DUE_PERIOD = "due_period"
    ORDER_PERIOD = "order_period"
    HYBRID = "hybrid"


@dataclass(frozen=True, eq=False)
class Book:
    """Arrays of n renewals: the whole book, of which a period takes its part. Amounts in cents."""

    baseline: Integers
    renewed: Integers
    due: Integers
    ordered: Integers
    timing: Integers
    is_excluded: Booleans
    account_ids: Integers

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
            if getattr(self, name).shape != self.baseline.shape:
                raise ValueError(f"{name} has {getattr(self, name).size} rows, baseline has {self.baseline.size}")

    def where(self, is_chosen: Booleans) -> "Book":
        return Book(*(getattr(self, name)[is_chosen] for name in self.__dataclass_fields__))

    @property
    def is_renewed(self) -> Booleans:
        return _is_within(self.timing, TimingClass.EARLY, TimingClass.LATE)

    @property
    def is_lost(self) -> Booleans:
        return np.isin(self.timing, (TimingClass.LOST, TimingClass.LAPSED, TimingClass.WIN_BACK))

    @property
    def is_win_back(self) -> Booleans:
        return np.equal(self.timing, TimingClass.WIN_BACK)

    @property
    def kept(self) -> Integers:
        """min(R, B) of each renewal that renewed, else 0."""
        return np.where(self.is_renewed, np.minimum(self.renewed, self.baseline), 0)


@dataclass(frozen=True)
class Share:
    """Shares of the renewed value or count; they add up to 1."""

    early: float
    on_time: float
    late: float


@dataclass(frozen=True)
class PeriodRates:
    """Rates of one period. Baselines of renewed + lost + open past due + open = atr, to the cent.

    `renewed_cents` (sum of R) and `kept_cents` (sum of min(R, B)) follow the attribution, and with them gross, net,
    logo and on-time rate and the mixes. In-period, final, resolution, close and conversion rates are by definition
    those of the cohort.
    """

    attribution: str
    due_count: int
    renewed_count: int
    account_count: int
    atr_cents: int
    renewed_cents: int
    kept_cents: int
    lost_cents: int
    open_past_due_cents: int
    open_past_due_count: int
    open_cents: int
    gross_rate: float | None
    net_rate: float | None
    logo_rate: float | None
    in_period_rate: float | None
    final_rate: float | None
    on_time_rate: float | None
    resolution_rate: float | None
    close_rate: float | None
    conversion_rate: float | None
    value_mix: Share | None
    count_mix: Share | None
    win_back_count: int
    win_back_cents: int


def period_rates(
    book: Book,
    first_day: int,
    last_day: int,
    *,
    today: int,
    attribution: Attribution = Attribution.DUE_PERIOD,
) -> PeriodRates:
    """Rates of the period from `first_day` to `last_day`, both included, as known at `today`.

        gross = sum min(R, B) / atr          net = sum R / atr          on time = sum min(R, B) of early, on_time / atr
        logo = accounts with a renewal renewed / accounts with one due
        in period = gross of those ordered by the last day of P         final = gross at any order day
        resolution = decided / atr, close = renewed / decided (baselines), conversion = sum R / renewed baseline

    resolution x close x conversion = net rate of the cohort. An open renewal past its due day is neither renewed
    nor lost until it orders, is lost or lapses.
    """
    cohort = book.where(_is_within(book.due, first_day, last_day) & ~book.is_excluded)
    credited = book.where(_is_credited(book, first_day, last_day, attribution))
    atr = _total(cohort.baseline)
    renewed_baseline, lost = _total(cohort.baseline[cohort.is_renewed]), _total(cohort.baseline[cohort.is_lost])
    is_past_due = (cohort.timing < TimingClass.LAPSED) & (cohort.due < today)
    past_due = _total(cohort.baseline[is_past_due])
    account_count = np.unique(cohort.account_ids).size
    kept, renewed = _total(credited.kept), _total(credited.renewed)
    return PeriodRates(
        attribution=attribution.value,
        due_count=cohort.due.size,
        renewed_count=credited.due.size,
        account_count=account_count,
        atr_cents=atr,
        renewed_cents=renewed,
        kept_cents=kept,
        lost_cents=lost,
        open_past_due_cents=past_due,
        open_past_due_count=int(is_past_due.sum()),
        open_cents=atr - renewed_baseline - lost - past_due,
        gross_rate=_ratio(kept, atr),
        net_rate=_ratio(renewed, atr),
        logo_rate=_ratio(np.unique(credited.account_ids).size, account_count),
        in_period_rate=_ratio(_total(cohort.kept[cohort.ordered <= last_day]), atr),
        final_rate=_ratio(_total(cohort.kept), atr),
        on_time_rate=_ratio(_total(credited.kept[credited.timing <= TimingClass.ON_TIME]), atr),
        resolution_rate=_ratio(renewed_baseline + lost, atr),
        close_rate=_ratio(renewed_baseline, renewed_baseline + lost),
        conversion_rate=_ratio(_total(cohort.renewed[cohort.is_renewed]), renewed_baseline),
        value_mix=_mix(credited.timing, credited.renewed),
        count_mix=_mix(credited.timing, np.ones(credited.due.size, dtype=np.int64)),
        win_back_count=int(cohort.is_win_back.sum()),
        win_back_cents=_total(cohort.renewed[cohort.is_win_back]),
    )


def rates_by_period(
    book: Book,
    bounds: Sequence[tuple[int, int]],
    *,
    today: int,
    attribution: Attribution = Attribution.DUE_PERIOD,
) -> list[PeriodRates]:
    """`period_rates` of each (first_day, last_day)."""
    return [period_rates(book, first, last, today=today, attribution=attribution) for first, last in bounds]


def trailing_curve(book: Book, first_day: int, last_day: int, *, today: int, days: Sequence[int] = range(91)) -> Floats:
    """Share of the period's atr kept by each of `days` after the due day, float64[len(days)]; days may be negative.

    NaN for a day that part of the cohort has not reached at `today`, and everywhere when nothing was due.
    """
    cohort = book.where(_is_within(book.due, first_day, last_day) & ~book.is_excluded)
    atr, wanted = _total(cohort.baseline), np.asarray(days, dtype=np.int64)
    if atr == 0:
        return np.full(wanted.size, np.nan)
    is_renewed = cohort.is_renewed
    delay = (cohort.ordered.astype(np.int64) - cohort.due)[is_renewed]
    order = np.argsort(delay, kind="stable")
    kept_so_far = np.concatenate(([0], np.cumsum(cohort.kept[is_renewed][order])))
    share = kept_so_far[np.searchsorted(delay[order], wanted, side="right")] / atr
    share[wanted > today - int(cohort.due.max())] = np.nan
    return share


def _is_within(day: Integers, first_day: int, last_day: int) -> Booleans:
    is_within: Booleans = (day >= first_day) & (day <= last_day)
    return is_within


def _is_credited(book: Book, first_day: int, last_day: int, attribution: Attribution) -> Booleans:
    """Renewed and counted in this period under the attribution."""
    match attribution:
        case Attribution.DUE_PERIOD:
            day = book.due
        case Attribution.ORDER_PERIOD:
            day = book.ordered
        case Attribution.HYBRID:
            day = np.maximum(book.due, book.ordered)
    is_ordered: Booleans = book.ordered != NO_DAY
    return _is_within(day, first_day, last_day) & book.is_renewed & ~book.is_excluded & is_ordered


def _total(cents: Integers) -> int:
    return int(cents.sum(dtype=np.int64))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mix(timing: Integers, weights: Integers) -> Share | None:
    total = _total(weights)
    if not total:
        return None
    early, on_time, late = (
        _total(weights[timing == timing_class]) / total
        for timing_class in (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE)
    )
    return Share(early, on_time, late)
