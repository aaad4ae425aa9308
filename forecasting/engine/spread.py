"""How much wider a forecast is than that of independent renewals of known amounts.

Two things widen it: the shock that the renewals of a period share (`fitted.shock`), and that nobody knows yet what a
renewal will bring if it is renewed (`amounts`). Both are put into quantiles of the exact convolution of the mean
amounts, for thousands of groups at once; where one renewal has more than half of the variance, by `giants` instead.
"""

from dataclasses import replace

import numpy as np

from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.distribution import LEVELS, GroupQuantiles
from forecasting.engine.fitted.shock import NORMAL_P90
from forecasting.engine.giants import have_giants, quantiles_with_giants, variances_of


def widen(
    quantiles: GroupQuantiles,
    group_codes: Integers,
    p: Floats,
    mean: Floats,
    variance: Floats,
    lowest: Floats,
    highest: Floats,
    *,
    sizes: Floats,
    segment_size: float,
    segment_codes: Integers,
) -> GroupQuantiles:
    """Quantiles of `quantiles_by_group(group_codes, p, mean)` with the shock and the spread of the amounts put in.

    mean, variance, lowest, highest   float64[n], of each renewal's amount given that it is renewed, in cents
    sizes   float64[groups] of the shock that each group shares, `segment_size` of that of its segments (fitted.shock)

    The distance of a quantile from the mean grows as the standard deviation does, by

        sqrt(1 + ((size x D)^2 + sum over segments of (segment_size x D_segment)^2 + E) / V)

    with D = sum p (1 - p) mean, V = sum p (1 - p) mean^2 and E = sum p variance. For one segment
    and a shock of 0.2 that lies within some hundredths of the distance from P10 to P90 of the exact mixture.

    Where one renewal has more than half of that variance, the quantiles are those of `giants`.

    Only open renewals are rows, so a period of which half is decided is widened by its open half alone. Where all are
    certain to renew (V = 0) the amounts alone spread, and 1.2816 of their standard deviations are P10 and P90.
    """
    groups = quantiles.mean.size
    undecided = p * (1 - p) * mean
    slope, variance_of_wins = (np.bincount(group_codes, each, groups) for each in (undecided, undecided * mean))
    shared = (sizes * slope) ** 2
    if segment_size:
        segments = int(segment_codes.max(initial=0)) + 1
        by_segment = np.bincount(group_codes * segments + segment_codes, undecided, groups * segments)
        shared += segment_size**2 * (by_segment.reshape(groups, segments) ** 2).sum(axis=1)
    extra = shared + np.bincount(group_codes, p * variance, groups)
    has_wins = variance_of_wins > 0
    growth = np.sqrt(1 + np.divide(extra, variance_of_wins, out=np.zeros(groups), where=has_wins))
    least = np.bincount(group_codes, lowest * (p == 1), groups)
    most = np.bincount(group_codes, highest * (p > 0), groups)

    def moved(cents: Integers, alone: float) -> Floats:
        far = quantiles.mean + np.where(has_wins, (cents - quantiles.mean) * growth, alone * np.sqrt(extra))
        # A group that cannot vary keeps its cents: its mean is their float.
        found: Floats = np.where(extra > 0, far, cents)
        return found

    found = np.stack(
        [moved(quantiles.p10, -NORMAL_P90), moved(quantiles.p50, 0.0), moved(quantiles.p90, NORMAL_P90)], axis=1
    )
    own = variances_of(p, mean, variance)
    giants = (extra > 0) & have_giants(group_codes, own, variance_of_wins + extra)
    if giants.any():
        rows = np.flatnonzero(giants[group_codes])
        place = (np.cumsum(giants) - 1)[group_codes[rows]]
        size = np.divide(np.sqrt(shared), slope, out=np.zeros(groups), where=slope > 0)[giants]
        found[giants] = quantiles_with_giants(place, p[rows], mean[rows], variance[rows], size, LEVELS)
    kept = np.where((extra > 0)[:, None], np.clip(found, least[:, None], most[:, None]), found)
    p10, p50, p90 = np.rint(kept).astype(np.int64).T
    return replace(quantiles, p10=p10, p50=p50, p90=p90)
