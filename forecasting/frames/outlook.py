"""What is expected of each open renewal beside its probability: what it brings, when it is ordered, whether it is paid.

The same arrays whether the rows are a chunk of a run, a book as it stood, or what is stored: what they need to know of
their accounts (the orders of the past, the newest payment signals) is asked for by account.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine import amounts, order_timing
from forecasting.engine.amounts import AmountModel
from forecasting.engine.arrays import NO_DAY, Floats, Integers
from forecasting.engine.fitted.shock import STATED as STATED_SHOCK
from forecasting.engine.fitted.shock import Shock
from forecasting.engine.order_timing import OrderTiming, PastOrders
from forecasting.engine.payments import STATED, PaymentTerms, default_rates
from forecasting.engine.timing import PolicyTable, TimingClass, resolve_policy
from forecasting.frames.binary_copy import Arrays
from forecasting.models import Run

PAYMENT_SIGNALS: Final = ("late_payment_days", "failed_payment_count", "chargeback_count")
MEANS: Final = ("mean_cents", "mean_upsell_cents", "mean_cross_sell_cents")
CHANCES: Final = ("early", "on_time", "by_due", "by_30", "by_60", "by_90")
WHOLE: Final = 60_000  # a chance of 1 as it travels: finer than anything known of it
MISSING: Final = -1


@dataclass(frozen=True, eq=False)
class Outlook:
    """What a run has learned of amounts, of order timing and of the shock that a period's renewals share."""

    amounts: AmountModel
    order_timing: OrderTiming
    shock: Shock
    payments: PaymentTerms = STATED

    def for_run(self) -> dict[str, Any]:
        """The fields of Run that keep it."""
        return {
            "amount_model": self.amounts.to_dict(),
            "order_timing": self.order_timing.to_dict(),
            "shock": asdict(self.shock),
            "payment_terms": asdict(self.payments),
        }

    @classmethod
    def of_run(cls, run: Run | None) -> "Outlook":
        """None, or a run from before these were learned: the stated priors."""
        held, timing, shock = (run.amount_model, run.order_timing, run.shock) if run else (None, None, None)
        return cls(
            AmountModel.from_dict(held) if held else AmountModel.without_history(),
            OrderTiming.from_dict(timing) if timing else OrderTiming.without_history(),
            Shock.from_dict(shock) if shock else STATED_SHOCK,
            PaymentTerms.from_dict(run.payment_terms) if run and run.payment_terms else STATED,
        )


def expected_amounts(rows: Arrays, open_rows: Integers, outlook: Outlook) -> Arrays:
    """Of each open row, if it is renewed: the MEANS of RenewalScore, int64 cents, and float64 the `spread` of what it
    brings and the `highest` that may come of it.

    The mean is split by docs/domain.md section 4.2 in each outcome; its parts are rounded, and it is their sum. Rows
    may have an `uplift`, a factor on what each brings.
    """
    row = {name: rows[name][open_rows] for name in ("segment_id", "baseline", "forecast", "cross_sell", "due")}
    ceiling = amounts.ceilings(
        row["baseline"],
        rows["uplift_cap"][open_rows],
        rows["price_locked"][open_rows],
        row["due"],
        row["cross_sell"],
    )
    found = amounts.outcomes(
        outlook.amounts,
        segment_ids=row["segment_id"],
        baseline=row["baseline"],
        forecast=row["forecast"],
        has_forecast=row["forecast"] != MISSING,
        ceiling=ceiling,
        uplift=rows["uplift"][open_rows] if "uplift" in rows else 1.0,
    )
    cross_sell = np.minimum(row["cross_sell"], found.amounts)
    renewal = np.minimum(found.amounts - cross_sell, row["baseline"])
    mean = found.mean
    kept, across = (np.einsum("kn,kn->n", part, found.weights) for part in (renewal, cross_sell))
    upsell = np.maximum(mean - kept - across, 0.0)
    kept, upsell, across = (np.rint(part).astype(np.int64) for part in (kept, upsell, across))
    means = zip(MEANS, (kept + upsell + across, upsell, across), strict=True)
    return dict(means) | {"spread": np.sqrt(found.variance(mean)), "highest": found.amounts.max(axis=0)}


def mean_amounts(rows: Arrays, timing: Integers, outlook: Outlook) -> Arrays:
    """The MEANS of all rows; 0 of those that are not open."""
    open_rows = np.flatnonzero(timing <= TimingClass.OVERDUE)
    found = expected_amounts(rows, open_rows, outlook)
    means = {name: np.zeros(timing.size, dtype=np.int64) for name in MEANS}
    for name, values in means.items():
        values[open_rows] = found[name]
    return means


def expected_orders(
    rows: Arrays,
    open_rows: Integers,
    outlook: Outlook,
    policies: PolicyTable,
    orders: Mapping[str, NDArray[Any]],
    as_of: int,
) -> Arrays:
    """Of each open row, given that it is renewed: CHANCES, as shares of WHOLE. `orders` are those of `orders_of`.

    Rows may have tolerances of their own, under the names that policies have for them.
    """
    accounts, account = np.unique(rows["account_id"][open_rows], return_inverse=True)
    row = {name: rows[name][open_rows] for name in ("account_id", "segment_id", "industry_id", "due")}
    policy = resolve_policy(
        policies,
        account_ids=row["account_id"],
        segment_ids=row["segment_id"],
        industry_ids=row["industry_id"],
        due=row["due"],
    )
    is_business = policies.is_business[policy]
    early, grace, late = (
        _calendar_days(rows[name][open_rows] if name in rows else getattr(policies, name)[policy], is_business)
        for name in ("early_days", "grace_days", "late_days")
    )
    found = order_timing.order_chances(
        outlook.order_timing,
        _past_orders(accounts, orders),
        account=account,
        segment_ids=row["segment_id"],
        age=as_of - row["due"].astype(np.int64),
        early_days=early,
        grace_days=grace,
        late_days=late,
    )
    chances = dict(zip(CHANCES, (found.early, found.on_time, *found.by), strict=True))
    return {name: np.rint(chance * WHOLE).astype(np.uint16) for name, chance in chances.items()}


def orders_of(rows: Arrays, timing: NDArray[Any]) -> Arrays:
    """The orders within tolerance that are among the rows."""
    within = np.flatnonzero((timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE))
    return {name: rows[name][within] for name in ("account_id", "due", "ordered")}


def account_default_rates(
    account_count: int, signals: Mapping[str, NDArray[Any]], place: Integers, terms: PaymentTerms
) -> Floats:
    """Default probability by account, from the newest of each payment signal that is not blank.

    `place` is the position of each signal's account; the signals are in the order of their days.
    """
    newest: dict[str, Floats] = {}
    for name in PAYMENT_SIGNALS:
        values = signals[name]
        newest[name] = np.full(account_count, np.nan)
        known = np.flatnonzero(~np.isnan(values))
        newest[name][place[known]] = values[known]  # of several for one account the last one stays
    late, failed, chargebacks = (newest[name] for name in PAYMENT_SIGNALS)
    return default_rates(late_days=late, failed_count=failed, chargeback_count=chargebacks, terms=terms)


def _past_orders(accounts: Integers, orders: Mapping[str, NDArray[Any]]) -> PastOrders:
    if not accounts.size:
        return PastOrders.none(0)
    place = np.minimum(np.searchsorted(accounts, orders["account_id"]), accounts.size - 1)
    own = np.flatnonzero((accounts[place] == orders["account_id"]) & (orders["ordered"] != NO_DAY))
    due, ordered = (orders[name][own].astype(np.int64) for name in ("due", "ordered"))
    return PastOrders.of(place[own], ordered - due, due, accounts.size)


def _calendar_days(days: Integers, is_business: NDArray[np.bool_]) -> Integers:
    """Five business days are seven; a weekend more may lie in what is left."""
    return np.where(is_business, days * 7 // 5 + 2 * (days > 0), days)
