"""Conflicts and findings of a paste as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from renewals.bulk.rules import FIELDS
from renewals.forms import LABELS, shown
from renewals.history import words
from renewals.history.authors import newest_authors
from renewals.history.kinds import RENEWAL
from renewals.history.words import Names
from renewals.paste.judge import CONFLICT, OUTCOME_COLUMNS, Finding, RowPaste
from renewals.paste.request import Paste

BEHIND = {"outcome": OUTCOME_COLUMNS}
NAMES = {"paste": "Paste into", "fill": "Fill of", "clear": "Clearing of"}
DONE = {"paste": "pasted", "fill": "filled", "clear": "cleared"}


@dataclass(frozen=True)
class Group:
    """Cells that are refused for the same reason: the first of them, and how many there are."""

    first: Finding
    count: int


def group_findings(findings: Iterable[Finding]) -> list[Group]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.field, finding.message), []).append(finding)
    return [Group(group[0], len(group)) for group in groups.values()]


def tell_conflicts(findings: Sequence[Finding]) -> list[Finding]:
    """Say of each conflict who was faster, when, what is there now, and what the page showed. A query per column."""
    conflicts = [finding for finding in findings if finding.kind == CONFLICT]
    names, authors = Names(), {}
    for field in {finding.field for finding in conflicts}:
        ids = [finding.renewal_id for finding in conflicts if finding.field == field and finding.renewal_id]
        authors[field] = newest_authors(BEHIND.get(field, (FIELDS[field],)), ids)
    for finding in conflicts:
        for value in (finding.was, finding.theirs_value):
            names.want_state(RENEWAL, _state(finding.field, value))
    names.read()
    return [_told(one, authors[one.field], names) if one.kind == CONFLICT else one for one in findings]


def _told(finding: Finding, authors: dict[int, Any], names: Names) -> Finding:
    author, at = authors.get(finding.renewal_id or 0, ("Somebody", None))
    when = f" at {timezone.localtime(at):%H:%M on %d %b}" if at else ""
    theirs, was = (_text(finding.field, value, names) for value in (finding.theirs_value, finding.was))
    mine = finding.typed or "nothing"
    return replace(finding, message=f"{author} changed it{when} to {theirs}. It was {was} here; yours is {mine}.")


def _state(field: str, value: str) -> dict[str, Any]:
    """The columns behind a cell, from what its editor would start from. What a page sent may be anything: what names
    no row is left out."""
    parts = value.split("/") if field == "outcome" else [value]
    state = dict(zip(BEHIND.get(field, (FIELDS[field],)), (part or None for part in parts), strict=False))
    named = RENEWAL.foreign_keys()
    return {
        column: None if column in named and not re.fullmatch(r"[0-9]{1,18}", part or "") else part
        for column, part in state.items()
    }


def _text(field: str, value: str, names: Names) -> str:
    state = _state(field, value)
    column = BEHIND.get(field, (FIELDS[field],))[0]
    if state[column] is None:
        return "nothing"
    try:
        text = words.value_text(RENEWAL, names, column, state)
    except (ValueError, ArithmeticError):
        return shown(value)
    reason = state.get("churn_reason_id")
    return f"{text} ({words.value_text(RENEWAL, names, 'churn_reason_id', state)})" if reason else text


def describe(paste: Paste, rows: Sequence[RowPaste]) -> str:
    """Paste into Forecast and Offer of 12 renewals."""
    asked = {name for row in rows for name in row.fields}
    names = [label for name, label in LABELS.items() if name in asked]
    fields = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{NAMES[paste.action]} {fields} of {counted(len(rows), 'renewal')}"


def told(paste: Paste, cell_count: int, rows: Sequence[RowPaste]) -> str:
    """6 cells of 3 renewals pasted."""
    return f"{counted(cell_count, 'cell')} of {counted(len(rows), 'renewal')} {DONE[paste.action]}"


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
