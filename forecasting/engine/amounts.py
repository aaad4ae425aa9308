"""What a renewal brings if it is renewed: downsell, flat or upsell, learned from the decided ones.

Source: docs/domain.md sections 4.2 and 5. A renewal's new recurring value is its reference amount times a ratio, one of
seven: their sizes are the same for the whole book, their weights those of the segment. The reference is the baseline;
where a rep has entered a forecast amount F, it is

    w x F + (1 - w) x baseline x mean ratio of the segment

with the weight w that would have been nearest to what came. Below 15 closed calls a rep is taken at their word, w = 1.

An uplift cap bounds the price, not what is bought. What a growing renewal brings is its price, up to the usual uplift
of the book, times its growth in seats and products, which is all that lies above that:

    price = min(ratio, usual uplift) x reference, at most the ceiling
    amount = price x ratio / min(ratio, usual uplift)

So a capped contract keeps the growth of the others and loses their uplift above its cap. Of a decided one, all that
came above its ceiling was growth. The sizes of the growing ratios are those by which decided renewals, each under its
own ceiling, would have brought what they did.

Decided renewals count by their value, because it is the total that has to be right: large contracts often grow less,
and shares of the count would promise the growth of the many small ones for the whole value. How much they say against a
prior is their effective number, (sum of values)^2 / sum of squared values: one giant counts as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import Booleans, Floats, Integers

# Ends of the ratios' classes: a cut, a downsell, nearly flat, flat, an uplift, an upsell, a great one.
ENDS: Final = np.array([0.7, 0.9, 0.995, 1.005, 1.08, 1.2])
RATIO_COUNT: Final = ENDS.size + 1
UPLIFT: Final = 4  # class of the usual uplift: the price alone; those after it grew in seats and products too
LARGEST_RATIO: Final = 5.0  # a contract that grew more is counted as this: it says little of the others

# With no history at all: two of three renew flat, as many grow as shrink. It counts as much as 20 decided renewals.
PRIOR_RATIOS: Final = np.array([0.5, 0.8, 0.95, 1.0, 1.05, 1.2, 1.5])
PRIOR_WEIGHTS: Final = np.array([0.02, 0.05, 0.09, 0.68, 0.09, 0.05, 0.02])
PRIOR_RENEWALS: Final = 20.0
SEGMENT_STRENGTH: Final = 50.0  # renewals that the whole book counts as beside a segment's own

MINIMUM_CALLS: Final = 15
WORD_STRENGTH: Final = 30.0  # closed calls that "the rep is right" counts as
WEIGHTS: Final = np.linspace(0.0, 1.0, 21)
NO_CEILING: Final = 2**62
BISECTIONS: Final = 50
AT_CAP: Final = 0.005  # prices are rounded: so little above its cap, as a ratio, is at it

WITHOUT, WITH = 0, 1  # a rep's forecast amount


@dataclass(frozen=True, eq=False)
class AmountModel:
    """s segments; the last row along the first axis is for one that is unknown or was never seen.

    ratios           float64[2, 7], without and with a rep's forecast amount, where no ceiling holds the price
    weights          float64[s + 1, 2, 7]
    counts           int64[2], decided renewals behind them
    forecast_weight  w, of the rep's forecast amount in the reference
    """

    segment_ids: Integers
    ratios: Floats
    weights: Floats
    counts: Integers
    forecast_weight: float

    @property
    def mean_ratios(self) -> Floats:
        """float64[s + 1, 2]."""
        means: Floats = (self.weights * self.ratios).sum(axis=2)
        return means

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON."""
        arrays = ("segment_ids", "ratios", "weights", "counts")
        return {name: getattr(self, name).tolist() for name in arrays} | {"forecast_weight": self.forecast_weight}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "AmountModel":
        ids, counts = (np.asarray(stored[name], dtype=np.int64) for name in ("segment_ids", "counts"))
        ratios, weights = (np.asarray(stored[name], dtype=np.float64) for name in ("ratios", "weights"))
        return cls(ids, ratios, weights, counts, stored["forecast_weight"])

    @classmethod
    def without_history(cls) -> "AmountModel":
        none = np.empty(0, dtype=np.int64)
        return fit_amounts(segment_ids=none, baseline=none, forecast=none, renewed=none)


def fit_amounts(
    *,
    segment_ids: Integers,
    baseline: Integers,
    forecast: Integers,
    renewed: Integers,
    ceiling: Integers | int = NO_CEILING,
) -> AmountModel:
    """Learn from n renewals that were renewed; amounts in cents, `forecast` as it stood before the decision, -1 blank.

    `ceiling` is what the contract let the price rise to (`ceilings`). Those without a baseline, or renewed at nothing,
    are left out. The ratio of a class is the sum of what came over the sum of the references; the weights of the book
    are drawn to the stated prior, those of a segment to the book's.
    """
    kept = np.flatnonzero((np.asarray(baseline) > 0) & (np.asarray(renewed) > 0))
    segments = np.unique(np.asarray(segment_ids)[kept])
    segments = segments[segments >= 0].astype(np.int64)
    place = place_of(segments, np.asarray(segment_ids)[kept])
    highest = np.broadcast_to(np.asarray(ceiling), np.shape(baseline))
    base, word, came, most = (
        np.asarray(each, dtype=np.float64)[kept] for each in (baseline, forecast, renewed, highest)
    )
    plain_ratios, plain_weights = _learn(came / base, most / base, base, place, segments.size)
    usual = (plain_weights @ plain_ratios)[place] * base
    is_called = word > 0
    weight = _word_weight(*(each[is_called] for each in (word, usual, came, base)))
    reference = weight * word[is_called] + (1 - weight) * usual[is_called]
    most = np.maximum(most, word)[is_called] / reference
    called_ratios, called_weights = _learn(
        came[is_called] / reference, most, reference, place[is_called], segments.size
    )
    return AmountModel(
        segment_ids=segments,
        ratios=np.stack([plain_ratios, called_ratios]),
        weights=np.stack([plain_weights, called_weights], axis=1),
        counts=np.array([kept.size, np.count_nonzero(is_called)]),
        forecast_weight=weight,
    )


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Of n renewals, if they are renewed: new recurring value float64[7, n] in cents, and its weights of the same
    shape, which add up to 1."""

    amounts: Floats
    weights: Floats

    @property
    def mean(self) -> Floats:
        found: Floats = np.einsum("kn,kn->n", self.amounts, self.weights)
        return found

    def variance(self, mean: Floats) -> Floats:
        found: Floats = np.einsum("kn,kn,kn->n", self.amounts, self.amounts, self.weights) - mean**2
        return np.maximum(found, 0.0)


def outcomes(
    model: AmountModel,
    *,
    segment_ids: Integers,
    baseline: Integers,
    forecast: Integers,
    has_forecast: Booleans,
    ceiling: Integers | int = NO_CEILING,
    uplift: Floats | float = 1.0,
) -> Outcomes:
    """What each of n renewals may bring. No price is above `ceiling` cents, which the contract lets it rise to.

    A rep's own forecast above the ceiling stands (the data rules name it), but no price above that. `uplift` is a
    factor on the price, below the same ceiling. What grows in seats and products grows above it.
    """
    base, word = np.asarray(baseline, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    has_forecast = np.asarray(has_forecast, dtype=np.bool_)
    segment = place_of(model.segment_ids, np.asarray(segment_ids))
    usual = base * model.mean_ratios[segment, WITHOUT]
    called = model.forecast_weight * word + (1 - model.forecast_weight) * usual
    reference = np.where(has_forecast, called, base)
    kind = has_forecast.astype(np.int64)
    highest = np.maximum(np.asarray(ceiling, dtype=np.float64), np.where(has_forecast, word, 0.0))
    cell = segment * 2 + kind
    prices = np.minimum(model.ratios, model.ratios[:, UPLIFT, None])
    amounts = np.minimum(np.take(prices.T, kind, axis=1) * (reference * uplift), highest)
    amounts[UPLIFT + 1 :] *= np.take((model.ratios / prices)[:, UPLIFT + 1 :].T, kind, axis=1)
    return Outcomes(amounts, np.take(np.ascontiguousarray(model.weights.reshape(-1, RATIO_COUNT).T), cell, axis=1))


def ceilings(
    baseline: Integers, cap_hundredths: Integers, price_locked: Integers, due: Integers, cross_sell: Integers
) -> Integers:
    """The most, int64[n] cents, that the price of the same products may rise to, plus what is sold beside them.

    `cap_hundredths` is the uplift cap in hundredths of a percent, below 0 where there is none. A price that is locked
    beyond the due day does not rise at all.
    """
    cap = np.where(price_locked > due, 0, cap_hundredths).astype(np.int64)
    capped = baseline + (baseline * np.maximum(cap, 0) + 5_000) // 10_000 + cross_sell
    return np.where(cap < 0, NO_CEILING, capped)


def place_of(known: Integers, values: Integers) -> Integers:
    """Position of each value among the sorted known ones; past their end where it is not one of them."""
    if known.size == 0:
        return np.zeros(values.shape, dtype=np.int64)
    place = np.minimum(np.searchsorted(known, values), known.size - 1)
    found: Integers = np.where(known[place] == values, place, known.size)
    return found


def _learn(ratio: Floats, most: Floats, value: Floats, place: Integers, segment_count: int) -> tuple[Floats, Floats]:
    """(ratios float64[7], weights float64[s + 1, 7]) of n ratios, each of a value in cents.

    `most` is the ratio up to which each price could rise.
    """
    ratio = np.minimum(ratio, LARGEST_RATIO)
    kind = np.searchsorted(ENDS, ratio)
    kind[(kind == UPLIFT) & (ratio > most + AT_CAP)] = UPLIFT + 1  # beyond its cap, so not by its price
    every = _as_counts(value, np.zeros(ratio.size, dtype=np.int64), 1)
    count = np.bincount(kind, every, RATIO_COUNT)
    prior = PRIOR_RENEWALS * PRIOR_WEIGHTS
    book = (count + prior) / (count.sum() + PRIOR_RENEWALS)
    cells = np.bincount(
        place * RATIO_COUNT + kind, _as_counts(value, place, segment_count + 1), (segment_count + 1) * RATIO_COUNT
    )
    own = cells.reshape(-1, RATIO_COUNT)
    own[-1] = 0.0  # renewals without a segment are told by the whole book
    weights = (own + SEGMENT_STRENGTH * book) / (own.sum(axis=1, keepdims=True) + SEGMENT_STRENGTH)
    return _sizes(ratio, most, kind, every), weights


def _sizes(ratio: Floats, most: Floats, kind: Integers, count: Floats) -> Floats:
    """float64[7]: by class, the ratio by which its renewals would, under their ceilings, have come to what they did.

    Those of the prior are under none.
    """
    prior = PRIOR_RENEWALS * PRIOR_WEIGHTS
    brought = np.bincount(kind, count * ratio, RATIO_COUNT) + prior * PRIOR_RATIOS
    sizes: Floats = brought / (np.bincount(kind, count, RATIO_COUNT) + prior)
    own = kind == UPLIFT
    sizes[UPLIFT] = _uncapped(brought[UPLIFT], most[own], count[own], float(prior[UPLIFT]))
    grown = kind > UPLIFT
    price = np.bincount(kind[grown], count[grown] * np.minimum(sizes[UPLIFT], most[grown]), RATIO_COUNT)
    growth = brought / (price + prior * sizes[UPLIFT])
    sizes[UPLIFT + 1 :] = sizes[UPLIFT] * np.maximum(growth[UPLIFT + 1 :], 1.0)
    return sizes


def _uncapped(brought: float, most: Floats, count: Floats, free: float) -> float:
    """The usual uplift u, within its class, with sum of count x min(u, most) + free x u = brought; by bisection."""
    low, high = float(ENDS[UPLIFT - 1]), float(ENDS[UPLIFT])
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if float(count @ np.minimum(middle, most)) + free * middle < brought:
            low = middle
        else:
            high = middle
    return high


def _as_counts(value: Floats, group: Integers, group_count: int) -> Floats:
    """How many renewals each one counts as: in proportion to its value, adding up to its group's effective number."""
    whole, squares = (np.bincount(group, each, group_count) for each in (value, value**2))
    share = np.divide(whole, squares, out=np.zeros(group_count), where=squares > 0)
    found: Floats = value * share[group]
    return found


def _word_weight(word: Floats, usual: Floats, came: Floats, base: Floats) -> float:
    """The w with the least squared miss of w x word + (1 - w) x usual, as ratios to the baseline, weighed by value."""
    if came.size < MINIMUM_CALLS:
        return 1.0
    count = _as_counts(base, np.zeros(base.size, dtype=np.int64), 1)
    word, usual, came = (np.minimum(each / base, LARGEST_RATIO) for each in (word, usual, came))
    # (w (word - usual) + usual - came)^2 is a parabola in w: three sums say its value at every weight. The word itself
    # is what the prior calls would have come to, as far from the usual as the closed ones.
    apart, missed = word - usual, usual - came
    square, cross, rest = (float(count @ each) for each in (apart**2, apart * missed, missed**2))
    loss = WEIGHTS**2 * square + 2 * WEIGHTS * cross + rest
    prior = (1 - WEIGHTS) ** 2 * square / count.sum()
    return float(WEIGHTS[np.argmin(loss + WORD_STRENGTH * prior)])
