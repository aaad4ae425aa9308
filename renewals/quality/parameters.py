"""What a rule's condition can be told: whole numbers, limits, fields of a closed list. Nothing here takes SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST = Decimal("999999999999.99")


class InvalidParameter(ValueError):
    """A rule's parameter is not what its condition takes; names the parameter, the value and what it has to be."""


@dataclass(frozen=True)
class Field:
    """A column that a rule may look at. In `sql`, r is the renewal, c its contract, a its account."""

    label: str
    sql: str
    kind: str  # date, number, text, or row: of another table


FIELDS: dict[str, Field] = {
    "forecast_amount": Field("Forecast", "r.forecast_amount", "number"),
    "baseline_amount": Field("Baseline", "r.baseline_amount", "number"),
    "final_amount": Field("Final amount", "r.final_amount", "number"),
    "confidence": Field("Confidence", "r.confidence", "number"),
    "notice_days": Field("Notice days", "r.notice_days", "number"),
    "uplift_cap_rate": Field("Uplift cap", "c.uplift_cap_rate", "number"),
    "offer": Field("Offer", "r.offer_id", "row"),
    "owner": Field("Owner", "r.owner_id", "row"),
    "churn_reason": Field("Churn reason", "r.churn_reason_id", "row"),
    "segment": Field("Segment of the account", "a.segment_id", "row"),
    "industry": Field("Industry of the account", "a.industry_id", "row"),
    "region": Field("Region of the account", "a.region", "text"),
    "next_step": Field("Next step", "r.next_step", "text"),
    "next_step_on": Field("Next step due", "r.next_step_on", "date"),
    "expected_order_on": Field("Expected order", "r.expected_order_on", "date"),
    "due_on": Field("Due", "r.due_on", "date"),
    "decision_on": Field("Decision", "r.decision_on", "date"),
    "ordered_on": Field("Ordered", "r.ordered_on", "date"),
    "declined_on": Field("Declined", "r.declined_on", "date"),
    "starts_on": Field("Start of the contract", "c.starts_on", "date"),
    "ends_on": Field("End of the contract", "c.ends_on", "date"),
    "customer_since_on": Field("Customer since", "a.customer_since_on", "date"),
    "last_touch_on": Field("Last touch", "a.last_touch_on", "date"),
}
ROWS = {"open": "Open renewals", "lost": "Lost renewals", "renewed": "Renewed ones", "every": "Every renewal"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a condition: how it is asked for, and what a stored value has to be.

    `read` takes what is stored (JSON) and gives what the condition uses; it raises ValueError with what it takes.
    """

    name: str
    label: str
    read: Callable[[Any], Any]
    choices: tuple[tuple[str, str], ...] = ()
    highest: int | None = None  # of a whole number
    is_required: bool = True
    help_text: str = ""
    initial: Any = None


def whole(
    name: str, label: str, *, high: int, initial: int | None, is_required: bool = True, help_text: str = ""
) -> Parameter:
    def read(value: Any) -> int:
        # A bool is an int to Python, never to a person.
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= high:
            raise ValueError(f"a whole number from 0 to {high:,}")
        return value

    return Parameter(name, label, read, highest=high, is_required=is_required, help_text=help_text, initial=initial)


def limit(name: str, label: str) -> Parameter:
    def read(value: Any) -> Decimal:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number) > LARGEST:
            raise ValueError(f"a number up to {LARGEST:,}")
        return number

    return Parameter(name, label, read, is_required=False, help_text="Blank: no limit on this side.")


def field(name: str, label: str, *kinds: str, initial: str) -> Parameter:
    choices = tuple((key, one.label) for key, one in FIELDS.items() if not kinds or one.kind in kinds)
    return _choice(name, label, choices, initial)


def rows() -> Parameter:
    return _choice("rows", "Asked of", tuple(ROWS.items()), "open")


def _choice(name: str, label: str, choices: tuple[tuple[str, str], ...], initial: str) -> Parameter:
    known = dict(choices)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return value

    return Parameter(name, label, read, choices=choices, initial=initial)


def read_parameters(parameters: tuple[Parameter, ...], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter by name, None where an optional one is blank.

    Raises:
        InvalidParameter: one is missing, of a wrong kind, or unknown.
    """
    if not isinstance(stored, Mapping):
        raise InvalidParameter("parameters: a list of names and values is needed.")
    found: dict[str, Any] = {}
    for parameter in parameters:
        value = stored.get(parameter.name)
        if value is None or value == "":
            if parameter.is_required:
                raise InvalidParameter(f"{parameter.name}: missing.")
            found[parameter.name] = None
            continue
        try:
            found[parameter.name] = parameter.read(value)
        except ValueError as problem:
            raise InvalidParameter(f"{parameter.name}: “{value}” is not {problem}.") from None
    if unknown := set(stored) - {parameter.name for parameter in parameters}:
        raise InvalidParameter(f"{', '.join(sorted(unknown))}: this condition takes no such parameter.")
    return found
