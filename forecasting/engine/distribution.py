"""Exact distribution of what a set of open renewals will bring: a sum of independent amounts, each won or not.

Source: docs/domain.md section 5 (forecast of a period). There is no normal approximation, for small counts or large.
Rows that are certain (probability 0 or 1) or bring nothing are set apart first. Then, by the n rows that remain:

n <= 15     every one of the 2^n outcomes is listed: exact to the cent.
n >= 16     the characteristic function, a product over rows, is evaluated at K frequencies and inverted by FFT on a
            grid of 2 K points. The grid spans the values that the sum leaves with a probability below 1e-8 on either
            side (Bernstein's inequality, whatever the amounts). Where it holds every multiple of the amounts'
            greatest common divisor the result is exact too. Otherwise it is the exact distribution of the sum plus a
            normal blur of standard deviation e = 1.91 grid steps, which keeps the inversion free of ripples: a
            quantile q then lies between the exact ones of q - 7e-5 and q + 7e-5, moved by at most 4 e
            (`error_cents`) down or up. In practice the miss is a fraction of e. Of very many rows the function is made
            from sums over them, right to 1e-8 (`many_rows`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Booleans, Floats, Integers, reject_rows, require_fractions
from forecasting.engine.many_rows import characteristic_function_of_many

LISTED_ROWS: Final = 15
LEVELS: Final = (0.1, 0.5, 0.9)
# A cumulated probability this close below a level has reached it: rounding, what the grid leaves out, and the blur's
# tail, so that a level met exactly between two far outcomes gives the lower one and not a sum that cannot be.
LISTED_TIE: Final = 1e-9
EXACT_GRID_TIE: Final = 1e-7
BLURRED_GRID_TIE: Final = 3e-5
NEGLIGIBLE: Final = 1e-10  # points at both ends of a grid with less than this are left off
TAIL_LOG: Final = np.log(1e8)
# The blur's transform is exp(-18) at the highest frequency, which is e x frequency = 6 there: e = 6 / pi steps.
BLUR_AT_TOP: Final = 6.0
FREQUENCY_BOUNDS: Final = (256, 1024)
FREQUENCY_BUDGET: Final = 2**18  # rows x frequencies of one group, between these bounds
FOLLOWED_FREQUENCIES: Final = 16
# With many rows next to nothing is left of the characteristic function beyond the first frequencies.
MANY_ROWS: Final = 16_384
NEGLIGIBLE_OF_MANY: Final = 1e-12
BLOCK_ROWS: Final = 4_096
# Blocks that bound memory and stay in the processor's cache: outcomes listed, and groups x frequencies, at a time.
BLOCK_OUTCOMES: Final = 2**16
BLOCK_FREQUENCIES: Final = 2**18


@dataclass(frozen=True, eq=False)
class Distribution:
    """Distribution of the sum in cents: `pmf[i]` is the probability of `values_cents[i]`.

    values_cents  int64[m], ascending, what is certain included
    step_cents    distance of the grid; 0 where every outcome is listed
    mean          float, sum of p x amount
    error_cents   bound of the error of a quantile (see the module); 0 = exact
    """

    step_cents: int
    values_cents: Integers
    pmf: Floats
    mean: float
    p10: int
    p50: int
    p90: int
    error_cents: int


@dataclass(frozen=True, eq=False)
class GroupQuantiles:
    """By group: rows, mean (float cents) and quantiles (int64 cents). A group without rows is all zeros."""

    count: Integers
    mean: Floats
    p10: Integers
    p50: Integers
    p90: Integers
    error_cents: Integers


@dataclass(frozen=True, eq=False)
class _Part:
    """Distributions of the uncertain part of some groups: pmf and values [groups, points]."""

    groups: Integers
    values: Integers
    pmf: Floats
    quantiles: Integers
    step: Integers
    error: Integers


def distribute(p: Floats, amount_cents: Integers) -> Distribution:
    """Distribution of the sum of `amount_cents` (int64[n]) that are each won with probability `p` (float[n]).

    Raises ValueError naming row and value for a probability outside 0..1 or missing, or an amount below 0.
    """
    negligible = NEGLIGIBLE_OF_MANY if len(p) >= MANY_ROWS else 0.0
    rows = _Rows(np.zeros(len(p), dtype=np.int64), p, amount_cents, 1, negligible=negligible)
    certain, mean = int(rows.certain[0]), float(rows.mean[0])
    part = next(rows.parts(), None)
    if part is None:
        return Distribution(0, np.array([certain]), np.ones(1), mean, certain, certain, certain, 0)
    values, pmf, step = part.values[0], part.pmf[0], int(part.step[0])
    if step == 0:
        values, place = np.unique(values, return_inverse=True)
        pmf = np.bincount(place, pmf)
    else:
        inside = np.flatnonzero(pmf > NEGLIGIBLE)
        values, pmf = (array[inside[0] : inside[-1] + 1] for array in (values, pmf))
    p10, p50, p90 = (certain + int(cents) for cents in part.quantiles[0])
    return Distribution(step, values + certain, pmf, mean, p10, p50, p90, int(part.error[0]))


def quantiles_by_group(
    group_codes: Integers,
    p: Floats,
    amounts: Integers,
    groups: int,
    *,
    listed_rows: int = LISTED_ROWS,
    most_frequencies: int = FREQUENCY_BOUNDS[1],
    negligible: float = 0.0,
) -> GroupQuantiles:
    """Mean and quantiles of the sum in each of `groups` groups; row i belongs to group `group_codes[i]`.

    The same numbers as `distribute` gives for the rows of one group. For thousands of groups its limits may be
    loosened: groups of more than `listed_rows` rows are then inverted at no more than `most_frequencies` points, and
    the characteristic function is followed only until FOLLOWED_FREQUENCIES of its values in a row are below
    `negligible` in size. At 11, 256 and 0.001 that moves a quantile by some thousandths of the distance from P10 to
    P90. Groups that are exact on their grid stay exact. Raises ValueError as `distribute` does, and for a group code
    out of range.
    """
    rows = _Rows(group_codes, p, amounts, groups, listed_rows, most_frequencies, negligible)
    quantiles = np.repeat(rows.certain[:, None], len(LEVELS), axis=1)
    error = np.zeros(groups, dtype=np.int64)
    for part in rows.parts():
        quantiles[part.groups] += part.quantiles
        error[part.groups] = part.error
    p10, p50, p90 = quantiles.T
    return GroupQuantiles(rows.count, rows.mean, p10, p50, p90, error)


class _Rows:
    """The rows sorted by group, the certain ones summed, the uncertain ones ready to be taken group by group."""

    def __init__(
        self,
        group_codes: Integers,
        p: Floats,
        amounts: Integers,
        groups: int,
        listed_rows: int = LISTED_ROWS,
        most_frequencies: int = FREQUENCY_BOUNDS[1],
        negligible: float = 0.0,
    ) -> None:
        self.listed_rows, self.most_frequencies, self.negligible = listed_rows, most_frequencies, negligible
        group_codes, p = np.asarray(group_codes), np.asarray(p, dtype=np.float64)
        amounts = np.asarray(amounts, dtype=np.int64)
        require_fractions(p, "probability")
        reject_rows(amounts < 0, "amount", amounts, "is below 0")
        reject_rows((group_codes < 0) | (group_codes >= groups), "group", group_codes, f"is not one of {groups}")
        self.count: Integers = np.bincount(group_codes, minlength=groups)
        self.mean: Floats = np.bincount(group_codes, p * amounts, groups).astype(np.float64)
        self.certain = np.zeros(groups, dtype=np.int64)
        np.add.at(self.certain, group_codes[p == 1], amounts[p == 1])
        rows = np.flatnonzero((p > 0) & (p < 1) & (amounts > 0))
        rows = rows[np.argsort(group_codes[rows], kind="stable")]
        self.p, self.amounts = p[rows], amounts[rows]
        self.sizes = np.bincount(group_codes[rows], minlength=groups)
        self.starts = np.cumsum(self.sizes) - self.sizes

    def parts(self) -> Iterator[_Part]:
        """Groups that are worked alike, together: the small ones by size, the others by number of frequencies."""
        for size in range(1, self.listed_rows + 1):
            alike = np.flatnonzero(self.sizes == size)
            step = max(BLOCK_OUTCOMES >> size, 1)
            for first in range(0, alike.size, step):
                yield self._listed(alike[first : first + step], size)
        lowest, highest = FREQUENCY_BOUNDS[0], self.most_frequencies
        wanted = np.clip(FREQUENCY_BUDGET // np.maximum(self.sizes, 1), lowest, highest)
        frequencies = np.where(self.sizes > self.listed_rows, 2 ** np.floor(np.log2(wanted)).astype(np.int64), 0)
        for number in np.unique(frequencies[frequencies > 0]):
            alike = np.flatnonzero(frequencies == number)
            step = BLOCK_FREQUENCIES // int(number)
            for first in range(0, alike.size, step):
                yield self._inverted(alike[first : first + step], int(number))

    def _listed(self, groups: Integers, size: int) -> _Part:
        """Every outcome of groups with `size` uncertain rows, in ascending order."""
        rows = self.starts[groups][:, None] + np.arange(size)
        p, amounts = self.p[rows], self.amounts[rows]
        values: Integers = np.zeros((groups.size, 1), dtype=np.int64)
        pmf: Floats = np.ones((groups.size, 1))
        for row in range(size):
            won = p[:, row, None]
            values = np.concatenate((values, values + amounts[:, row, None]), axis=1)
            pmf = np.concatenate((pmf * (1 - won), pmf * won), axis=1)
        order = _order(values, size)
        values, pmf = np.take_along_axis(values, order, axis=1), np.take_along_axis(pmf, order, axis=1)
        cumulated = np.cumsum(pmf, axis=1)
        reached = [np.argmax(cumulated >= level - LISTED_TIE, axis=1) for level in LEVELS]
        quantiles = np.take_along_axis(values, np.stack(reached, axis=1), axis=1)
        none = np.zeros(groups.size, dtype=np.int64)
        return _Part(groups, values, pmf, quantiles, step=none, error=none)

    def _inverted(self, groups: Integers, frequencies: int) -> _Part:
        """Groups of many rows, by inversion of the characteristic function at `frequencies` points."""
        sizes = self.sizes[groups]
        starts = np.cumsum(sizes) - sizes
        rows = np.arange(sizes.sum()) + np.repeat(self.starts[groups] - starts, sizes)
        p, amounts = self.p[rows], self.amounts[rows]
        grid = _Grid(p, amounts, starts, 2 * frequencies)
        negligible = np.where(grid.is_exact, 0.0, self.negligible)
        transform = _transform(p, amounts, starts, grid.step, frequencies, negligible)
        frequency = np.arange(frequencies + 1) * (np.pi / frequencies)
        transform *= np.exp(-1j * frequency * (grid.origin / grid.step)[:, None])
        transform *= np.where(grid.is_exact[:, None], 1.0, np.exp(-0.5 * (BLUR_AT_TOP / np.pi * frequency) ** 2))
        pmf: Floats = np.maximum(np.fft.irfft(np.conj(transform), 2 * frequencies, axis=1), 0.0)
        pmf /= pmf.sum(axis=1, keepdims=True)
        error = np.ceil(4 * BLUR_AT_TOP / np.pi * grid.step).astype(np.int64)
        return _Part(
            groups,
            values=grid.origin[:, None] + grid.step[:, None] * np.arange(2 * frequencies),
            pmf=pmf,
            quantiles=np.stack([grid.quantile(pmf, level) for level in LEVELS], axis=1),
            step=grid.step,
            error=np.where(grid.is_exact, 0, error),
        )


class _Grid:
    """Origin and step, in cents, of a grid of `points` values for each group of rows (see the module)."""

    def __init__(self, p: Floats, amounts: Integers, starts: Integers, points: int) -> None:
        variance = np.add.reduceat(p * (1 - p) * amounts.astype(np.float64) ** 2, starts)
        mean = np.add.reduceat(p * amounts, starts)
        above, below = (np.maximum.reduceat(side * amounts, starts) for side in (1 - p, p))
        self.total = np.add.reduceat(amounts, starts)
        self.divisor = np.gcd.reduceat(amounts, starts)
        lowest = np.maximum(mean - _bernstein(variance, below), 0)
        highest = np.minimum(mean + _bernstein(variance, above), self.total)
        exact_origin = np.floor(lowest / self.divisor).astype(np.int64) * self.divisor
        self.is_exact: Booleans = (highest - exact_origin) / self.divisor <= points - 2
        # The blur of 6 e on both sides has to fit in as well, or it would come in again at the other end.
        margin = 6 * BLUR_AT_TOP / np.pi
        step = np.ceil((highest - lowest) / (points - 2 * margin - 2)).astype(np.int64)
        self.step: Integers = np.where(self.is_exact, self.divisor, step)
        blurred_origin = np.floor(lowest - margin * step).astype(np.int64)
        self.origin: Integers = np.where(self.is_exact, exact_origin, blurred_origin)

    def quantile(self, pmf: Floats, level: float) -> Integers:
        """The least value whose cumulated probability reaches `level`, in cents, a multiple of the divisor."""
        reached = np.cumsum(pmf, axis=1)
        # On a blurred grid half of a point's mass lies below the point.
        reached -= np.where(self.is_exact, 0.0, 0.5)[:, None] * pmf
        least = level - np.where(self.is_exact, EXACT_GRID_TIE, BLURRED_GRID_TIE)
        place = np.argmax(reached >= least[:, None], axis=1)
        group = np.arange(place.size)
        before = np.where(place > 0, reached[group, place - 1], 0.0)
        rise = np.maximum(reached[group, place] - before, np.finfo(float).tiny)
        back = np.where(self.is_exact | (place == 0), 0.0, 1 - np.clip((least - before) / rise, 0, 1))
        value = self.origin + self.step * (place - back)
        snapped = np.rint(value / self.divisor).astype(np.int64) * self.divisor
        quantile: Integers = np.clip(snapped, 0, self.total)
        return quantile


def _order(values: Integers, bits: int) -> Integers:
    """Ascending order of each row of 2^bits values. The position rides along in the low bits where there is room:

    sorting numbers is five times as fast as sorting positions by number.
    """
    order: Integers
    if values.max(initial=0) >= 2 ** (63 - bits):
        order = np.argsort(values, axis=1)
        return order
    order = np.sort((values << bits) | np.arange(1 << bits), axis=1)
    order &= (1 << bits) - 1
    return order


def _bernstein(variance: Floats, largest: Floats) -> Floats:
    """Distance from the mean that is passed with a probability below 1e-8."""
    jump: Floats = largest * (TAIL_LOG / 3)
    distance: Floats = jump + np.sqrt(jump**2 + 2 * TAIL_LOG * variance)
    return distance


def _transform(
    p: Floats, amounts: Integers, starts: Integers, step: Integers, frequencies: int, negligible: Floats
) -> NDArray[np.complex128]:
    """As `_characteristic_function`; of a single group of very many rows by sums over them, where that is as exact."""
    if starts.size == 1 and p.size >= MANY_ROWS and negligible[0] > 0:
        angles = amounts * (np.pi / frequencies / int(step[0]))
        found = characteristic_function_of_many(p, angles, frequencies)
        if found is not None:
            return found[None, :]
    return _characteristic_function(p, amounts, starts, step, frequencies, negligible)


def _characteristic_function(
    p: Floats, amounts: Integers, starts: Integers, step: Integers, frequencies: int, negligible: Floats
) -> NDArray[np.complex128]:
    """Product over each group's rows of 1 - p + p exp(i t amount), t = 0 .. pi / step: complex[groups, K + 1].

    The turning factor is multiplied on from one frequency to the next, so that no sine is evaluated in the loop. A
    group is left at 0 from where its product has stayed below `negligible`; more rows can only make it smaller.
    """
    sizes = np.diff(np.append(starts, p.size))
    turn = np.exp(1j * (np.pi / frequencies) * (amounts / np.repeat(step, sizes)))
    lost, won = (1 - p).astype(np.complex128), p.astype(np.complex128)
    group = np.repeat(np.arange(starts.size), sizes)
    transform = np.ones((frequencies + 1, starts.size), dtype=np.complex128)
    for first in range(0, p.size, BLOCK_ROWS):
        rows = slice(first, first + BLOCK_ROWS)
        touched, begins, counts = np.unique(group[rows], return_index=True, return_counts=True)
        block_turn, block_lost, block_won = turn[rows], lost[rows], won[rows]
        factor = np.empty_like(block_won)
        for frequency in range(frequencies + 1):
            np.add(block_lost, block_won, out=factor)
            transform[frequency, touched] *= np.multiply.reduceat(factor, begins)
            block_won *= block_turn
            if (frequency + 1) % FOLLOWED_FREQUENCIES:
                continue
            newest = np.abs(transform[frequency + 1 - FOLLOWED_FREQUENCIES : frequency + 1, touched])
            is_over = newest.max(axis=0) < negligible[touched]
            if is_over.any():
                transform[frequency + 1 :, touched[is_over]] = 0.0
                if is_over.all():
                    break
                is_kept = np.repeat(~is_over, counts)
                touched, counts = touched[~is_over], counts[~is_over]
                begins = np.cumsum(counts) - counts
                block_turn, block_lost, block_won = block_turn[is_kept], block_lost[is_kept], block_won[is_kept]
                factor = np.empty_like(block_won)
    return transform.T
