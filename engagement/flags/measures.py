"""What a flag rule can ask: a closed list of measures of a renewal and its account, each with a limit.

SQL is composed from the constants here only; every limit and date travels as a bound parameter. In a measure r is an
open renewal, s its score, a its account, h the account's health; `source` joins one more row per account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from engagement.support.habit import ENDING_DAYS, RECENT_DAYS
from engagement.support.reads import ENDING_WORDS
from renewals.models import TimingClass

FAILED_DAYS: Final = 180
USAGE_DAYS: Final = 90
NEVER_TOUCHED: Final = 99_999  # days; longer than any silence
OPEN_CLASSES: Final = {
    str(timing.label).lower().replace(" ", "_"): timing
    for timing in (TimingClass.UPCOMING, TimingClass.IN_WINDOW, TimingClass.OVERDUE, TimingClass.LAPSED)
}
CLASS_OF_CODE: Final = {timing.value: str(timing.label) for timing in OPEN_CLASSES.values()}
Sign = Literal[">=", "<=", "="]


class InvalidConditions(ValueError):
    """A rule's conditions are not what its measures take; names the measure, the value and what it has to be."""


@dataclass(frozen=True)
class Measure:
    """`sql` is the measured number; NULL where nothing is known, which holds of no rule.

    A rule holds where the number is on the side of `sign` of its limit. `say` puts a number into words.
    """

    label: str
    asks: str  # a limit in words, with a place for it
    sql: str
    sign: Sign
    lowest: int
    highest: int
    say: Callable[[float], str]
    unit: str = ""
    source: str = ""
    is_of_renewal: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    help_text: str = ""

    def holds(self, measured: float | None, limit: float) -> bool:
        if measured is None:
            return False
        return {">=": measured >= limit, "<=": measured <= limit, "=": measured == limit}[self.sign]


def _per_account(name: str, value: str, table: str, where: str) -> str:
    """One row for each account that has any; {scope} narrows it to the accounts that are asked about."""
    return (
        f"LEFT JOIN (SELECT account_id, {value} AS value FROM {table} WHERE {where} {{scope}} GROUP BY account_id)"
        f" {name} ON {name}.account_id = a.id"
    )


def _newest_signal(name: str, value: str, where: str) -> str:
    return (
        f"LEFT JOIN (SELECT DISTINCT ON (account_id) account_id, {value} AS value FROM accounts_accountsignal"
        f" WHERE measured_on <= %(today)s AND {where} {{scope}} ORDER BY account_id, measured_on DESC) {name}"
        f" ON {name}.account_id = a.id"
    )


def _count(noun: str, nouns: str = "") -> Callable[[float], str]:
    return lambda number: f"{number:.0f} {noun if number == 1 else nouns or noun + 's'}"


def _until(what: str) -> Callable[[float], str]:
    def say(days: float) -> str:
        if days == 0:
            return f"{what} today"
        return f"{what} in {_count('day')(days)}" if days > 0 else f"{what} {_count('day')(-days)} ago"

    return say


def _silence(days: float) -> str:
    return "never touched" if days >= NEVER_TOUCHED else f"no touch for {_count('day')(days)}"


def _plain(what: str, unit: str = "") -> Callable[[float], str]:
    return lambda number: f"{what} {number:,.0f}{unit}"


SEVERE_OPEN: Final = "resolved_on IS NULL AND severity IN ('high', 'urgent') AND opened_on <= %(today)s"
LEAVING: Final = (
    f"opened_on > %(today)s - {ENDING_DAYS} AND opened_on <= %(today)s"
    f" AND (category = 'ending_service' OR subject ~* '{ENDING_WORDS}' OR theme ~* '{ENDING_WORDS}')"
)
REOPENED: Final = f"opened_on > %(today)s - {RECENT_DAYS} AND opened_on <= %(today)s AND reopened_count > 0"
FAILED: Final = f"due_on > %(today)s - {FAILED_DAYS} AND due_on <= %(today)s AND (has_failed OR is_charged_back)"
UNPAID: Final = "settled_on IS NULL AND due_on < %(today)s"

MEASURES: Final[dict[str, Measure]] = {
    "risk": Measure(
        "Risk at least", "risk of {} or more", "s.risk_score", ">=", 0, 100, _plain("risk"), is_of_renewal=True
    ),
    "probability": Measure(
        "Probability at most",
        "probability of {}% or less",
        "s.probability * 100",
        "<=",
        0,
        100,
        _plain("probability", "%"),
        "%",
        is_of_renewal=True,
    ),
    "confidence": Measure(
        "Confidence at most",
        "confidence of {}% or less",
        "r.confidence",
        "<=",
        0,
        100,
        _plain("confidence", "%"),
        "%",
        is_of_renewal=True,
    ),
    "timing": Measure(
        "Timing class",
        "timing class {}",
        "s.timing_class",
        "=",
        0,
        8,
        lambda code: CLASS_OF_CODE.get(int(code), "decided").lower(),
        is_of_renewal=True,
        choices=tuple((str(one.value), str(one.label)) for one in OPEN_CLASSES.values()),
    ),
    "decision_days": Measure(
        "Days to the decision at most",
        "decision within {} days",
        "r.decision_on - %(today)s",
        "<=",
        0,
        1000,
        _until("decision"),
        "days",
        is_of_renewal=True,
        help_text="A decision date that is past counts too.",
    ),
    "due_days": Measure(
        "Days to the due date at most",
        "due within {} days",
        "r.due_on - %(today)s",
        "<=",
        0,
        1000,
        _until("due"),
        "days",
        is_of_renewal=True,
        help_text="What is overdue counts too.",
    ),
    "baseline": Measure(
        "Baseline at least",
        "baseline of {} or more",
        "r.baseline_amount * rate.rate",
        ">=",
        0,
        1_000_000_000,
        _plain("baseline"),
        is_of_renewal=True,
        help_text="In the reporting currency.",
    ),
    "health": Measure("Health at most", "health of {} or less", "h.score", "<=", 0, 100, _plain("health")),
    "untouched_days": Measure(
        "Days without a touch at least",
        "no touch for {} days or more",
        f"coalesce(%(today)s - a.last_touch_on, {NEVER_TOUCHED})",
        ">=",
        1,
        1000,
        _silence,
        "days",
    ),
    "severe_tickets": Measure(
        "Severe tickets open, at least",
        "severe tickets open: {} or more",
        "coalesce(severe.value, 0)",
        ">=",
        1,
        1000,
        _count("severe ticket open", "severe tickets open"),
        source=_per_account("severe", "count(*)", "accounts_ticket", SEVERE_OPEN),
    ),
    "leaving_tickets": Measure(
        "Tickets about leaving, at least",
        f"tickets about leaving in {ENDING_DAYS} days: {{}} or more",
        "coalesce(leaving.value, 0)",
        ">=",
        1,
        1000,
        _count("ticket about leaving", "tickets about leaving"),
        f"in {ENDING_DAYS} days",
        source=_per_account("leaving", "count(*)", "accounts_ticket", LEAVING),
        help_text="Ending the service, exporting data, cancelling, moving to another product.",
    ),
    "reopened_tickets": Measure(
        "Tickets reopened, at least",
        f"tickets reopened in {RECENT_DAYS} days: {{}} or more",
        "coalesce(reopened.value, 0)",
        ">=",
        1,
        1000,
        _count("ticket reopened", "tickets reopened"),
        f"in {RECENT_DAYS} days",
        source=_per_account("reopened", "count(*)", "accounts_ticket", REOPENED),
    ),
    "failed_payments": Measure(
        "Payments failed or charged back, at least",
        f"payments failed or charged back in {FAILED_DAYS} days: {{}} or more",
        "coalesce(failed.value, 0)",
        ">=",
        1,
        1000,
        _count("payment failed or charged back", "payments failed or charged back"),
        f"in {FAILED_DAYS} days",
        source=_per_account("failed", "count(*)", "accounts_invoice", FAILED),
    ),
    "unpaid_days": Measure(
        "An invoice unpaid for days, at least",
        "an invoice unpaid for {} days or more",
        "unpaid.value",
        ">=",
        1,
        1000,
        lambda days: f"invoice unpaid {_count('day')(days)} past due",
        "days",
        source=_per_account("unpaid", "max(%(today)s - due_on)", "accounts_invoice", UNPAID),
    ),
    "usage_fall": Measure(
        "Use fallen by at least",
        "use down by {}% or more",
        "round((-usage.value * 100)::numeric, 1)",
        ">=",
        1,
        100,
        lambda percent: f"use down {percent:.0f}%",
        "%",
        source=_newest_signal(
            "usage", "usage_change_rate", f"usage_change_rate IS NOT NULL AND measured_on > %(today)s - {USAGE_DAYS}"
        ),
        help_text="Against the 90 days before; measured in the last 90 days.",
    ),
    "champion_left": Measure(
        "The champion",
        "the champion {}",
        "champion.value::int",
        "=",
        0,
        1,
        lambda has: "champion left" if has else "champion is there",
        source=_newest_signal("champion", "has_champion_left", "has_champion_left IS NOT NULL"),
        choices=(("1", "Has left"),),
    ),
}


def read_conditions(conditions: Mapping[str, Any]) -> dict[str, int]:
    """Limits by measure, in the order of MEASURES.

    Raises:
        InvalidConditions: there is none, one is of an unknown measure, or is not a number that it takes.
    """
    if not isinstance(conditions, Mapping) or not conditions:
        raise InvalidConditions("A rule asks for something: fill in one limit at least.")
    if unknown := sorted(set(conditions) - set(MEASURES)):
        raise InvalidConditions(f"{', '.join(unknown)}: there is no such measure.")
    for key, limit in conditions.items():
        measure = MEASURES[key]
        # A bool is an int to Python, never to a person.
        if isinstance(limit, bool) or not isinstance(limit, int) or not measure.lowest <= limit <= measure.highest:
            raise InvalidConditions(
                f"{measure.label}: “{limit}” is not a whole number from {measure.lowest:,} to {measure.highest:,}."
            )
        if measure.choices and str(limit) not in dict(measure.choices):
            raise InvalidConditions(f"{measure.label}: “{limit}” is not one of {', '.join(dict(measure.choices))}.")
    return {key: conditions[key] for key in MEASURES if key in conditions}


def is_of_renewals(conditions: Mapping[str, Any]) -> bool:
    """Whether anything is asked of the renewal itself, so that a flag is about one."""
    return any(MEASURES[key].is_of_renewal for key in conditions)


def say_limit(key: str, limit: float) -> str:
    """A condition in words: "risk of 60 or more"."""
    measure = MEASURES[key]
    said = dict(measure.choices).get(str(int(limit)), "").lower() if measure.choices else f"{limit:,.0f}"
    return measure.asks.format(said)


def say_conditions(conditions: Mapping[str, Any]) -> str:
    """All of a rule's conditions, in words."""
    said = [say_limit(key, limit) for key, limit in conditions.items() if key in MEASURES]
    return _sentence(said)


def say_measured(values: Mapping[str, Any]) -> str:
    """What was measured when a flag was set, in words. `values` are pairs of what was measured and the limit."""
    return _sentence([MEASURES[key].say(pair[0]) for key, pair in values.items() if key in MEASURES])


def say_ended(values: Mapping[str, Any]) -> str:
    """What of a flag's conditions no longer held, with the value that it had then and the limit."""
    said = []
    for key, (measured, limit) in values.items():
        measure = MEASURES.get(key)
        if measure is None or measure.holds(measured, limit):
            continue
        now = "not known any more" if measured is None else measure.say(measured)
        said.append(f"{now} (asked: {say_limit(key, limit)})")
    return _sentence(said)


def _sentence(parts: list[str]) -> str:
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]
