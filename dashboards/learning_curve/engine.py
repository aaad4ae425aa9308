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
LEAST_RECORDED_RATE: Final = 0.5
ESTIMATES: Final = (
    "Of {tasks:,} tasks {recorded:,} have recorded minutes, and estimates show no learning: record the minutes that "
    "tasks took, of half of them at least."
)
LEAST_DIFFERENCE: Final = 1e-9  # hours; below it a difference is rounding
LEVEL: Final = "Every renewal was given the same minutes: record the minutes that tasks took, and learning may show."


@dataclass(frozen=True)
class Month:
    """Renewals decided in a month: `cumulative` counts all up to its middle, from 1 on; `hours` are the mean of one.

    `tasks` were done for them, `recorded` of these with the minutes that they took and the others by their estimate.
    """

    cumulative: float
    count: int
    hours: float
    tasks: int = 0
    recorded: int = 0


@dataclass(frozen=True)
class Curve:
    """c(n) = first_hours x n ^ exponent, with the interval of the exponent at 95 %; `count` renewals behind it.

    `refusal` says why it is not to be shown as a finding; the numbers are then only for saying so. `is_blank`: there is
    nothing that could be drawn either, because nobody measured anything.
    """

    count: int
    first_hours: float = 0.0
    exponent: float = 0.0
    low: float = 0.0
    high: float = 0.0
    refusal: str = ""
    is_blank: bool = False

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


@dataclass(frozen=True)
class Counted:
    """What a month added: renewals, the hours of all of them, their tasks, and those with recorded minutes."""

    count: int
    hours: float
    tasks: int = 0
    recorded: int = 0


def months_of(counted: Sequence[Counted]) -> list[Month]:
    """Months in their order. One without any renewal is none."""
    done, months = 0, []
    for one in counted:
        if one.count:
            mean = one.hours / one.count
            months.append(Month(done + (one.count + 1) / 2, one.count, mean, one.tasks, one.recorded))
        done += one.count
    return months


def blank_reason(months: Sequence[Month]) -> str:
    """Why there is nothing to draw a curve through; nothing where there is."""
    tasks, recorded = (sum(getattr(month, name) for month in months) for name in ("tasks", "recorded"))
    if recorded < tasks * LEAST_RECORDED_RATE:
        return ESTIMATES.format(tasks=tasks, recorded=recorded)
    hours = [month.hours for month in months]
    if len(hours) > 1 and max(hours) - min(hours) < LEAST_DIFFERENCE:
        return LEVEL
    return ""


def fit_curve(months: Sequence[Month]) -> Curve:
    """Least squares of ln(hours) on ln(cumulative renewals), each month weighted by its renewals; interval by Student's
    t with months - 2 degrees of freedom. Refused where n < 20, with too few months, where minutes are estimates or all
    the same, or if the interval holds 0."""
    count = sum(month.count for month in months)
    if months and (reason := blank_reason(months)):
        return Curve(count, refusal=reason, is_blank=True)
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
    refusal = ""
    if low <= 0 <= high:
        refusal = f"The exponent is between {low:+.3f} and {high:+.3f}, which includes 0: it may as well be chance."
    return Curve(count, exp(intercept), exponent, low, high, refusal)
