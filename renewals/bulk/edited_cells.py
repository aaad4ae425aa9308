"""One row of an edited file against what it was when it was exported and what it is now: which cells to write, and
which to leave out and why. A cell that nobody touched says nothing, however a spreadsheet has reformatted it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from accounts.models import User
from renewals.bulk.values import COLUMNS, OUTCOMES, Values, is_same, stored
from renewals.exports.guard import guarded
from renewals.forms import LABELS, shown
from renewals.models import ChurnReason, Offer, Renewal, Stage

# What the customer decided: written together or not at all.
OUTCOME_PARTS = ("outcome", "churn_reason", "final_amount")
DECISION = (*OUTCOME_PARTS, "ordered_on")
NAMED = {"stage": Stage, "offer": Offer, "owner": User, "churn_reason": ChurnReason}
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
        self._values = Values(user, as_of)
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
            try:
                value = self._values.read(name, text)
            except ValidationError as error:
                _leave_out(edit, name, text, was, now, " ".join(error.messages))
                continue
            if value != stored(column, was[column]):
                _take(edit, name, text, {column: value}, was, now)
        return edit

    def _is_untouched(self, name: str, text: str, was: str) -> bool:
        text = text.strip()
        exported = self._exported(name, was)
        if text in (exported, guarded(exported), exported.strip()):
            return True
        if name in self._names or name == "outcome":
            return text.casefold() == exported.casefold()
        return is_same(name, text, was)

    def _exported(self, name: str, was: str) -> str:
        if name in self._names:
            return str(self._names[name].get(was, ""))
        return str(Renewal.Outcome(was).label) if name == "outcome" else was

    def _decide(self, edit: RowEdit, touched: Mapping[str, str], was: State, now: State) -> None:
        texts = {name: touched.get(name, self._exported(name, was[COLUMNS[name]])).strip() for name in DECISION}
        first = next(name for name in DECISION if name in touched)
        try:
            outcome = OUTCOMES.get(texts["outcome"].casefold(), texts["outcome"])
            _refuse_strangers(outcome, touched)
            if was["outcome"] == outcome == Renewal.Outcome.RENEWED and touched.get("final_amount") == "":
                raise ValidationError("A renewed one has a final amount; it cannot be blank.")
            parts = {name: texts[name] for name in ("churn_reason", "final_amount", "ordered_on")}
            values = self._values.decide(outcome, parts)
        except ValidationError as error:
            _leave_out(edit, first, touched[first], was, now, " ".join(error.messages))
            return
        _take(edit, first, touched[first], values, was, now)


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


def label(name: str) -> str:
    return LABELS[name]
