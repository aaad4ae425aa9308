"""Wright's law: hours of a renewal fall by the same share each time as many again have been done. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np

FEWEST_RENEWALS: Final = 20
FEWEST_MONTHS: Final = 3
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Month:
    """Renewals decided in a month: `cumulative` counts all up to its middle, from 1 on; `hours` are the mean of one."""

    cumulative: float
    count: int
    hours: float


@dataclass(frozen=True)
class Curve:
    """c(n) = first_hours x n ^ exponent, with the interval of the exponent at 95 %; `count` renewals behind it.

    `refusal` says why it is not to be shown as a finding; the numbers are then only for saying so.
    """

    count: int
    first_hours: float = 0.0
    exponent: float = 0.0
    low: float = 0.0
    high: float = 0.0
    refusal: str = ""

    @property
    def learning_rate(self) -> float:
        """By how much one gets cheaper each time n doubles: 1 - 2^b."""
        return 1 - 2**self.exponent

    @property
    def learning_rates(self) -> tuple[float, float]:
        """The interval of the learning rate, the lower one first."""
        return 1 - 2**self.high, 1 - 2**self.low

    def hours(self, n: float) -> float:
        return float(self.first_hours * n**self.exponent)

    def saved_hours(self, done: float, more: int) -> float:
        """Of the next `more` renewals against the hours of one now: sum of c(done) - c(done + i), i = 1..more."""
        if more <= 0 or done < 1:
            return 0.0
        ahead = self.first_hours * (done + np.arange(1, more + 1)) ** self.exponent
        return float(self.hours(done) * more - ahead.sum())


def months_of(counted: Sequence[tuple[int, float]]) -> list[Month]:
    """Months in their order as (renewals, hours of all of them). A month without any is none."""
    done, months = 0, []
    for count, hours in counted:
        if count:
            months.append(Month(done + (count + 1) / 2, count, hours / count))
        done += count
    return months


def fit_curve(months: Sequence[Month]) -> Curve:
    """Least squares of ln(hours) on ln(cumulative renewals), each month weighted by its renewals; interval by Student's
    t with months - 2 degrees of freedom. Refused where n < 20, with too few months, or if the interval holds 0."""
    count = sum(month.count for month in months)
    known = [month for month in months if month.hours > 0]
    if count < FEWEST_RENEWALS:
        return Curve(count, refusal=f"{count} renewals with recorded work are too few: it takes {FEWEST_RENEWALS}.")
    if len(known) < FEWEST_MONTHS:
        return Curve(count, refusal=f"{len(known)} months are too few to draw a line: it takes {FEWEST_MONTHS}.")
    x = np.array([log(month.cumulative) for month in known])
    y = np.array([log(month.hours) for month in known])
    weights = np.array([month.count for month in known], dtype=np.float64)
    weights /= weights.sum()
    x_mean, y_mean = float(weights @ x), float(weights @ y)
    spread = float(weights @ (x - x_mean) ** 2)
    exponent = float(weights @ ((x - x_mean) * (y - y_mean))) / spread
    intercept = y_mean - exponent * x_mean
    from scipy.special import stdtrit  # a quarter of a second that no other page has to spend

    freedom = len(known) - 2
    residual = float(weights @ (y - intercept - exponent * x) ** 2) / freedom
    reach = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * (residual / spread) ** 0.5
    low, high = exponent - reach, exponent + reach
    # What is left of a perfectly level line is rounding.
    refusal = ""
    if low <= 1e-12 and high >= -1e-12:
        refusal = f"The exponent is between {low:+.3f} and {high:+.3f}, which includes 0: it may as well be chance."
    return Curve(count, exp(intercept), exponent, low, high, refusal)
