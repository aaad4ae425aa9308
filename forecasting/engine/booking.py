"""One renewal split into booking types. Source: docs/domain.md section 4.2."""

from dataclasses import dataclass

import numpy as np

from forecasting.engine.arrays import Floats, Integers, reject_rows


@dataclass(frozen=True, eq=False)
class BookingSplit:
    """int64[n] cents each. renewed = baseline + upsell + cross_sell - downsell - churn, to the cent."""

    renewal: Integers
    upsell: Integers
    cross_sell: Integers
    downsell: Integers
    churn: Integers


def split(baseline: Integers, renewed: Integers, cross_sell: Integers | int = 0) -> BookingSplit:
    """Split the renewed recurring value R of each renewal against its baseline B, all in cents.

    `cross_sell` is the part of R on products that were not in the contract; the rest S = R - cross_sell is compared
    with B:

        renewal = min(S, B), upsell = max(S - B, 0), churn = B where R = 0, downsell = B - min(S, B) where R > 0

    Raises ValueError naming row, field and value for a negative amount, or a cross-sell above the renewed value.
    """
    baseline, renewed = np.asarray(baseline, dtype=np.int64), np.asarray(renewed, dtype=np.int64)
    cross_sell = np.broadcast_to(np.asarray(cross_sell, dtype=np.int64), baseline.shape)
    for field, amounts in (("baseline", baseline), ("renewed", renewed), ("cross_sell", cross_sell)):
        reject_rows(amounts < 0, field, amounts, "is below 0")
    reject_rows(cross_sell > renewed, "cross_sell", cross_sell, "is above the renewed value")
    same_products = renewed - cross_sell
    renewal = np.minimum(same_products, baseline)
    unrenewed = baseline - renewal
    is_renewed = renewed > 0
    return BookingSplit(
        renewal=renewal,
        upsell=same_products - renewal,
        cross_sell=cross_sell.copy(),
        downsell=np.where(is_renewed, unrenewed, 0),
        churn=np.where(is_renewed, 0, unrenewed),
    )


def weighted(probability: Floats, cents: Integers) -> Integers:
    """probability x cents of each row, int64[n], to the cent, half to even: what it is expected to bring."""
    found: Integers = np.rint(probability * cents).astype(np.int64)
    return found
