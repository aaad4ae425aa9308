"""What an undo answers: what it put back, and what it kept, each with the reason, who and when."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from accounts.models import User
from renewals.history import plan, words
from renewals.history.kinds import RENEWAL, Kind
from renewals.history.plan import Decision
from renewals.history.reading import Event, current_states, load_events
from renewals.history.removal import Rows
from renewals.history.words import Names
from renewals.models import ChangeBatch

LISTED = 200  # kept cells that are told one by one; all are counted
REASONS = {
    plan.MIXED: "Somebody else changed this row while it ran.",
    plan.GONE: "What it was before is gone.",
    plan.NOT_YOURS: "You may look at this row, not change it.",
    plan.NOT_YOUR_COLUMN: "Your role does not write this.",
    plan.COUPLED: "It belongs together with another cell that was kept.",
}


@dataclass(frozen=True)
class Kept:
    """A cell, or where `column` is blank a whole row, left as it is. `who` and `at`: who changed it since."""

    kind: str
    row_id: int
    row: str
    column: str
    label: str
    theirs: str
    reason: str
    who: str = ""
    at: dt.datetime | None = None


@dataclass
class Undone:
    """What an undo did. `batch_id` is its own step, by which it can be taken back; None where nothing was written."""

    how: str
    batch_id: uuid.UUID | None = None
    cell_count: int = 0
    # Ids of rows by kind.
    restored: dict[str, list[int]] = field(default_factory=dict)
    returned: dict[str, list[int]] = field(default_factory=dict)
    removed: dict[str, list[int]] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    kept_count: int = 0  # in rows that the user may see
    hidden_count: int = 0  # in rows that the user may not see
    labels: list[str] = field(default_factory=list)  # of the columns put back

    @property
    def row_count(self) -> int:
        return sum(len(ids) for rows in (self.restored, self.returned, self.removed) for ids in rows.values())

    @property
    def renewal_ids(self) -> list[int]:
        """Renewals that now read differently, or are there again."""
        return self.restored.get(RENEWAL.code, []) + self.returned.get(RENEWAL.code, [])

    @property
    def text(self) -> str:
        """In one sentence, for a toast."""
        returned, removed = (sum(map(len, rows.values())) for rows in (self.returned, self.removed))
        done = [
            counted(self.cell_count, "cell"),
            f"{counted(removed, 'new row')} removed" if removed else "",
            f"{counted(returned, 'row')} brought back" if returned else "",
        ]
        told, kept = ", ".join(filter(None, done)), self._kept_text()
        verb = "Redone" if self.how == ChangeBatch.How.REDO else "Undone"
        if told:
            return f"{verb}: {told}{f'; {kept}' if kept else ''}"
        return f"Nothing was {verb.lower()}: {kept}" if kept else "It is already as it was before."

    def _kept_text(self) -> str:
        count = self.kept_count + self.hidden_count
        if not count:
            return ""
        people = {one.who for one in self.kept}
        if len(self.kept) < count or "" in people:
            return f"kept {count:,}"
        return f"kept {count:,} that {people.pop() if len(people) == 1 else 'others'} changed since"


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else ""


def list_kept_cells(
    answer: Undone, kind: Kind, decisions: Iterable[Decision], refused: Mapping[int, str], user: User
) -> None:
    """Add the cells that were kept, to the user who may see their rows."""
    kept = [one for one in decisions if one.kept]
    seen = _visible(kind, [one.row.id for one in kept], user)
    answer.hidden_count += sum(len(one.kept) for one in kept if one.row.id not in seen)
    kept = [one for one in kept if one.row.id in seen]
    answer.kept_count += sum(len(one.kept) for one in kept)
    cells = [(one, column) for one in kept for column in one.kept][: max(LISTED - len(answer.kept), 0)]
    if not cells:
        return
    listed = list({one.row.id: one for one, _ in cells}.values())
    since = _since(kind, listed)
    states = current_states(kind, [one.row.id for one in listed])
    names = Names()
    for event in since:
        names.want(User, [event.user_id])
    names.want(kind.model, [one.row.id for one in listed])
    for state in states.values():
        names.want_state(kind, state)
    names.read()
    for one, column in cells:
        pk, reason, state = one.row.id, one.kept[column], states.get(one.row.id, {})
        author = next((event for event in since if event.object_id == pk and column in event.changed), None)
        is_changed = reason == plan.CHANGED and author is not None
        who = words.user_name(names, author.user_id, author.how) if is_changed and author else ""
        answer.kept.append(
            Kept(
                kind=kind.code,
                row_id=pk,
                row=words.row_label(kind, names, pk, state),
                column=column,
                label=kind.label(column),
                theirs=words.value_text(kind, names, column, state),
                reason=refused.get(pk, "") if reason == plan.REFUSED else REASONS.get(reason, ""),
                who=who,
                at=author.at if is_changed and author else None,
            )
        )


def list_kept_rows(answer: Undone, kind: Kind, rows: Rows, user: User) -> None:
    """Add the rows that could not be removed or brought back. One that is gone can be told by its number only."""
    seen = _visible(kind, list(rows.kept), user) if not user.is_admin else set(rows.kept)
    answer.hidden_count += sum(pk not in seen for pk in rows.kept)
    answer.kept_count += len(seen)
    listed = [pk for pk in rows.kept if pk in seen][: max(LISTED - len(answer.kept), 0)]
    names = Names()
    names.want(kind.model, listed)
    names.read()
    for pk in listed:
        answer.kept.append(Kept(kind.code, pk, words.row_label(kind, names, pk, {}), "", "", "", reason=rows.kept[pk]))


def _visible(kind: Kind, ids: list[int], user: User) -> set[int]:
    if user.sees_all or not ids:
        return set(ids)
    return set(kind.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))


def _since(kind: Kind, decisions: list[Decision]) -> list[Event]:
    """What happened to these rows after the step, newest first."""
    changed = [one for one in decisions if plan.CHANGED in one.kept.values()]
    if not changed:
        return []
    first = min(one.row.first_event_id for one in changed)
    return load_events(kind, "e.pgh_obj_id = ANY(%s) AND e.pgh_id > %s", [[one.row.id for one in changed], first])
