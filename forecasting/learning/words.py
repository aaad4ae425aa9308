"""The columns of the likelihood in words: what they are called, what a value of one says, what that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from accounts.models import AttributeDefinition
from accounts.templatetags.money import compact_money, percent
from forecasting.frames.likelihood_columns import CUSTOM

LABELS: Final = {
    "segment": "Segment",
    "industry": "Industry",
    "region": "Region",
    "product": "Product",
    "baseline": "Baseline",
    "tenure_days": "Years as a customer",
    "term_days": "Contract term",
    "is_auto_renewing": "Renews by itself",
    "notice_days": "Notice period",
    "usage_change_rate": "Usage trend",
    "days_since_touch": "Days since last touch",
    "severe_ticket_count": "Severe tickets",
    "reopened_ticket_rate": "Tickets reopened",
    "csat_score": "CSAT",
    "nps_score": "NPS",
    "late_payment_days": "Late payments",
    "failed_payment_count": "Failed payments",
    "chargeback_count": "Chargebacks",
    "past_late_rate": "Past lateness",
    "champion_left": "Champion left",
    "size_change_rate": "Seats",
    "stage_progress": "Stage",
    "price_rise_rate": "Price rise",
    "score": "Risk score",
    "state": "Timing",
    "quarter": "Quarter so far",
    "limit": "Limit",
}
# What somebody can bring about, and in which sense: 1 is more of it, -1 less, 0 either. The rest are as they are; so is
# whether a contract renews by itself, which says above all when such renewals are decided, and not that they come.
CHANGEABLE: Final = {
    "usage_change_rate": 1,
    "days_since_touch": -1,
    "severe_ticket_count": -1,
    "reopened_ticket_rate": -1,
    "csat_score": 1,
    "nps_score": 1,
    "late_payment_days": -1,
    "failed_payment_count": -1,
    "champion_left": -1,
    "price_rise_rate": -1,
    "term_days": 0,
}
# Below half a point a factor moves the number that is shown by nothing.
LEAST_POINTS: Final = 0.5
Value = float | str | None


def label_of(column: str, attributes: Mapping[str, AttributeDefinition]) -> str:
    """`attributes` by key."""
    if column.startswith(CUSTOM):
        key = column.removeprefix(CUSTOM)
        return attributes[key].label if key in attributes else key
    return LABELS[column]


def open_words(days_left: int) -> str:
    """What is known of a renewal that nobody has decided yet."""
    if days_left == 0:
        return "Still open on its due day"
    days = f"{abs(days_left):,} day{'' if abs(days_left) == 1 else 's'}"
    return f"Still open {days} {'before' if days_left > 0 else 'after'} its due day"


def state_of(column: str, value: Value, label: str, currency: str, kind: str = "") -> str:
    """What is known, as the beginning of a sentence: "No touch for 94 days"."""
    if value is None:
        return f"That {label} is not known"
    if isinstance(value, str):
        return f"{label} {value}"
    if column.startswith(CUSTOM):
        return f"{label} {_custom(value, kind)}"
    if column == "baseline":
        return f"A baseline of {compact_money(10**value - 1, currency)}"
    return NUMBERS[column](value)


def said_of(points: float) -> str:
    """What a factor does, as the end of a sentence: "lowers it by 6 points"."""
    if abs(points) < LEAST_POINTS:
        return "hardly moves it"
    size = round(abs(points))
    return f"{'raises' if points > 0 else 'lowers'} it by {size} point{'' if size == 1 else 's'}"


def _custom(value: float, kind: str) -> str:
    if kind == AttributeDefinition.Kind.FLAG:
        return "yes" if value else "no"
    if kind == AttributeDefinition.Kind.DATE:
        return f"{_days(abs(value))} {'before' if value >= 0 else 'after'} the due day"
    return _number(value)


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0").replace("-", "−")


def _days(value: float) -> str:
    return f"{value:,.0f} day{'' if round(value) == 1 else 's'}"


def _years(value: float) -> str:
    if value < 365:
        return f"{max(round(value / 30.44), 1)} months" if value >= 45 else "1 month"
    years = f"{value / 365.25:.1f}".removesuffix(".0")
    return f"{years} year{'' if years == '1' else 's'}"


def _count(one: str, many: str) -> Callable[[float], str]:
    def text(value: float) -> str:
        return f"No {one}" if value == 0 else f"{value:,.0f} {one if value == 1 else many}"

    return text


def _moved(what: str) -> Callable[[float], str]:
    def text(value: float) -> str:
        if round(abs(value) * 100) == 0:
            return f"{what} unchanged"
        return f"{what} {'up' if value > 0 else 'down'} {percent(abs(value))}"

    return text


NUMBERS: Final[dict[str, Callable[[float], str]]] = {
    "tenure_days": lambda value: f"A customer for {_years(value)} by the due day",
    "term_days": lambda value: f"A term of {_years(value)}",
    "is_auto_renewing": lambda value: "Renews by itself" if value else "Does not renew by itself",
    "notice_days": lambda value: f"A notice period of {_days(value)}" if value else "No notice period",
    "usage_change_rate": _moved("Usage"),
    "days_since_touch": lambda value: f"No touch for {_days(value)}" if value >= 1 else "Touched today",
    "severe_ticket_count": _count("severe ticket open", "severe tickets open"),
    "reopened_ticket_rate": lambda value: f"{percent(value)} of tickets reopened",
    "csat_score": lambda value: f"CSAT of {_number(value)}",
    "nps_score": lambda value: f"NPS of {_number(value)}",
    "late_payment_days": lambda value: (
        f"Invoices paid {_days(value)} late" if value >= 0.5 else "Invoices paid on time"
    ),
    "failed_payment_count": _count("failed payment", "failed payments"),
    "chargeback_count": _count("chargeback", "chargebacks"),
    "past_late_rate": lambda value: f"{percent(value)} of the account’s earlier renewals late or lost",
    "champion_left": lambda value: "The champion left" if value else "The champion is still there",
    "size_change_rate": _moved("Seats"),
    "stage_progress": lambda value: f"Stage {percent(value)} of the way",
    "price_rise_rate": _moved("Price"),
    "score": lambda value: f"A risk score of {_number(value)}",
}
