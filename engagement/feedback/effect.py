"""What came of a theme that was done: its tickets before and since, beside all others. Pure: counts in, words out.

Before are the 180 days up to and with the day on which it was done, since are those after it, at most 180. All tickets
may have become more or fewer meanwhile, so the theme's change is divided by that of the others:

    ratio = ((since + 1/2) / (before + 1/2)) / ((others since + 1/2) / (others before + 1/2))
    interval = exp(log ratio -+ 1.96 sqrt(sum of 1 / (count + 1/2)))

which is the odds ratio of a two by two table with Haldane's half and Woolf's interval. It is told from 30 days on and
where at least ten tickets of the theme were seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

COMPARED_DAYS: Final = 180
MONTH_DAYS: Final = 30
FEWEST_DAYS: Final = 30
FEWEST_TICKETS: Final = 10
NORMAL_95: Final = 1.959964


@dataclass(frozen=True)
class Effect:
    """Counts of tickets opened; `days_since` 0 to 180, before always 180."""

    before: int
    since: int
    others_before: int
    others_since: int
    days_since: int

    @property
    def monthly_before(self) -> float:
        """Tickets in 30 days."""
        return self.before * MONTH_DAYS / COMPARED_DAYS

    @property
    def monthly_since(self) -> float:
        return self.since * MONTH_DAYS / self.days_since if self.days_since else 0.0

    @property
    def ratio(self) -> float:
        """Of the theme's change to that of all other tickets: 0.5 is half as many as they would let expect."""
        theme = (self.since + 0.5) / (self.before + 0.5)
        return theme / ((self.others_since + 0.5) / (self.others_before + 0.5))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of `ratio`."""
        counts = (self.before, self.since, self.others_before, self.others_since)
        width = NORMAL_95 * math.sqrt(sum(1 / (count + 0.5) for count in counts))
        return self.ratio * math.exp(-width), self.ratio * math.exp(width)

    @property
    def verdict(self) -> str:
        """early, few, fewer, more or same."""
        if self.days_since < FEWEST_DAYS:
            return "early"
        if self.before + self.since < FEWEST_TICKETS:
            return "few"
        low, high = self.interval
        return "fewer" if high < 1 else "more" if low > 1 else "same"

    @property
    def text(self) -> str:
        return {
            "early": f"{FEWEST_DAYS} days have to pass before it can be told.",
            "few": f"Too few tickets to tell: at least {FEWEST_TICKETS} in both spans together are needed.",
            "fewer": "Fewer than chance would explain.",
            "more": "More than chance would explain.",
            "same": "No more of a change than chance would explain.",
        }[self.verdict]
