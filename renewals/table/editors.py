"""What stands in an open cell: the editor of each column, and its answer when a value could not be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from renewals.forms import INPUT_KINDS, LABELS, owners_for, shown
from renewals.models import ChurnReason, Offer, Renewal, Stage
from renewals.services import BEHIND, NOBODY, StaleRenewal, cell_text
from renewals.table.columns import EDITABLE
from renewals.table.rows import Row

CHOICE_COUNT = 20


@dataclass(frozen=True)
class Editor:
    """One editor, blank as the page's pattern for its column, or open in a row with what was typed.

    `was` is what goes back for the comparison; `typed` what is in the input; `label` what a searched value reads as.
    """

    column: str
    url: str = ""
    account: str = ""
    was: str = ""
    typed: str = ""
    label: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    conflict: Conflict | None = None
    stages: list[tuple[int, str]] = field(default_factory=list)
    churn_reasons: list[tuple[int, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return LABELS[self.column]

    @property
    def kind(self) -> str:
        return INPUT_KINDS[self.column]

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Renewal.Outcome.choices]


@dataclass(frozen=True)
class Conflict:
    """Somebody was faster: what it was when I opened it, what they wrote, what I typed."""

    author: str
    when: str
    original: str
    theirs: str
    mine: str


def patterns() -> list[Editor]:
    """The blank editors of every column, which the page copies into the cell that is opened. Two queries."""
    stages = list(Stage.objects.values_list("pk", "name"))
    churn_reasons = list(ChurnReason.objects.filter(is_active=True).values_list("pk", "name"))
    return [Editor(name, stages=stages, churn_reasons=churn_reasons) for name in EDITABLE]


def open_with_error(row: Row, name: str, data: Mapping[str, Any], message: str) -> None:
    """Put what was typed back into the row's cell, with what is wrong with it."""
    _open(row, replace(_bound(row, name, data), was=str(data.get("was", "")), error=message))


def open_with_conflict(row: Row, name: str, data: Mapping[str, Any], stale: StaleRenewal) -> None:
    """The three values in the row's cell. Sending it again compares with what is there now."""
    editor = _bound(row, name, data)
    at = stale.author.at
    when = timezone.localtime(at).strftime("at %H:%M on %d %b") if at else "in the meantime"
    original = _read_seen(name, str(data.get("was", "")))
    conflict = Conflict(stale.author.name, when, original or NOBODY, stale.theirs or NOBODY, _read(editor))
    _open(row, replace(editor, was=stale.theirs_value, conflict=conflict))


def _bound(row: Row, name: str, data: Mapping[str, Any]) -> Editor:
    blank = next(editor for editor in patterns() if editor.column == name)
    typed = str(data.get("value", ""))
    return replace(
        blank,
        url=reverse("renewals:cell", args=[row.id, name]),
        account=row.account,
        typed=typed,
        label=str(data.get("label", "")) or typed,
        parts={part: str(data.get(part, "")) for part in ("churn_reason", "final_amount", "ordered_on")},
    )


def _open(row: Row, editor: Editor) -> None:
    """Over the cell's own text, which shows again when the editor is left."""
    row.append_to(editor.column, render_to_string("renewals/_editor.html", {"editor": editor}))


def _read(editor: Editor) -> str:
    """What was typed, as people read it."""
    choices = {str(pk): name for pk, name in editor.stages} if editor.column == "stage" else {}
    if editor.column == "outcome":
        choices = dict(editor.outcomes)
    return choices.get(editor.typed, editor.label) or NOBODY


def _read_seen(name: str, value: str) -> str:
    """What the editor sent as seen (`services.cell_value`), as people read it; as it came where no cell held it."""
    parts = value.split("/") if name == "outcome" else [value]
    columns: dict[str, Any] = {field.name: field for field in Renewal._meta.concrete_fields}
    columns |= {field.attname: field for field in Renewal._meta.concrete_fields}
    fields = [columns[column] for column in BEHIND.get(name, (name,))]
    try:
        held = {field.attname: field.to_python(part or None) for field, part in zip(fields, parts, strict=False)}
        return cell_text(Renewal(**held), name)
    except (ValidationError, ObjectDoesNotExist, ValueError):
        return shown(value, 60)


def find_choices(field_name: str, text: str, user: User) -> list[tuple[int, str, str]]:
    """Id, name and a word more of what can be chosen for a searched column; names that begin with the text first."""
    if field_name == "owner":
        rows: Any = owners_for(user).select_related("team")
        described = [(row.pk, str(row), str(row.team or "")) for row in _matching(rows, text)]
    else:
        described = [(row.pk, row.name, row.product) for row in _matching(Offer.objects.filter(is_active=True), text)]
    return described


def _matching(rows: Any, text: str) -> list[Any]:
    text = text.replace("\x00", "").strip()[:100]
    first = list(rows.filter(name__istartswith=text).order_by("name")[:CHOICE_COUNT])
    if text and len(first) < CHOICE_COUNT:
        rest = rows.filter(name__icontains=text).exclude(pk__in=[row.pk for row in first]).order_by("name")
        first += rest[: CHOICE_COUNT - len(first)]
    return first
