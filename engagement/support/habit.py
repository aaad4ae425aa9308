"""What of an account's tickets is unusual, measured by what is usual for that account. Pure: counts in, findings out.

The habit is the year before the last 30 days. Counts of tickets are compared as a Poisson process would be: silence is
told where at least three tickets were to be expected, so that one quiet account in twenty would be so by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECENT_DAYS: Final = 30
HABIT_DAYS: Final = 365
SILENCE_DAYS: Final = 60
ENDING_DAYS: Final = 90
EXPECTED_BEFORE_SILENCE: Final = 3.0
SEVERE_TIMES_USUAL: Final = 2.0
REOPENED_AT_LEAST: Final = 2
REPORTERS_AT_LEAST: Final = 3


@dataclass(frozen=True)
class Activity:
    """Counts of one account. "Before" is the habit: 365 days that end 30 days ago; "quiet" the 60 days up to today."""

    severe_open: int = 0
    severe_before: int = 0
    reopened_recent: int = 0
    reopened_before: int = 0
    opened_quiet: int = 0
    opened_before: int = 0
    reporters_recent: int = 0
    reporters_before: int = 0
    ending_recent: int = 0  # tickets of the last 90 days about ending the service, exporting data or cancelling


@dataclass(frozen=True)
class Finding:
    """`code` is stable, `text` is a sentence with both counts."""

    code: str
    text: str


def per_month(count: int) -> float:
    """Mean of 30 days, of a count over the habit's 365."""
    return count * RECENT_DAYS / HABIT_DAYS


def unusual_activity(seen: Activity) -> list[Finding]:
    """The findings of an account, the gravest first; none where all is as usual."""
    usual_severe = per_month(seen.severe_before)
    usual_reopened = per_month(seen.reopened_before)
    expected = seen.opened_before * SILENCE_DAYS / HABIT_DAYS
    found = []
    if seen.ending_recent:
        found.append(Finding("ending", f"{_tickets(seen.ending_recent)} about leaving or exporting in 90 days"))
    if seen.severe_open and seen.severe_open > SEVERE_TIMES_USUAL * usual_severe:
        found.append(Finding("severe", f"{seen.severe_open} severe open, usually {usual_severe:.1f} a month"))
    if seen.reopened_recent >= REOPENED_AT_LEAST and seen.reopened_recent > 2 * usual_reopened:
        found.append(
            Finding("reopened", f"{seen.reopened_recent} reopened in 30 days, usually {usual_reopened:.1f} a month")
        )
    if seen.reporters_recent >= REPORTERS_AT_LEAST and seen.reporters_recent >= seen.reporters_before:
        found.append(
            Finding(
                "reporters", f"{seen.reporters_recent} reporters in 30 days, {seen.reporters_before} in the year before"
            )
        )
    if not seen.opened_quiet and expected >= EXPECTED_BEFORE_SILENCE:
        found.append(Finding("silence", f"No ticket in 60 days, {expected:.0f} to be expected"))
    return found


def _tickets(count: int) -> str:
    return "1 ticket" if count == 1 else f"{count} tickets"
