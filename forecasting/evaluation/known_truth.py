"""Labelled sets whose truth is known, to see whether the likelihood and its intervals find it.

Renewals come in quarters, each with six things known of it, three of which say nothing. What a renewal's chance was, as
far as anybody could know it beforehand, is `truth`; what a quarter's renewals share beyond that is not part of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine.arrays import Floats, Integers
from forecasting.engine.fitted import Categories, Column, Numbers, Rows
from forecasting.engine.log_odds import expit
from forecasting.evaluation.files import LabelledFile, in_whole_units

SEGMENTS: Final = ("small", "medium", "large", "public")
SEGMENT_EFFECTS: Final = np.array([-0.4, 0.0, 0.4, 0.2])
OF_SEGMENTS: Final = np.array([0.4, 0.3, 0.2, 0.1])
REPEATED: Final = 8  # quarters after which the same account is due again


@dataclass(frozen=True)
class Shape:
    """How the log-odds of a renewal come about; sizes in log-odds.

    signal     of what is known of it: standardised numbers usage and tickets, and its segment's own effect
    level      of the average renewal
    drift      of the level by quarter
    shock      standard deviation of what a quarter's renewals share
    tail       standard deviation of the logarithm of the amounts
    """

    signal: Callable[[Floats, Floats, Floats], Floats]
    level: float = 1.5
    drift: float = 0.0
    shock: float = 0.0
    tail: float = 1.0


def _nothing(usage: Floats, tickets: Floats, effect: Floats) -> Floats:
    return np.zeros(usage.size)


def _linear(usage: Floats, tickets: Floats, effect: Floats) -> Floats:
    return 0.6 * usage - 0.4 * tickets + effect


def _bent(usage: Floats, tickets: Floats, effect: Floats) -> Floats:
    """Nobody who uses much leaves unless many tickets come too; who uses little leaves in any case."""
    return 1.5 * np.sign(usage * tickets) - 1.2 * (usage**2 - 1) + effect


SHAPES: Final[Mapping[str, Shape]] = {
    "no signal": Shape(_nothing),
    "linear": Shape(_linear),
    "nonlinear": Shape(_bent),
    "drift of the level": Shape(_linear, level=0.6, drift=0.06),
    "shocks of quarters": Shape(_linear, shock=0.25),
    "few leave": Shape(_linear, level=4.0),
    "few renew": Shape(_linear, level=-2.5, shock=0.15),
    "heavy amounts": Shape(_linear, tail=2.2),
}


@dataclass(frozen=True, eq=False)
class KnownSet:
    """A labelled file with the true chance float64[n] of each row."""

    file: LabelledFile
    truth: Floats


def known_set(name: str, *, quarters: int = 24, by_quarter: int = 250, seed: int = 0) -> KnownSet:
    """The set of a shape of SHAPES; the same seed gives the same set."""
    shape = SHAPES[name]
    rng = np.random.default_rng([seed, list(SHAPES).index(name)])
    count = quarters * by_quarter
    quarter = np.repeat(np.arange(quarters), by_quarter)
    columns, log_odds = _known(shape, rng, count)
    truth = expit(shape.level + shape.drift * quarter + log_odds)
    shared = rng.normal(0, shape.shock, quarters)[quarter] if shape.shock else np.zeros(count)
    is_renewed = rng.random(count) < _shocked(truth, shared, shape.shock)
    amounts, scale = in_whole_units(np.round(rng.lognormal(7, shape.tail, count), 2))
    rows = Rows(
        columns=columns,
        segments=("f_segment",),
        cohorts=quarter.astype(np.int64),
        is_renewed=is_renewed,
        accounts=(np.arange(count) % (by_quarter * REPEATED)).astype(np.int64),
    )
    return KnownSet(LabelledFile(name, rows, _named(quarters), amounts, scale), truth)


def _known(shape: Shape, rng: np.random.Generator, count: int) -> tuple[dict[str, Column], Floats]:
    """(columns, log-odds of the signal). One in twenty usages is missing, as the average one."""
    usage, tickets = rng.normal(size=count), rng.normal(size=count)
    segment: Integers = rng.choice(len(SEGMENTS), count, p=OF_SEGMENTS).astype(np.int64)
    usage[rng.random(count) < 0.05] = np.nan
    log_odds = shape.signal(np.nan_to_num(usage), tickets, SEGMENT_EFFECTS[segment])
    columns: dict[str, Column] = {
        "f_usage": Numbers(usage),
        "f_tickets": Numbers(tickets),
        "f_segment": Categories(segment, SEGMENTS),
        "f_noise": Numbers(rng.normal(size=count)),
        "f_skewed_noise": Numbers(rng.lognormal(0, 2, count)),
        "f_partner": Categories(rng.integers(0, 40, count), tuple(f"P{number}" for number in range(40))),
    }
    return columns, log_odds


def _shocked(p: Floats, shared: Floats, size: float) -> Floats:
    """`p` moved by what its quarter shares, so that it is still `p` over all quarters (as `fitted.shock` has it)."""
    return expit(np.log(p / (1 - p)) + shared - 0.5 * size**2 * (1 - 2 * p))


def _named(quarters: int) -> tuple[str, ...]:
    return tuple(f"{2000 + number // 4}-Q{number % 4 + 1}" for number in range(quarters))
