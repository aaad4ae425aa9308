"""What a period will bring when its renewals share a shock: the forecast with an interval that is right in time.

Source: docs/domain.md section 5. A period's renewals come independently of each other given z ~ N(0, 1), each with the
log-odds logit(p) + size x z, less half the size's square times (1 - 2 p) so that each still comes with probability p
over all z. The distribution of the sum is the mixture over z of exact distributions:

n <= 15     every one of the 2^n outcomes is listed, with its probability over 33 values of z: exact to the cent.
n >= 16     for each of 33 values of z the characteristic function of the sum, their weighted sum inverted by FFT on a
            grid of 1,024 points that spans all but 1e-8 on either side at z = -4 and z = 4. Where the grid holds every
            multiple of the amounts' greatest common divisor nothing is added. Otherwise a normal blur of 1.91 grid
            steps (`error`: four of them) keeps ripples away, frequencies are left out from where 16 in a row are
            below 1e-6, and 17 values of z do: between them the sum is taken to move in a line. Beyond 2,048 rows the
            largest amounts enter exactly, the rest by their first four cumulants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Floats, Integers, reject_rows, require_fractions
from forecasting.engine.distribution import GroupQuantiles
from forecasting.engine.log_odds import expit, logit

PRIOR_SIZE: Final = 0.175  # real books: 0.15 to 0.20
PRIOR_PERIODS: Final = 2.0
# How far companies lie apart in the log-odds of their renewal rate: 70 to 94 % are P10 and P90 around 85 %.
RATE_SPREAD: Final = 0.8
# Real books by month and channel asked for little more than the shared shock; 4 cells: two periods of two segments.
SEGMENT_PRIOR_SIZE: Final = 0.1
SEGMENT_PRIOR_CELLS: Final = 4.0
HORIZONS: Final = (0, 30, 60, 90)  # days before a period's end at which what is open of it is looked at
SIZE_BOUNDS: Final = (0.03, 0.3)  # a period that missed by more was a change of level, which is carried on

NORMAL_P90: Final = 1.2815515655446004

LISTED_ROWS: Final = 15
EXACT_ROWS: Final = 2_048
FREQUENCIES: Final = 512
STEP: Final = 0.25  # between values of z
Z: Final = np.arange(-4.0, 4.0 + STEP / 2, STEP)
# Every second value is enough where the sum may move in a line between them: z is then normal around each with this
# standard deviation.
KERNEL: Final = 0.7 * 2 * STEP
BLUR_AT_TOP: Final = 6.0  # as in distribution: exp(-18) at the highest frequency
TAIL_LOG: Final = float(np.log(1e8))
NEGLIGIBLE: Final = 1e-6
FOLLOWED: Final = 16
TIE: Final = 1e-9
# The cumulants of many rows are smooth in z: they are found at 9 Chebyshev points and interpolated.
_POINTS: Final = 4.0 * np.cos(np.pi * (np.arange(9) + 0.5) / 9)
BLOCK_ROWS: Final = 65_536


@dataclass(frozen=True)
class Shock:
    """Sizes in log-odds: `size` is shared by a whole period, `segment_size` by one segment of it on top of that.

    period_count   closed periods they were learned from
    by_horizon     sizes for what is still open so many days before the period's end (HORIZONS); none where unknown
    told           share, 0..1, of what the decided renewals of a period missed by that its open ones miss by as well
    levels         of periods under way, what that comes to: (first day, last day, log-odds), in their order
    unknown        how far the rate of all may be off because few are decided: no shock, but all periods share it
    """

    size: float
    period_count: int
    segment_size: float = 0.0
    by_horizon: tuple[float, ...] = ()
    told: float = 0.0
    levels: tuple[tuple[int, int, float], ...] = ()
    unknown: float = 0.0

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Shock":
        """From `asdict`, by way of JSON or not."""
        levels = tuple((int(first), int(last), float(shift)) for first, last, shift in stored.get("levels", ()))
        return cls(**dict(stored) | {"by_horizon": tuple(stored.get("by_horizon", ())), "levels": levels})

    def level_of(self, due: Integers) -> Floats:
        """float64[n]: log-odds that the period each is due in has told of; 0 in others."""
        found: Floats = np.zeros(due.size)
        for first, last, shift in self.levels:
            found[(due >= first) & (due <= last)] = shift
        return found

    def size_at(self, days_left: Integers) -> Floats:
        """float64[n]: the size for periods that end in so many days, what is unknown of the rate with it."""
        return np.hypot(self.own_size_at(days_left), self.unknown)

    def own_size_at(self, days_left: Integers) -> Floats:
        """float64[n]: what each of these periods has by itself: that of the next horizon, or the last."""
        sizes = np.array(self.by_horizon or [self.size] * len(HORIZONS))
        found: Floats = sizes[np.minimum(np.searchsorted(HORIZONS, days_left), len(HORIZONS) - 1)]
        return found


STATED: Final = Shock(PRIOR_SIZE, 0, unknown=RATE_SPREAD)  # before anything is learned


def learn_shock(misses: Sequence[float], standard_errors: Sequence[float]) -> Shock:
    """Size from the logit misses of past periods, less their sampling error.

        size^2 = (sum w (miss^2 - se^2) + 2 x 0.175^2) / (sum w + 2)

    where a period weighs w = (0.175^2 / (0.175^2 + se^2))^2: 1 where nearly nothing of its miss is chance.
    """
    miss, error = np.asarray(misses, dtype=np.float64), np.asarray(standard_errors, dtype=np.float64)
    is_known = np.isfinite(error)
    size = _size_of(miss[is_known], error[is_known], np.ones(int(is_known.sum())), PRIOR_SIZE, PRIOR_PERIODS)
    return Shock(float(np.clip(size, *SIZE_BOUNDS)), int(is_known.sum()))


def unknown_rate(information: float) -> float:
    """Standard deviation of the log-odds of the rate of all, N(stated, RATE_SPREAD^2) before any was decided.

    `information` is the sum of p (1 - p) over the decided renewals.
    """
    return float(1 / np.sqrt(information + RATE_SPREAD**-2))


def size_of_level(deviation: float, period_count: int) -> float:
    """Size from how far the level of the period to come may lie (`level.learn_level`), which other periods told.

    It is drawn to what real books showed, with the weight of two periods; the first period only sets the level.
    """
    told = period_count - 1
    square = (told * deviation**2 + PRIOR_PERIODS * PRIOR_SIZE**2) / (told + PRIOR_PERIODS)
    return float(np.clip(np.sqrt(square), *SIZE_BOUNDS))


def widening(period_count: int) -> float:
    """How much wider P10 to P90 has to be for a size that rests on so few periods: Student's t against the normal."""
    from scipy.special import stdtrit  # slow to import: only fits pay it

    return float(stdtrit(period_count - 1 + PRIOR_PERIODS, 0.9)) / NORMAL_P90


def weights_of_periods(errors: Floats) -> Floats:
    """How much each period says of the size: 1 where nearly nothing of its miss is chance, by the standard error."""
    found: Floats = (PRIOR_SIZE**2 / (PRIOR_SIZE**2 + errors**2)) ** 2
    return found


def learn_segment_size(misses: Floats, standard_errors: Floats, shares: Floats) -> float:
    """Size from what segments missed by beyond the miss of their whole period, as `learn_shock` has it.

    shares   of each segment in its period's information: the period's miss took that part of its own away
    """
    left = 1 - shares
    size = _size_of(misses, standard_errors * np.sqrt(left), left, SEGMENT_PRIOR_SIZE, SEGMENT_PRIOR_CELLS)
    return float(np.clip(size, *SIZE_BOUNDS))


def _size_of(miss: Floats, error: Floats, left: Floats, prior: float, count: float) -> float:
    weight = left * (prior**2 / (prior**2 + error**2)) ** 2
    square = (float(weight @ (miss**2 - error**2)) + count * prior**2) / (weight.sum() + count)
    return float(np.sqrt(max(square, 0.0)))


def concentration(p: Floats, amounts: Integers, segment_codes: Integers) -> float:
    """How far a book lies in one segment, 0..1: sum of the squared shares of D = sum p (1 - p) amount by segment.

    That part of the segments' variance is left in their sum; 1 where all is in one segment, or nothing varies.
    """
    moved = np.bincount(segment_codes, p * (1 - p) * np.asarray(amounts, dtype=np.float64))
    whole = float(moved.sum())
    return float(((moved / whole) ** 2).sum()) if whole > 0 else 1.0


@dataclass(frozen=True, eq=False)
class PeriodForecast:
    """Distribution of a period's sum in cents: `pmf[i]` is the probability of `values[i]`.

    error             bound in cents of the error of a quantile that the grid's blur causes; 0 = exact
    certain, highest  the least and the most that can come
    """

    values: Floats
    pmf: Floats
    mean: float
    is_listed: bool
    error: float
    highest: float
    certain: float

    def quantile(self, level: float) -> float:
        """The least value whose cumulated probability reaches `level`."""
        if self.is_listed:
            return float(self.values[np.argmax(np.cumsum(self.pmf) >= level - TIE)])
        middle = np.cumsum(self.pmf) - self.pmf / 2
        # The blur reaches a little beyond what can be.
        return float(np.clip(np.interp(level, middle, self.values), self.certain, self.highest))

    @property
    def p10(self) -> float:
        return self.quantile(0.1)

    @property
    def p50(self) -> float:
        return self.quantile(0.5)

    @property
    def p90(self) -> float:
        return self.quantile(0.9)

    def reached(self, value: float) -> tuple[float, float]:
        """(probability of less than `value`, probability of at most `value`), to the cent or to `error`."""
        cumulated = np.concatenate(([0.0], np.cumsum(self.pmf)))
        if self.is_listed:
            below, up_to = np.searchsorted(self.values, [value - 0.5, value + 0.5])
            return float(cumulated[below]), float(cumulated[up_to])
        ends, middle = [value - self.error, value + self.error], cumulated[1:] - self.pmf / 2
        below, up_to = np.interp(ends, self.values, middle, left=0.0, right=1.0)
        return float(below), float(up_to)


def forecast_period(p: Floats, amounts: Integers, size: float) -> PeriodForecast:
    """Distribution of the sum of `amounts` (int64[n] cents), each won with probability `p`, sharing a shock of `size`.

    Size 0 is independence. Raises ValueError naming row and value for a probability outside 0..1 or missing, or an
    amount below 0.
    """
    p, amounts = np.asarray(p, dtype=np.float64), np.asarray(amounts, dtype=np.int64)
    require_fractions(p, "probability")
    reject_rows(amounts < 0, "amount", amounts, "is below 0")
    certain = float(amounts[p == 1].sum())
    is_open = (p > 0) & (p < 1) & (amounts > 0)
    mean, p, amounts = float(p @ amounts), p[is_open], amounts[is_open]
    highest = certain + float(amounts.sum())
    order = np.lexsort((p, -amounts))  # the sum of floats must not depend on the order of the rows
    p, amounts = p[order], amounts[order]
    if p.size <= LISTED_ROWS:
        values, pmf = _listed(p, amounts, size)
        return PeriodForecast(values + certain, pmf, mean, True, 0.0, highest, certain)
    values, pmf, is_exact, step = _inverted(p, amounts, size)
    error = 0.0 if is_exact else 4 * BLUR_AT_TOP / np.pi * step
    return PeriodForecast(values + certain, pmf, mean, is_exact, error, highest, certain)


def _nodes(size: float, kernel: float) -> tuple[Floats, Floats]:
    """(values of z, their weights); with size 0 there is one."""
    if size == 0:
        return np.zeros(1), np.ones(1)
    z = Z[::2] if kernel else Z
    weight = np.exp(-0.5 * z**2 / (1 - kernel**2))
    return z, weight / weight.sum()


def _shocked(p: Floats, size: float, z: Floats) -> Floats:
    """Probabilities [n, len(z)] under each value of z."""
    middle = logit(p) - 0.5 * size**2 * (1 - 2 * p)
    return expit(middle[:, None] + size * z)


def _listed(p: Floats, amounts: Integers, size: float) -> tuple[Floats, Floats]:
    z, weight = _nodes(size, 0.0)
    values: Integers = np.zeros(1, dtype=np.int64)
    pmf: Floats = np.ones((z.size, 1))
    for won, amount in zip(_shocked(p, size, z), amounts, strict=True):
        values = np.concatenate((values, values + amount))
        pmf = np.concatenate((pmf * (1 - won)[:, None], pmf * won[:, None]), axis=1)
    values, place = np.unique(values, return_inverse=True)
    return values.astype(np.float64), np.bincount(place, weight @ pmf).astype(np.float64)


def _inverted(p: Floats, amounts: Integers, size: float) -> tuple[Floats, Floats, bool, float]:
    """(values, pmf, whether the grid is exact, its step) by inversion of the characteristic function."""
    points, divisor = 2 * FREQUENCIES, int(np.gcd.reduce(amounts))
    lowest, highest = _reach(_shocked(p, size, Z[[0, -1]]) if size else p[:, None], amounts)
    origin, step, kernel = np.floor(lowest / divisor) * divisor, float(divisor), 0.0
    needed = int((highest - origin) / divisor) + 2
    is_exact = needed <= points
    if is_exact:
        points = 1 << (needed - 1).bit_length()
    else:
        kernel, margin = KERNEL if size else 0.0, 6 * BLUR_AT_TOP / np.pi
        step = (highest - lowest) / (points - 2 * margin - 2)
        origin = lowest - margin * step
    frequency = np.arange(points // 2 + 1) * (2 * np.pi / points)
    transform = _mixture(p, amounts / step, size, kernel, frequency, 0.0 if is_exact else NEGLIGIBLE)
    transform *= np.exp(-1j * frequency * (origin / step))
    if not is_exact:
        transform *= np.exp(-0.5 * (BLUR_AT_TOP / np.pi * frequency) ** 2)
    pmf: Floats = np.maximum(np.fft.irfft(np.conj(transform), points), 0.0)
    pmf /= pmf.sum()
    inside = np.flatnonzero(pmf > 1e-10)
    kept = slice(inside[0], inside[-1] + 1)
    return (origin + step * np.arange(points))[kept], pmf[kept] / pmf[kept].sum(), is_exact, step


def _mixture(
    p: Floats, scaled: Floats, size: float, kernel: float, frequency: Floats, negligible: float
) -> NDArray[np.complex128]:
    """Characteristic function of the sum of `scaled` at each frequency; left at 0 once it stays negligible."""
    z, weight = _nodes(size, kernel)
    exact, rest = slice(0, EXACT_ROWS), slice(EXACT_ROWS, None)
    chance = _shocked(p[exact], size, z)
    won, lost = chance.astype(np.complex128), 1 - chance
    turn = np.exp(1j * frequency[1] * scaled[exact])[:, None]
    cumulants = _cumulants(p[rest], scaled[rest], size, z)
    spread = kernel * size * (scaled[exact] @ (chance * lost) + cumulants[1])
    the_rest = _from_cumulants(cumulants, frequency[:, None], spread)
    found, quiet = np.zeros(frequency.size, dtype=np.complex128), 0
    for place, rest_by_node in enumerate(the_rest):
        by_node = np.multiply.reduce(lost + won, axis=0) * rest_by_node
        found[place] = weight @ by_node
        quiet = quiet + 1 if float(weight @ np.abs(by_node)) < negligible else 0
        if quiet == FOLLOWED:
            break
        won *= turn
    return found


def _cumulants(p: Floats, scaled: Floats, size: float, z: Floats) -> Floats:
    """By value of z: the first cumulant of the sum, its derivative by log-odds, and cumulants two to four: [5, z]."""
    points = _POINTS if size else np.zeros(1)
    found = np.zeros((5, points.size))
    for first in range(0, p.size, BLOCK_ROWS):
        chance, amount = p[first : first + BLOCK_ROWS], scaled[first : first + BLOCK_ROWS]
        middle = logit(chance) - 0.5 * size**2 * (1 - 2 * chance)
        powers = [amount, amount**2, amount**3, amount**4]
        for place, point in enumerate(points):
            won = expit(middle + size * point)
            spread = won * (1 - won)
            found[0, place] += powers[0] @ won
            found[1, place] += powers[0] @ spread
            found[2, place] += powers[1] @ spread
            found[3, place] += powers[2] @ (spread * (1 - 2 * won))
            found[4, place] += powers[3] @ (spread * (1 - 6 * spread))
    return found @ _interpolation(points, z)


def _from_cumulants(cumulants: Floats, t: Floats, spread: Floats) -> NDArray[np.complex128]:
    """exp(i t k1 - t^2 k2 / 2 - i t^3 k3 / 6 + t^4 k4 / 24), the move in a line between two values of z with it."""
    first, _, second, third, fourth = cumulants
    square = -(t**2) * (second + spread**2) / 2
    # Far out, where nothing is left of it anyway, the fourth term would outgrow the second.
    real = np.where(square < -40.0, square, np.minimum(square + t**4 * fourth / 24, 0.0))
    return np.asarray(np.exp(real + 1j * (t * first - t**3 * third / 6)))


def _interpolation(points: Floats, z: Floats) -> Floats:
    """Matrix [points, z] that turns values at the points into those of the polynomial through them (Lagrange)."""
    matrix = np.ones((points.size, z.size))
    for place, point in enumerate(points):
        for other in np.delete(points, place):
            matrix[place] *= (z - other) / (point - other)
    return matrix


def _reach(ends: Floats, amounts: Integers) -> tuple[float, float]:
    """Values that the sum passes with a probability below 1e-8 under the least and the greatest z (Bernstein)."""
    money = amounts.astype(np.float64)
    lowest, highest = float(money.sum()), 0.0
    for p in ends.T:
        mean, variance = float(p @ money), float((p * (1 - p)) @ money**2)
        below, above = (float((side * money).max()) * TAIL_LOG / 3 for side in (p, 1 - p))
        lowest = min(lowest, mean - below - np.sqrt(below**2 + 2 * TAIL_LOG * variance))
        highest = max(highest, mean + above + np.sqrt(above**2 + 2 * TAIL_LOG * variance))
    return max(lowest, 0.0), min(highest, float(money.sum()))


def widen_quantiles(
    quantiles: GroupQuantiles, group_codes: Integers, p: Floats, amounts: Integers, size: float
) -> GroupQuantiles:
    """Quantiles of independent renewals (`distribution.quantiles_by_group` of the same rows) with the shock put in.

    For thousands of groups, where `forecast_period` would take milliseconds each: the distance of a quantile from the
    mean grows as the standard deviation does, by sqrt(1 + (size D)^2 / V) with D = sum p (1 - p) amount and
    V = sum p (1 - p) amount^2. That differs from the mixture by some hundredths of the distance from P10 to P90.
    """
    groups, money = quantiles.mean.size, np.asarray(amounts, dtype=np.float64)
    spread = p * (1 - p) * money
    slope = np.bincount(group_codes, spread, groups)
    variance = np.bincount(group_codes, spread * money, groups)
    growth = np.sqrt(1 + np.divide((size * slope) ** 2, variance, out=np.zeros(groups), where=variance > 0))
    lowest, highest = (np.bincount(group_codes, money * is_in, groups) for is_in in (p == 1, p > 0))

    def moved(cents: Integers) -> Integers:
        far = quantiles.mean + (cents - quantiles.mean) * growth
        # A group that cannot vary keeps its cents: its mean is their float.
        kept = np.where(growth > 1, np.clip(far, lowest, highest), cents)
        return np.rint(kept).astype(np.int64)

    p10, p50, p90 = (moved(cents) for cents in (quantiles.p10, quantiles.p50, quantiles.p90))
    return replace(quantiles, p10=p10, p50=p50, p90=p90)
