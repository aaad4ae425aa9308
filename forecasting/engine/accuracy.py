"""What forecasts were worth, added up: by horizon, forecaster and group, over as many periods as there are.

Everything kept is a sum, so that periods are measured one after the other and nothing of their rows stays. Sources:
docs/domain.md section 5 (WAPE, bias, Brier score, calibration, coverage); `fitted.metrics` has the measures of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.fitted.metrics import NORMAL_95, log_losses

# By group: |forecast - came| and forecast - came of each period, what came, and what chance alone leaves of the error;
# then of open rows: how many, squared errors, log losses, what was said, what came, and the variance of that.
# Last, of periods with a band: how many, and how many of them held what came.
SUMS: Final = (
    "error",
    "miss",
    "came_amount",
    "chance",
    "periods",
    "due",
    "judged",
    "squared",
    "log_loss",
    "said",
    "came",
    "variance",
    "banded",
    "held",
)
MEAN_OF_NORMAL: Final = float(np.sqrt(2 / np.pi))  # E|x| of x ~ N(0, 1)
SHARES: Final = 100  # bins of probability that tenths are put together from


@dataclass(frozen=True, eq=False)
class Replay:
    """n renewals of one period as one forecaster saw them at one origin.

    forecast    float64[n] money expected of each: what it has brought, or p times what it would bring
    came        float64[n] money that it brought in the end
    p           float64[n], of open ones the forecast probability; else unused
    is_open     bool[n], not decided by the origin
    is_renewed  bool[n]
    variance    float64[n] of the money if p is right and renewals are independent; 0 of decided ones
    """

    forecast: Floats
    came: Floats
    p: Floats
    is_open: Booleans
    is_renewed: Booleans
    variance: Floats


def add_up(rows: Replay, group: Integers, group_count: int) -> NDArray[Any]:
    """SUMS of one period, float64[group_count, len(SUMS)]; `group` int[n] is -1 of rows that are in none.

    What chance alone leaves of a total's error is sqrt(2 V / pi) on average, V the sum of the variances: the mean
    distance of a normal sum.
    """
    found = np.zeros((group_count, len(SUMS)))
    kept = np.flatnonzero(group >= 0)

    def summed(values: NDArray[Any], places: Integers = kept) -> Floats:
        return np.bincount(group[places], values[places], group_count).astype(np.float64)

    forecast, came = summed(rows.forecast), summed(rows.came)
    is_open = kept[rows.is_open[kept]]
    p, y = np.where(rows.is_open, rows.p, 0.5), rows.is_renewed.astype(np.float64)
    ones = np.ones(group.size)
    columns = {
        "error": np.abs(forecast - came),
        "miss": forecast - came,
        "came_amount": came,
        "chance": MEAN_OF_NORMAL * np.sqrt(summed(rows.variance)),
        "due": summed(ones),
        "judged": summed(ones, is_open),
        "squared": summed((p - y) ** 2, is_open),
        "log_loss": summed(log_losses(p, rows.is_renewed), is_open),
        "said": summed(p, is_open),
        "came": summed(y, is_open),
        "variance": summed(p * (1 - p), is_open),
    }
    columns["periods"] = (columns["due"] > 0).astype(np.float64)
    for name, values in columns.items():
        found[:, SUMS.index(name)] = values
    return found


def measures(sums: Floats) -> dict[str, float | None]:
    """The measures of one row of SUMS as plain numbers; None where the rows do not define one.

    `lean` is the mean of what was said less the share that came (above 0: too hopeful), `lean_reach` how far chance
    alone would have moved it in 95 of 100 books if every probability was right.
    """
    one = dict(zip(SUMS, sums.tolist(), strict=True))

    def share(name: str, of: str) -> float | None:
        return one[name] / one[of] if one[of] > 0 else None

    judged = one["judged"]
    return {
        "wape": share("error", "came_amount"),
        "bias": share("miss", "came_amount"),
        "floor": share("chance", "came_amount"),
        "brier": share("squared", "judged"),
        "log_loss": share("log_loss", "judged"),
        "said": share("said", "judged"),
        "came": share("came", "judged"),
        "lean": (one["said"] - one["came"]) / judged if judged else None,
        "lean_reach": NORMAL_95 * one["variance"] ** 0.5 / judged if judged else None,
        "coverage": share("held", "banded"),
        "banded": one["banded"],
        "periods": one["periods"],
        "due": one["due"],
        "judged": judged,
        "came_amount": one["came_amount"],
    }


def by_probability(p: Floats, is_renewed: Booleans) -> NDArray[Any]:
    """float64[SHARES, 3] by percent of probability: rows, sum of p, how many renewed. Adds up over periods."""
    place = np.minimum((p * SHARES).astype(np.int64), SHARES - 1)
    return np.stack(
        [np.bincount(place, weights, SHARES) for weights in (np.ones(p.size), p, is_renewed.astype(np.float64))], axis=1
    )


def tenths(shares: Floats) -> list[dict[str, float]]:
    """Up to ten bins of about equal numbers of rows, from sums of `by_probability`: rows, mean forecast, share that
    came.

    A percent is never divided, so a bin may hold more than a tenth.
    """
    count = shares[:, 0]
    total = float(count.sum())
    if not total:
        return []
    middle = (np.cumsum(count) - count / 2) / total
    bin_of = np.minimum((middle * 10).astype(np.int64), 9)
    found = np.stack([np.bincount(bin_of, shares[:, at], 10) for at in range(3)], axis=1)
    return [
        {"count": rows, "forecast": said / rows, "came": came / rows} for rows, said, came in found.tolist() if rows
    ]
