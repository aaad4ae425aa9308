"""Which touch model each account gets, so that a rep's hours save the most value at risk. Pure arithmetic.

Every account has low touch at least. Each step up (low to mid, mid to high, or low to high at once where mid is worth
less an hour than high) saves so much value at risk for so many hours; a rep's hours go to the steps that save most an
hour, as far as they fit. That is the greedy rule of the multiple-choice knapsack over its efficient steps: what it
saves falls short of the best possible by less than one step. Source: Sinha and Zoltners (1979), Operations Research
27, 503-515.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
LOW, MID, HIGH = range(3)
MODELS: Final = ("low", "mid", "high")


@dataclass(frozen=True, eq=False)
class Coverage:
    """What n accounts of reps ask for and give.

    owner       int64[n], position of the rep, 0 to r - 1; -1: nobody, whose account gets low touch
    stake       float64[n], value at risk, 0 or more
    hours       float64[n, 3], of low, mid and high touch, rising strictly
    saved_rate  float64[n, 3], share of the stake that each saves, not falling
    rep_hours   float64[r]
    """

    owner: Integers
    stake: Floats
    hours: Floats
    saved_rate: Floats
    rep_hours: Floats

    def hours_of(self, model: Integers) -> Floats:
        return self.hours[np.arange(self.owner.size), model]

    def saved_of(self, model: Integers) -> Floats:
        saved: Floats = self.stake * self.saved_rate[np.arange(self.owner.size), model]
        return saved


@dataclass(frozen=True, eq=False)
class Steps:
    """Efficient steps up: account, the model that it leads from and to, its hours and what it saves more."""

    account: Integers
    source: Integers
    target: Integers
    hours: Floats
    saved: Floats


def suggest(coverage: Coverage) -> Integers:
    """int64[n], LOW, MID or HIGH by account. A rep whose low touches alone take more than the hours gets those.

    Of equal steps that of the earlier account comes first. Raises ValueError where hours do not rise.
    """
    if coverage.hours.size and (np.diff(coverage.hours, axis=1) <= 0).any():
        raise ValueError("hours rise from low to mid to high touch")
    model = np.full(coverage.owner.size, LOW, dtype=np.int64)
    is_owned = coverage.owner >= 0
    low = np.bincount(
        coverage.owner[is_owned], weights=coverage.hours[is_owned, LOW], minlength=coverage.rep_hours.size
    )
    left = (coverage.rep_hours - low).tolist()
    steps = _steps(coverage)
    order = np.lexsort((steps.account, -steps.saved / steps.hours))
    columns = (steps.account, steps.source, steps.target, coverage.owner[steps.account], steps.hours)
    # Steps of one account save less an hour from step to step, so they come in their order; one whose step to mid did
    # not fit does not go on to high.
    for account, source, target, rep, hours in zip(*(column[order].tolist() for column in columns), strict=True):
        if hours <= left[rep] and model[account] == source:
            left[rep] -= hours
            model[account] = target
    return model


def _steps(coverage: Coverage) -> Steps:
    """Of the accounts with an owner and something to save."""
    rows = np.flatnonzero((coverage.owner >= 0) & (coverage.stake > 0))
    hours = np.diff(coverage.hours[rows], axis=1)
    saved = np.diff(coverage.saved_rate[rows], axis=1) * coverage.stake[rows, None]
    # Where high is worth more an hour than mid, mid is never the right place to stop.
    at_once = saved[:, 1] * hours[:, 0] > saved[:, 0] * hours[:, 1]
    whole_hours, whole_saved = hours.sum(axis=1), saved.sum(axis=1)
    parts = [
        (rows[~at_once], LOW, MID, hours[~at_once, 0], saved[~at_once, 0]),
        (rows[~at_once], MID, HIGH, hours[~at_once, 1], saved[~at_once, 1]),
        (rows[at_once], LOW, HIGH, whole_hours[at_once], whole_saved[at_once]),
    ]
    found = Steps(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([np.full(part[0].size, part[1]) for part in parts]),
        np.concatenate([np.full(part[0].size, part[2]) for part in parts]),
        np.concatenate([part[3] for part in parts]),
        np.concatenate([part[4] for part in parts]),
    )
    worth = found.saved > 0
    return Steps(
        account=found.account[worth],
        source=found.source[worth],
        target=found.target[worth],
        hours=found.hours[worth],
        saved=found.saved[worth],
    )
