"""One row of an edited file against what it was when it was exported and what it is now: which cells to write, and
which to leave out and why. A cell that nobody touched says nothing, however a spreadsheet has reformatted it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User
from renewals.bulk.changes import decision_values, plain, read_decision
from renewals.bulk.rules import FIELDS
from renewals.exports.guard import guarded, unguarded
from renewals.forms import LABELS, Editing, build_field, shown
from renewals.models import ChurnReason, Offer, Renewal, Stage

# The columns behind the fields of a file.
COLUMNS = {**FIELDS, "churn_reason": "churn_reason_id", "final_amount": "final_amount"}
# What the customer decided: written together or not at all.
OUTCOME_PARTS = ("outcome", "churn_reason", "final_amount")
DECISION = (*OUTCOME_PARTS, "ordered_on")
NAMED = {"stage": Stage, "offer": Offer, "owner": User, "churn_reason": ChurnReason}
OUTCOMES = {str(label).casefold(): str(value) for value, label in Renewal.Outcome.choices}
# How spreadsheets write a day that was 2026-11-05 in the file: only to know again what was not touched.
DAY_SHAPES = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y"),
    *("%d-%b-%y", "%d-%b-%Y", "%d %b %Y"),
)
PLAIN_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
TWO_WAYS = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}")
LONG_FRACTION = re.compile(r"[0-9]+\.[0-9]{4,}")  # a spreadsheet's product; three digits might be thousands
CHANGED = "Somebody has changed it since the export."

State = Mapping[str, str]


@dataclass
class RowEdit:
    """What a row of the file asks for: texts by column, NULL as None; and the cells that are left out."""

    given: dict[str, str | None] = field(default_factory=dict)
    before: dict[str, str | None] = field(default_factory=dict)  # the same columns as they are now
    problems: list[dict[str, str]] = field(default_factory=list)


class Cells:
    """Reads the cells of one file, for one person on one day; what is read often is read once."""

    def __init__(self, user: User, as_of: dt.date) -> None:
        self._editing = Editing(user, as_of)
        self._fields = {name: build_field(name, self._editing) for name in COLUMNS}
        self._values: dict[tuple[str, str], str | ValidationError | None] = {}
        self._names = {
            name: {str(pk): text for pk, text in model._default_manager.values_list("pk", "name")}
            for name, model in NAMED.items()
        }

    def compare(self, cells: Mapping[str, str], was: State, now: State) -> RowEdit:
        """`cells` by field, as they stand in the file; fields that the file does not have are not asked about."""
        edit = RowEdit()
        touched = {name: text for name, text in cells.items() if not self._is_untouched(name, text, was[COLUMNS[name]])}
        if any(name in touched for name in OUTCOME_PARTS):
            self._decide(edit, touched, was, now)
            touched = {name: text for name, text in touched.items() if name not in DECISION}
        for name, text in touched.items():
            column = COLUMNS[name]
            value = self._value(name, unguarded(text).strip())
            if isinstance(value, ValidationError):
                _leave_out(edit, name, text, was, now, " ".join(value.messages))
            elif value != stored(column, was[column]):
                _take(edit, name, text, {column: value}, was, now)
        return edit

    def _is_untouched(self, name: str, text: str, was: str) -> bool:
        text = text.strip()
        exported = self._exported(name, was)
        if text in (exported, guarded(exported), exported.strip()):
            return True
        if name in self._names or name == "outcome":
            return text.casefold() == exported.casefold()
        if was and name.endswith("_amount"):
            return bool(PLAIN_NUMBER.fullmatch(text)) and Decimal(text) == Decimal(was)
        if was and name.endswith("_on"):
            day = dt.date.fromisoformat(was)
            written = [day.strftime(shape) for shape in DAY_SHAPES]
            return text in written or text in [one.replace("/0", "/").lstrip("0") for one in written]
        return False

    def _exported(self, name: str, was: str) -> str:
        if name in self._names:
            return str(self._names[name].get(was, ""))
        return str(Renewal.Outcome(was).label) if name == "outcome" else was

    def _value(self, name: str, text: str) -> str | ValidationError | None:
        """The cell as its column holds it, by the rule of the single cell."""
        key = (name, text)
        if key not in self._values:
            self._values[key] = self._read(name, text)
        return self._values[key]

    def _read(self, name: str, text: str) -> str | ValidationError | None:
        try:
            return _as_text(self._fields[name].clean(_unambiguous(name, text)))
        except ValidationError as error:
            return error

    def _decide(self, edit: RowEdit, touched: Mapping[str, str], was: State, now: State) -> None:
        texts = {name: touched.get(name, self._exported(name, was[COLUMNS[name]])).strip() for name in DECISION}
        first = next(name for name in DECISION if name in touched)
        try:
            outcome = OUTCOMES.get(texts["outcome"].casefold(), texts["outcome"])
            _refuse_strangers(outcome, touched)
            if was["outcome"] == outcome == Renewal.Outcome.RENEWED and touched.get("final_amount") == "":
                raise ValidationError("A renewed one has a final amount; it cannot be blank.")
            parts = {name: _unambiguous(name, texts[name]) for name in ("churn_reason", "final_amount", "ordered_on")}
            values = decision_values(read_decision(outcome, parts, self._editing))
        except ValidationError as error:
            _leave_out(edit, first, touched[first], was, now, " ".join(error.messages))
            return
        _take(edit, first, touched[first], {name: _as_text(value) for name, value in values.items()}, was, now)


def _refuse_strangers(outcome: str, touched: Mapping[str, str]) -> None:
    """A part that does not belong to the outcome would be dropped without a word."""
    if outcome != Renewal.Outcome.RENEWED and touched.get("final_amount", "").strip() not in ("", "0", "0.00"):
        raise ValidationError("A final amount belongs to a renewed one: set Outcome to Renewed too.")
    if outcome != Renewal.Outcome.LOST and touched.get("churn_reason", "").strip():
        raise ValidationError("A churn reason belongs to a lost one: set Outcome to Lost too.")


def _take(edit: RowEdit, name: str, text: str, values: dict[str, str | None], was: State, now: State) -> None:
    """Unless somebody was faster: with something else than what is asked for here."""
    moved = [column for column in values if now[column] != was[column]]
    if moved and any(stored(column, now[column]) != value for column, value in values.items()):
        _leave_out(edit, name, text, was, now, CHANGED)
        return
    edit.given |= values
    edit.before |= {column: stored(column, now[column]) for column in values}


def _leave_out(edit: RowEdit, name: str, text: str, was: State, now: State, reason: str) -> None:
    column = COLUMNS[name]
    problem = {"field": name, "column": column, "text": shown(text), "reason": reason}
    edit.problems.append({**problem, "was": was[column], "now": now[column]})


def stored(column: str, text: str) -> str | None:
    """A value of a state as the column holds it: blank is NULL, but for a text."""
    return text if text or column == "next_step" else None


def _as_text(value: Any) -> str | None:
    value = plain(value)
    return None if value is None else str(value)


def _unambiguous(name: str, text: str) -> str:
    if name.endswith("_on") and TWO_WAYS.fullmatch(text):
        raise ValidationError(
            f"Write the day as 2026-11-05: “{shown(text)}” is one day in Europe and another one in America."
        )
    if name.endswith("_amount") and LONG_FRACTION.fullmatch(text):
        return str(Decimal(text).quantize(Decimal("0.01")))
    return text


def label(name: str) -> str:
    return LABELS[name]
