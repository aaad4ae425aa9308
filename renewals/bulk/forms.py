"""The form of a bulk edit, field by field: what can be done to it, and with which inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms

from accounts.models import User
from renewals.bulk.changes import ACTIONS, CLEAR, PARTS, VERBS
from renewals.forms import INPUT_KINDS, LABELS
from renewals.models import ChurnReason, Renewal, Stage


@dataclass(frozen=True)
class FieldRow:
    """One field of the form, with what was typed in it and what is wrong with that."""

    name: str
    label: str
    kind: str
    actions: list[tuple[str, str]]
    action: str = ""
    value: str = ""
    days: str = ""
    percent: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    choices: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""


def field_rows(data: Mapping[str, Any], errors: Mapping[str, str], user: User) -> list[FieldRow]:
    """`data` is what was sent, or nothing. Only an admin takes an owner away."""
    rows = []
    for name, actions in ACTIONS.items():
        allowed = [action for action in actions if (name, action) != ("owner", CLEAR) or user.is_admin]
        rows.append(
            FieldRow(
                name=name,
                label=LABELS[name],
                kind=INPUT_KINDS[name],
                actions=[(action, VERBS[action]) for action in allowed],
                action=str(data.get(f"{name}_action", "")),
                value=str(data.get(f"{name}_value", "")),
                days=str(data.get(f"{name}_days", "")),
                percent=str(data.get(f"{name}_percent", "")),
                parts={part: str(data.get(f"outcome_{part}", "")) for part in PARTS},
                choices=_choices(name),
                error=errors.get(name, ""),
            )
        )
    return rows


def _choices(name: str) -> list[tuple[str, str]]:
    if name == "stage":
        return [(str(pk), label) for pk, label in Stage.objects.values_list("pk", "name")]
    if name == "outcome":
        return [(str(value), str(label)) for value, label in Renewal.Outcome.choices]
    return []


def churn_reasons() -> list[tuple[int, str]]:
    return list(ChurnReason.objects.filter(is_active=True).values_list("pk", "name"))


class EditedFileForm(forms.Form):
    file = forms.FileField(
        label="The edited file",
        help_text="CSV or XLSX, exported from here.",
        error_messages={"required": "Choose the file."},
    )
