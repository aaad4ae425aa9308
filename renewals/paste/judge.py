"""Which cells of a paste are written, and which are not and why: by the rule of the open cell, compared per field with
what the page showed. Nothing is written here."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User
from renewals.bulk.rules import FIELDS
from renewals.bulk.values import OUTCOMES, Values, is_same, stored
from renewals.forms import shown
from renewals.models import Renewal
from renewals.paste.request import Paste
from renewals.table.columns import COLUMNS, EDITABLE, Sight, outcome_text

# Kinds of findings: beyond the page; a column that nobody writes in; a row that is not there, or not this person's; a
# value that is none; somebody was faster; a rule of the row as it would be.
OUTSIDE, LOCKED, GONE, ROW, VALUE, CONFLICT, RULE = "outside", "locked", "gone", "row", "value", "conflict", "rule"
NOT_THERE = "This renewal is no longer there, or not yours to see."
ORDERED_ALONE = "An order date belongs to a renewed one: set Outcome to Renewed too."
# Renewed (12000), Lost (Price), Lost: Price, or the outcome alone.
OUTCOME = re.compile(r"\s*([^(:]+?)\s*(?:\(\s*(.*?)\s*\)|:\s*(.*?))?\s*", re.DOTALL)
HELD_BY_ID = {"stage", "offer", "owner", "outcome"}
OUTCOME_COLUMNS = ("outcome", "churn_reason_id", "final_amount")
BREAKS = re.compile(r"\s*[\r\n\t\x0b\x0c\u2028\u2029]\s*")
PART_OF = {Renewal.Outcome.RENEWED: "final_amount", Renewal.Outcome.LOST: "churn_reason"}
READ = ("pk", "account__name", "owner__name", "owner__team_id", "final_amount", "churn_reason_id", *FIELDS.values())
State = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """Why one cell is not written. Of a conflict, `was` is what the page showed and `theirs_value` what is there now,
    both as an editor would start from them."""

    kind: str
    line: int
    place: int
    message: str
    typed: str = ""
    renewal_id: int | None = None
    account: str = ""
    field: str = ""
    was: str = ""
    theirs_value: str = ""

    @property
    def label(self) -> str:
        return str(COLUMNS[self.field].verbose_name) if self.field else ""


@dataclass
class RowPaste:
    """What one row is to become: `given` what its cells ask for and `wanted` all that follows, both as texts by column
    with NULL as None. `places` and `typed` by field."""

    renewal_id: int
    line: int
    account: str
    given: dict[str, str | None] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, str | None] = field(default_factory=dict)

    @property
    def fields(self) -> list[str]:
        """The fields whose cells are taken; an order date may come by its outcome."""
        return [name for name, column in FIELDS.items() if column in self.given and name in self.typed]


@dataclass
class Judged:
    rows: list[RowPaste] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    states: dict[int, State] = field(default_factory=dict)


def read_states(paste: Paste, user: User) -> dict[int, State]:
    """The rows that the user may see, as they are now."""
    visible = Renewal.objects.visible_to(user).filter(pk__in=paste.rows).order_by()
    return {state["pk"]: state for state in visible.values(*READ)}


def judge(paste: Paste, states: dict[int, State], sight: Sight) -> Judged:
    judged = Judged(states=states)
    values = Values(sight.user, sight.as_of)
    for line, texts in enumerate(paste.values):
        if line >= len(paste.rows):
            told = f"Line {line + 1} is below the last row of this page. Show more rows, or paste fewer."
            judged.findings.append(Finding(OUTSIDE, line, 0, told, typed=shown(" · ".join(texts))))
            continue
        inside = dict(zip(paste.columns, texts, strict=False))
        judged.findings += [
            Finding(OUTSIDE, line, place, "It is right of the last column.", shown(texts[place]), paste.rows[line])
            for place in range(len(paste.columns), len(texts))
        ]
        _judge_row(paste, line, inside, judged, sight, values)
    return judged


def _judge_row(paste: Paste, line: int, texts: Mapping[str, str], judged: Judged, sight: Sight, values: Values) -> None:
    pk = paste.rows[line]
    state = judged.states.get(pk)
    row = RowPaste(pk, line, account=state["account__name"] if state else "")
    was = dict(zip(paste.columns, paste.was[line], strict=True))
    row.places = {name: place for place, name in enumerate(paste.columns)}
    row.typed = texts = {name: _one_line(text) for name, text in texts.items()}
    # What comes back as it was copied, with the rest of its row, asks for nothing.
    new = [name for name, text in texts.items() if text != was[name]]
    if state is None or not sight.may_edit(dict(state)):
        kind, why = (GONE, NOT_THERE) if state is None else (ROW, sight.why_not(dict(state)))
        judged.findings += [_finding(kind, row, name, why) for name in new]
        return
    locked = [name for name in new if name not in EDITABLE]
    judged.findings += [_finding(LOCKED, row, name, COLUMNS[name].attrs["th"]["data-why"]) for name in locked]
    touched = {
        name: text for name, text in texts.items() if name in EDITABLE and not _is_untouched(name, text, was[name])
    }
    for names, wanted in _wanted(touched, values, row, judged):
        _compare(names, wanted, was, state, row, judged)
    if row.given:
        judged.rows.append(row)


def _wanted(
    touched: dict[str, str], values: Values, row: RowPaste, judged: Judged
) -> list[tuple[tuple[str, ...], dict[str, str | None]]]:
    """The fields that ask together, with the columns that they want; what cannot be read becomes a finding."""
    wanted: list[tuple[tuple[str, ...], dict[str, str | None]]] = []
    if "outcome" in touched:
        names = tuple(name for name in ("outcome", "ordered_on") if name in touched)
        texts: dict[str, str] = {name: touched.pop(name) for name in names}
        try:
            wanted.append((names, _decide(texts, values)))
        except ValidationError as error:
            judged.findings += [_finding(VALUE, row, name, " ".join(error.messages)) for name in names]
    for name, text in touched.items():
        try:
            wanted.append(((name,), {FIELDS[name]: values.read(name, text)}))
        except ValidationError as error:
            judged.findings.append(_finding(VALUE, row, name, " ".join(error.messages)))
    return wanted


def _decide(texts: Mapping[str, str], values: Values) -> dict[str, str | None]:
    """What the customer decided, from the outcome's cell and, where it comes with it, the order date's."""
    found = OUTCOME.fullmatch(texts["outcome"])
    name, part = (found[1], found[2] or found[3] or "") if found else (texts["outcome"], "")
    outcome = OUTCOMES.get(name.casefold(), name.casefold())
    parts = dict.fromkeys(("churn_reason", "final_amount", "ordered_on"), "")
    if part and outcome in PART_OF:
        parts[PART_OF[Renewal.Outcome(outcome)]] = part
    elif part:
        raise ValidationError(f"Outcome is Open, Renewed or Lost (its reason), not “{shown(texts['outcome'])}”.")
    ordered = texts.get("ordered_on", "")
    if ordered.strip() and outcome != Renewal.Outcome.RENEWED:
        raise ValidationError(ORDERED_ALONE)
    return values.decide(outcome, parts | {"ordered_on": ordered})


def _compare(
    names: tuple[str, ...],
    wanted: dict[str, str | None],
    was: Mapping[str, str | None],
    state: State,
    row: RowPaste,
    judged: Judged,
) -> None:
    """Take these cells, unless somebody has written something else into one of them since the page was made.

    Cells that come back as they went out ask for nothing, whatever is there now.
    """
    if _is_so(wanted, state) or _is_so(wanted, _seen(names, was)):
        return
    stale = [name for name in names if was[name] != cell_value(name, state)]
    if stale:
        judged.findings += [
            _finding(CONFLICT, row, name, "", was=was[name] or "", theirs_value=cell_value(name, state))
            for name in stale
        ]
        return
    row.given |= wanted


def _is_so(wanted: Mapping[str, str | None], state: State) -> bool:
    """Whether the row already is as wanted; parts of an outcome that are left to the rules are not asked about."""
    now = {column: stored(column, _text(state.get(column))) for column in wanted}
    asked = {column: text for column, text in wanted.items() if text is not None or "outcome" not in wanted}
    return all(now[column] == text for column, text in asked.items())


def _seen(names: tuple[str, ...], was: Mapping[str, str | None]) -> State:
    """What the page showed in these cells, by column."""
    seen: dict[str, str | None] = {FIELDS[name]: was[name] for name in names}
    parts = (seen.get("outcome") or "").split("/")
    return seen | dict(zip(OUTCOME_COLUMNS, parts, strict=True)) if len(parts) == len(OUTCOME_COLUMNS) else seen


def _is_untouched(name: str, text: str, was: str | None) -> bool:
    """The same text, or a day or an amount in another writing. What the page holds an id of is read first."""
    if was is None or name in HELD_BY_ID:
        return False
    try:
        return text == was or is_same(name, text, was)
    except (ValueError, ArithmeticError):
        return False  # the page sent as seen what no cell can hold: a conflict


def _one_line(text: str) -> str:
    """A cell of the table holds one line; in a spreadsheet's, line breaks and tabs are blanks to us."""
    return BREAKS.sub(" ", text).strip()


def cell_value(name: str, state: State) -> str:
    """What the cell's editor would start from; as renewals.services.cell_value, of plain values."""
    if name == "outcome":
        return outcome_text(state["outcome"], state["churn_reason_id"], state["final_amount"])
    return _text(state[FIELDS[name]])


def _text(value: object) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, dt.date) else str(value)


def _finding(kind: str, row: RowPaste, name: str, message: str, **more: str) -> Finding:
    typed = shown(row.typed[name])
    return Finding(kind, row.line, row.places[name], message, typed, row.renewal_id, row.account, name, **more)


def refuse_row(row: RowPaste, reason: str) -> Finding:
    """A rule refuses the row as it would be: said of the first of its cells."""
    return _finding(RULE, row, row.fields[0], reason)
