"""What stands in a cell of the central table.

Every function here takes a row's plain values and gives a text: one that somebody typed as it is, which whoever sets it
escapes, or markup made by format_html. What repeats from row to row is made once and kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from django.utils.html import conditional_escape, format_html

from accounts.models import HealthBand
from accounts.templatetags.look import bar, state
from accounts.templatetags.money import NOTHING, money
from renewals.models import Renewal, RiskBand, TimingClass
from renewals.overrides.marks import is_pinned, pin_mark
from renewals.table.columns import DATE, HEALTH_TONES, RISK_TONES, TIMING_NAMES, Record, Sight, outcome_text

Content = Callable[[Record, Sight], str]

# Days are said where a person has to act on them.
TIMING_WITH_DAYS = {TimingClass.OVERDUE, TimingClass.LATE}
OUTCOME_LABELS = {str(value): str(label) for value, label in Renewal.Outcome.choices}
NO_TEXT = conditional_escape("")
NOT_SCORED = format_html('<span class="p-muted" title="{}">Not scored yet</span>', "The next recompute scores it.")
NO_FACTOR = format_html(' title="{}"', "No risk factor has an input yet.")


@lru_cache(maxsize=4096)
def _date(value: dt.date | None) -> str:
    return value.strftime(DATE) if value else ""


@lru_cache(maxsize=4096)
def _percent(rate: float | None) -> str:
    return NOTHING if rate is None else f"{round(rate * 100)}%"


def _amount(value: Decimal | None, record: Record, sight: Sight) -> str:
    """Whole units; the currency is said only where it is not the one in the column's head."""
    if value is None:
        return ""
    return _money(value, "" if record["currency"] == sight.currency else record["currency"])


_money = lru_cache(maxsize=8192)(money)


@lru_cache(maxsize=4096)
def _with_small(text: str, small: str, css: str = "") -> str:
    return format_html('{} <small class="{}">{}</small>', text, css, small) if small else text


def _timing(record: Record, sight: Sight) -> str:
    timing, days = record["score__timing_class"], record["score__timing_days"]
    return NOT_SCORED if timing is None else _state(timing, days if timing in TIMING_WITH_DAYS else None)


@lru_cache(maxsize=2048)
def _state(timing: int, days: int | None) -> str:
    return state(TIMING_NAMES[timing], days)


def _forecast(record: Record, sight: Sight) -> str:
    forecast, baseline = record["forecast_amount"], record["baseline_amount"]
    text = _amount(forecast, record, sight)
    if forecast is None or not baseline or forecast == baseline:
        return text
    change = int(((forecast / baseline - 1) * 100).to_integral_value(ROUND_HALF_UP))
    small = f"{change:+d}%".replace("-", "−") if change else "≈"
    return _with_small(text, small, "p-good" if forecast > baseline else "p-bad")


def _confidence(record: Record, sight: Sight) -> str:
    return "" if record["confidence"] is None else f"{record['confidence']}%"


def _probability(record: Record, sight: Sight) -> str:
    text = _percent(record["score__probability"])
    if not is_pinned(record, sight.as_of):
        return text
    return format_html("{}{}", _pin_mark(*record["pinned"]), text)


_pin_mark = lru_cache(maxsize=1024)(pin_mark)


def _risk(record: Record, sight: Sight) -> str:
    score = record["score__risk_score"]
    return NOTHING if score is None else _bar(round(score), RISK_TONES[RiskBand.of(score)])


def _health(record: Record, sight: Sight) -> str:
    score = record["account__health__score"]
    return NOTHING if score is None else _state_of_health(round(score), record["account__health__band"])


@lru_cache(maxsize=512)
def _state_of_health(points: int, band: int | None) -> str:
    """As risk: the number, and the band in a colour and in words. Without a band too little is known of the account."""
    if band is None:
        return format_html("{} <small>Not known</small>", points)
    label = HealthBand(band).label
    return format_html("{} {} <small>{}</small>", points, bar(points, HEALTH_TONES[HealthBand(band)]), label)


@lru_cache(maxsize=512)
def _bar(points: int, tone: str) -> str:
    return format_html("{} {}", points, bar(points, tone))


def _outcome(record: Record, sight: Sight) -> str:
    outcome, small = record["outcome"], ""
    if outcome == Renewal.Outcome.LOST:
        small = record["churn_reason__name"] or ""
    elif outcome == Renewal.Outcome.RENEWED:
        small = _amount(record["final_amount"], record, sight)
    return _with_small(OUTCOME_LABELS[outcome], small)


def _day(accessor: str) -> Content:
    return lambda record, sight: _date(record[accessor])


def _word(accessor: str) -> Content:
    return lambda record, sight: record[accessor] or ""


CONTENTS: dict[str, Content] = {
    "contract": _word("contract__number"),
    "due_on": _day("due_on"),
    "decision_on": _day("decision_on"),
    "timing": _timing,
    "stage": _word("stage__name"),
    "baseline_amount": lambda record, sight: _amount(record["baseline_amount"], record, sight),
    "forecast_amount": _forecast,
    "offer": _word("offer__name"),
    "confidence": _confidence,
    "likelihood": lambda record, sight: _percent(record["score__likelihood"]),
    "probability": _probability,
    "risk": _risk,
    "health": _health,
    "owner": _word("owner__name"),
    "next_step": lambda record, sight: _with_small(record["next_step"], _date(record["next_step_on"])),
    "last_touch_on": _day("account__last_touch_on"),
    "expected_order_on": _day("expected_order_on"),
    "ordered_on": _day("ordered_on"),
    "outcome": _outcome,
}


def text(value: object) -> str:
    return "" if value is None else str(value)


def _value(accessor: str) -> Content:
    return lambda record, sight: text(record[accessor])


def _outcome_value(record: Record, sight: Sight) -> str:
    return outcome_text(record["outcome"], record["churn_reason_id"], record["final_amount"])


# What an editor starts from, and sends back as what it saw. Where a column is not named here, the column itself.
_VALUES: dict[str, Content] = {
    "stage": _value("stage_id"),
    "offer": _value("offer_id"),
    "owner": _value("owner_id"),
    "outcome": _outcome_value,
}


def editor_value(name: str) -> Content:
    return _VALUES.get(name) or _value(name)


def _contributions(record: Record, sight: Sight) -> str:
    """The points of each factor in hundredths, by its position; the script makes a card of them."""
    if record["score__risk_score"] is None:
        return NO_FACTOR
    points = tuple(record["score__contributions"])
    return _points(points, record["score__risk_score"], record["score__completeness"])


@lru_cache(maxsize=4096)
def _points(points: tuple[int, ...], score: float, completeness: float) -> str:
    return format_html(
        ' data-contributions="{}" data-score="{}" data-completeness="{}"',
        ",".join(map(str, points)),
        score,
        round(completeness * 100),
    )


def _likelihood_title(record: Record, sight: Sight) -> str:
    return _count_title(record["score__likelihood_count"])


@lru_cache(maxsize=2048)
def _count_title(count: int | None) -> str:
    return format_html(' title="The rate of {} decided renewals like this one"', f"{count:,}") if count else NO_TEXT


def _product_title(record: Record, sight: Sight) -> str:
    return _title(record["contract__product"])


@lru_cache(maxsize=2048)
def _title(words: str) -> str:
    return format_html(' title="{}"', words) if words else NO_TEXT


# Attributes that a cell has besides its column's.
ATTRIBUTES: dict[str, Content] = {
    "contract": _product_title,
    "likelihood": _likelihood_title,
    "risk": _contributions,
}


def exception_tag(record: Record, sight: Sight) -> str:
    if not record["is_excluded"]:
        return NO_TEXT
    return format_html(' <small class="p-tag" title="{}">Exception</small> ', record["excluded_reason"])
