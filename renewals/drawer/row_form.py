"""A whole row as one form: each changed field goes through the same write as a cell, all of them or none."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from config.history import recorded_as
from renewals.forms import INPUT_KINDS, LABELS, CellForm, Editing
from renewals.models import ChurnReason, Renewal, Stage
from renewals.services import StaleRenewal, cell_value, update_renewal

# In the order they are written: a stage fills in a blank confidence, an outcome takes the forecast as its final amount,
# and whoever hands the row over may not be able to write it afterwards.
FIELDS = (
    "confidence", "forecast_amount", "offer", "expected_order_on", "next_step", "next_step_on", "stage", "outcome",
    "ordered_on", "owner",
)  # fmt: skip
# As the form shows them; the parts of an outcome stand beside it.
SHOWN = (
    "stage", "confidence", "forecast_amount", "offer", "owner", "expected_order_on", "next_step", "next_step_on",
    "outcome", "churn_reason", "final_amount", "ordered_on",
)  # fmt: skip
Outcome = Renewal.Outcome


@dataclass
class Input:
    """One field of the form. `was` is what its editor saw, `before` how that read where it is chosen by name."""

    name: str
    value: str
    was: str = ""
    before: str = ""
    choices: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""
    conflict: str = ""

    @property
    def label(self) -> str:
        return LABELS[self.name]

    @property
    def kind(self) -> str:
        return "choice" if self.name == "outcome" else INPUT_KINDS[self.name]  # its parts stand beside it

    @property
    def is_compared(self) -> bool:
        """The parts of an outcome are compared with it."""
        return self.name in FIELDS


@dataclass(frozen=True)
class Cell:
    """A field that was changed: what it is to be, and what its editor saw."""

    name: str
    value: Any
    seen: str


class RowStale(Exception):
    """Somebody else changed some of the same fields meanwhile. Nothing was written."""

    def __init__(self, stale: Sequence[StaleRenewal]) -> None:
        super().__init__(" ".join(str(one) for one in stale))
        self.stale = stale


def build_inputs(renewal: Renewal) -> list[Input]:
    """The form as the row is now. Two queries, for the lists."""
    choices = {
        "stage": [(str(pk), name) for pk, name in Stage.objects.values_list("pk", "name")],
        "outcome": [(str(value), str(label)) for value, label in Outcome.choices],
        "churn_reason": [("", "None"), *_churn_reasons(renewal)],
    }
    return [_input(renewal, name, choices.get(name, [])) for name in SHOWN]


def _churn_reasons(renewal: Renewal) -> list[tuple[str, str]]:
    """The active ones, and the one that is there."""
    reasons = ChurnReason.objects.values_list("pk", "name", "is_active")
    return [(str(pk), name) for pk, name, is_active in reasons if is_active or pk == renewal.churn_reason_id]


def _input(renewal: Renewal, name: str, choices: list[tuple[str, str]]) -> Input:
    was = cell_value(renewal, name)
    value = was
    if name == "outcome":
        value = renewal.outcome
    elif INPUT_KINDS[name] == "search":
        value = str(getattr(renewal, name) or "")
    return Input(name, value, was=was, before=value, choices=choices)


def refill(inputs: Sequence[Input], data: Mapping[str, str]) -> None:
    """Put back what was typed, and compare it still with what its editor saw."""
    for one in inputs:
        one.value = data.get(one.name, one.value)
        one.was = data.get(f"was-{one.name}", one.was)
        one.before = data.get(f"before-{one.name}", one.before)


def read_cells(data: Mapping[str, str], editing: Editing) -> tuple[list[Cell], dict[str, str]]:
    """The fields that the form changes, in the order they are written; and what is wrong with them, by field."""
    cells, errors = list[Cell](), dict[str, str]()
    kept = data.get("keep", "")
    changed = [name for name in FIELDS if name in data and name != kept and _is_changed(name, data)]
    if "outcome" in changed and data["outcome"] == Outcome.RENEWED:
        changed = [name for name in changed if name != "ordered_on"]  # it is part of the outcome then
    for name in changed:
        seen = data.get(f"was-{name}", "")
        parts = {part: data.get(part, "") for part in ("churn_reason", "final_amount", "ordered_on")}
        form = CellForm({"value": data[name], "was": seen, **parts}, field=name, editing=editing)
        if form.is_valid():
            cells.append(Cell(name, form.cleaned_data["value"], seen))
        else:
            errors[name] = form.message
    return cells, errors


def _is_changed(name: str, data: Mapping[str, str]) -> bool:
    value, was = data[name].strip(), data.get(f"was-{name}", "").strip()
    if name != "outcome":
        return value != data.get(f"before-{name}", was).strip()
    before, reason, amount = (*was.split("/"), "", "", "")[:3]
    if value != before:
        return True
    if value == Outcome.LOST:
        return data.get("churn_reason", reason) != reason
    return value == Outcome.RENEWED and data.get("final_amount", amount).strip() != amount


def save_row(
    *, renewal_id: int, cells: Sequence[Cell], user: User, as_of: dt.date
) -> tuple[list[str], uuid.UUID | None]:
    """Write all of the cells as one step of the history, or none. What was said of each, and the step's id.

    Raises:
        RowStale: some are no longer what their editor saw; it names each of them.
        PermissionDenied: the user may not edit the row as it is now.
    """
    texts, stale = list[str](), list[StaleRenewal]()
    with transaction.atomic(), recorded_as(user_id=user.pk, how="cell") as batch_id:
        for cell in cells:
            try:
                change = update_renewal(
                    renewal_id=renewal_id, field=cell.name, value=cell.value, seen=cell.seen, user=user, as_of=as_of
                )
            except StaleRenewal as problem:
                stale.append(problem)
            else:
                texts += [change.text] if change.text else []
        if stale:
            raise RowStale(stale)
    return texts, batch_id if texts else None


def show_conflicts(inputs: Sequence[Input], stale: Sequence[StaleRenewal]) -> None:
    """What they wrote and who they are, at each field. Sent again, it is compared with what is there now."""
    by_name = {problem.field: problem for problem in stale}
    for one in inputs:
        if problem := by_name.get(one.name):
            at = problem.author.at
            when = timezone.localtime(at).strftime("at %H:%M on %d %b") if at else "in the meantime"
            one.was = problem.theirs_value
            one.before = f"not {one.value}"  # what was typed counts as a change, a blank too
            one.conflict = f"{problem.author.name} changed it {when} to {problem.theirs or 'nothing'}."
