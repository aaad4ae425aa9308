"""What was changed about a theme, the newest first: each event of its history beside the state that came after it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from accounts.models import Ticket, User
from engagement.feedback.services import HANDLING, RULE
from engagement.models import FeedbackTheme

SHOWN_CHANGES = 20
BLANK = "–"
LABELS = {
    "name": "Name",
    "categories": "Categories",
    "words": "Words",
    "route": "Goes to",
    "status": "Status",
    "owner": "Owner",
    "note": "Note",
    "link": "Link",
    "target_on": "Target date",
    "done_on": "Done on",
}
CHOICES: dict[str, dict[str, str]] = {
    "route": {str(value): str(label) for value, label in FeedbackTheme.Route.choices},
    "status": {str(value): str(label) for value, label in FeedbackTheme.Status.choices},
    "categories": {str(value): str(label) for value, label in Ticket.Category.choices},
}


@dataclass(frozen=True)
class Change:
    """One step: when, who (blank where nobody is known), and per field its label, what it was and what it became."""

    at: dt.datetime
    by: str
    fields: list[tuple[str, str, str]]


def read_changes(theme: FeedbackTheme) -> list[Change]:
    """The newest twenty. Two statements."""
    events = list(theme.events.order_by("-pgh_id")[: SHOWN_CHANGES + 1])  # type: ignore[attr-defined]
    people = User.objects.in_bulk({pk for event in events for pk in (_author(event), event.owner_id) if pk})
    if theme.owner:
        people[theme.owner.pk] = theme.owner
    changes, after = [], theme
    for event in events[:SHOWN_CHANGES]:
        if event.pgh_label == "after_insert":
            fields = [("Theme", BLANK, event.name)]
        else:
            fields = [
                (LABELS[name], _shown(event, name, people), _shown(after, name, people))
                for name in (*RULE, *HANDLING)
                if _value(event, name) != _value(after, name)
            ]
            after = event
        changes.append(Change(event.pgh_created_at, str(people.get(_author(event) or 0, "")), fields))
    return changes


def _author(event: Any) -> int | None:
    return (event.pgh_context or {}).get("user")


def _value(row: Any, name: str) -> Any:
    return row.owner_id if name == "owner" else getattr(row, name)


def _shown(row: Any, name: str, people: dict[int, User]) -> str:
    value = _value(row, name)
    if name == "owner":
        return str(people.get(value, "somebody who is gone")) if value else BLANK
    words = value if isinstance(value, list) else [value] if value else []
    return ", ".join(CHOICES.get(name, {}).get(str(word), _plain(word)) for word in words) or BLANK


def _plain(value: object) -> str:
    return f"{value:%d %b %Y}" if isinstance(value, dt.date) else str(value)
