"""What a person asks of many rows: for each field set, clear, shift by days or scale by per cent. Checked here once, by
the rule of the single cell where there is a value, and told in words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Model

from accounts.templatetags.money import exact_money
from renewals.bulk.rules import FIELDS, Computed
from renewals.forms import LABELS, CellForm, Decision, Editing, build_field, shown
from renewals.models import Renewal
from renewals.table.columns import DATE

SET, CLEAR, SHIFT, SCALE = "set", "clear", "shift", "scale"
VERBS = {SET: "Set to", CLEAR: "Clear", SHIFT: "Shift by days", SCALE: "Change by %"}
ACTIONS: dict[str, tuple[str, ...]] = {
    "stage": (SET,),
    "confidence": (SET, CLEAR),
    "forecast_amount": (SET, CLEAR, SCALE),
    "offer": (SET, CLEAR),
    "expected_order_on": (SET, CLEAR, SHIFT),
    "next_step": (SET, CLEAR),
    "next_step_on": (SET, CLEAR, SHIFT),
    "owner": (SET, CLEAR),
    "outcome": (SET,),
    "ordered_on": (SET, CLEAR, SHIFT),
}
# Which input of the form holds the value, by the action.
INPUTS = {SET: "value", SHIFT: "days", SCALE: "percent", CLEAR: "value"}
PARTS = ("churn_reason", "final_amount", "ordered_on")
MOST_DAYS = 3650
MOST_PERCENT = Decimal(1000)


class ChangesInvalid(ValueError):
    """What is wrong, by field; `""` for what concerns the whole."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


@dataclass(frozen=True)
class Change:
    """One field's change, as it was typed."""

    field: str
    action: str
    value: str = ""
    parts: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # of an outcome: churn reason, final amount, order date

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Compiled:
    """A change as the columns that it gives, and in words. `blank` is SQL over `s`: nothing to shift or scale."""

    change: Change
    values: Mapping[str, Any]
    text: str
    blank: str = ""


def read_changes(data: Mapping[str, Any]) -> list[Change]:
    """The changes that a form asks for: `<field>_action`, `_value`, `_days`, `_percent`, and `outcome_<part>`."""
    changes = []
    for name in ACTIONS:
        action = str(data.get(f"{name}_action", ""))
        if action:
            parts = {part: str(data.get(f"outcome_{part}", "")) for part in PARTS} if name == "outcome" else {}
            value = str(data.get(f"{name}_{INPUTS.get(action, 'value')}", ""))
            changes.append(Change(name, action, value, parts))
    return changes


def changes_from(stored: Iterable[Mapping[str, Any]]) -> list[Change]:
    return [Change(**change) for change in stored]


def compile_changes(changes: Iterable[Change], editing: Editing) -> list[Compiled]:
    """Raises ChangesInvalid with everything that is wrong."""
    compiled, errors = [], {}
    for change in changes:
        try:
            compiled.append(_compile(change, editing))
        except ValidationError as error:
            errors[change.field] = " ".join(error.messages)
    asked = {one.change.field for one in compiled}
    if {"outcome", "ordered_on"} <= asked:
        errors["ordered_on"] = "An outcome brings its order date with it: change one of the two."
    if not compiled and not errors:
        errors[""] = "Choose what to change: nothing is asked for yet."
    if errors:
        raise ChangesInvalid(errors)
    return compiled


def _compile(change: Change, editing: Editing) -> Compiled:
    if change.action not in ACTIONS.get(change.field, ()):
        raise ValidationError(f"{LABELS.get(change.field, shown(change.field))} cannot be changed in this way.")
    return COMPILERS[change.action](change, editing)


def _set(change: Change, editing: Editing) -> Compiled:
    if change.field == "outcome":
        return _set_outcome(change, editing)
    if not change.value.strip():
        raise ValidationError(f"{LABELS[change.field]}: say what to set it to, or choose “Clear”.")
    value = build_field(change.field, editing).clean(change.value)
    return Compiled(
        change, {FIELDS[change.field]: plain(value)}, f"{LABELS[change.field]} → {in_words(change.field, value)}"
    )


def _set_outcome(change: Change, editing: Editing) -> Compiled:
    decision = read_decision(change.value, change.parts, editing)
    return Compiled(change, decision_values(decision), f"Outcome → {Renewal.Outcome(decision.outcome).label}")


def read_decision(outcome: str, parts: Mapping[str, str], editing: Editing) -> Decision:
    form = CellForm({"value": outcome, **parts}, field="outcome", editing=editing)
    if not form.is_valid():
        raise ValidationError(form.message)
    return cast(Decision, form.cleaned_data["value"])


def decision_values(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": str(decision.outcome),
        "churn_reason_id": plain(decision.churn_reason),
        "final_amount": decision.final_amount,
        "ordered_on": decision.ordered_on,
    }


def _clear(change: Change, editing: Editing) -> Compiled:
    value = build_field(change.field, editing).clean("")  # refuses where a blank is not allowed
    return Compiled(change, {FIELDS[change.field]: plain(value)}, f"{LABELS[change.field]} cleared")


def _shift(change: Change, editing: Editing) -> Compiled:
    text = change.value.strip().replace("−", "-")
    if not re.fullmatch(r"[+-]?[0-9]{1,5}", text) or not 0 < abs(int(text)) <= MOST_DAYS:
        raise ValidationError(
            f"Days are a whole number such as 14 or -7, up to {MOST_DAYS:,}, not “{shown(change.value)}”."
        )
    days, column = int(text), FIELDS[change.field]
    shifted = Computed(f"s.{column} + %(days_{column})s::int", {f"days_{column}": days})
    unit = "day" if abs(days) == 1 else "days"
    told = f"{LABELS[change.field]} {'later' if days > 0 else 'earlier'} by {abs(days):,} {unit}"
    return Compiled(change, {column: shifted}, told, blank=f"s.{column} IS NULL")


def _scale(change: Change, editing: Editing) -> Compiled:
    text = change.value.strip().removesuffix("%").strip().replace("−", "-")
    if not re.fullmatch(r"[+-]?[0-9]{1,4}(\.[0-9]{1,4})?", text):
        raise ValidationError(f"Per cent are written 5, -2.5 or 12.25, not “{shown(change.value)}”.")
    percent, column = Decimal(text), FIELDS[change.field]
    if not Decimal(-100) <= percent <= MOST_PERCENT or not percent:
        raise ValidationError(
            f"An amount is changed by -100 to {MOST_PERCENT:,} %, and not by 0: “{shown(change.value)}”."
        )
    factor = 1 + percent / 100
    scaled = Computed(f"round(s.{column} * %(factor_{column})s::numeric, 2)", {f"factor_{column}": factor})
    told = f"{LABELS[change.field]} {percent:+f} %".replace("-", "−")
    return Compiled(change, {column: scaled}, told, blank=f"s.{column} IS NULL")


COMPILERS = {SET: _set, CLEAR: _clear, SHIFT: _shift, SCALE: _scale}


def plain(value: Any) -> Any:
    """A value as its column holds it: the id of a row."""
    return value.pk if isinstance(value, Model) else value


def in_words(name: str, value: Any) -> str:
    match value:
        case dt.date():
            return value.strftime(DATE)
        case Decimal():
            return exact_money(value)
        case str():
            return f"“{shown(value)}”"
    return f"{value}%" if name == "confidence" else str(value)
