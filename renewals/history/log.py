"""The audit page: every change that a user may see, newest first, in pages that cost the same at any depth.

The order is (time, step, kind, event), all descending. Events of one step stand together in it, so that a bulk edit of
5,000 rows takes a few lines of the page and the next step follows: the page jumps over the rest by the same index.
What no index answers (which column was changed, whose rows they are) is looked for in the newest `SCANNED` events at a
time, `MOST_SCANS` times; the page then says how far back it looked.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.models import User, owners_visible_to
from config.history import NO_BATCH
from renewals.history.kinds import ACCOUNT, KINDS, RENEWAL, UNDOABLE, Kind
from renewals.history.reading import AFTER, DELETED, Entry, Event, current_states, describe, differs, load_events

PAGE_LINES = 50
LINES_OF_A_STEP = 4
SCANNED = 20_000
MOST_SCANS = 6
STEP = "coalesce(e.pgh_context_id, '00000000-0000-0000-0000-000000000000'::uuid)"
NEWEST_FIRST = f"e.pgh_created_at DESC, {STEP} DESC, e.pgh_id DESC"
WITHOUT_USER = 0  # as a filter: changes that nobody signed in made
DATABASE = "database"  # as a way: a statement typed into the database itself


@dataclass(frozen=True, order=True)
class Place:
    """Where an event stands in the order. Rank -1 is the place after everything of its step."""

    at: dt.datetime
    step: uuid.UUID
    rank: int
    event_id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.step}_{self.rank}_{self.event_id}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """ValueError where it is none."""
        at, step, rank, event_id = text.split("_")
        return cls(dt.datetime.fromisoformat(at), uuid.UUID(step), int(rank), int(event_id))

    @property
    def after_step(self) -> Place:
        return Place(self.at, self.step, -1, 0)


@dataclass(frozen=True)
class Filters:
    user_id: int | None = None  # WITHOUT_USER: nobody's
    how: str = ""
    column: tuple[Kind, str] | None = None
    account_ids: tuple[int, ...] | None = None
    renewal_id: int | None = None
    batch_id: uuid.UUID | None = None
    first_at: dt.datetime | None = None
    before_at: dt.datetime | None = None

    def kinds(self, user: User) -> list[Kind]:
        """The kinds of rows that can fit, of those that this user is told of."""
        if self.column:
            wanted = [self.column[0]]
        elif self.renewal_id:
            wanted = [RENEWAL, *(kind for kind in KINDS.values() if kind.hangs_on == "renewal")]
        else:
            is_all = self.account_ids is None
            wanted = [kind for kind in KINDS.values() if is_all or not (kind.is_rule or kind.hangs_on == "people")]
        return [kind for kind in wanted if kind.is_shown_to(user)]


@dataclass
class Step:
    """Entries of one step that stand together, or the first of them."""

    entries: list[Entry] = field(default_factory=list)
    has_more: bool = False
    can_undo: bool = False

    @property
    def head(self) -> Entry:
        return self.entries[0]


@dataclass
class Page:
    steps: list[Step]
    next_place: Place | None
    looked_back_to: dt.datetime | None  # where the page is not full because only so much was looked through


def read_page(filters: Filters, user: User, *, start: Place | None = None) -> Page:
    """One page of what fits the filters, of the rows that this user may see."""
    found: list[Event] = []
    place, scan_count = start, 0
    counts: dict[uuid.UUID, int] = {}
    folded: set[uuid.UUID] = set()
    while len(found) < PAGE_LINES:
        wanted = PAGE_LINES + 1 - len(found)
        places, horizon = _find(filters, user, place, wanted)
        taken: list[Place] = []
        jump = None
        for one in places:
            if filters.batch_id is None and one.step != NO_BATCH and counts.get(one.step, 0) == LINES_OF_A_STEP:
                folded.add(one.step)
                jump = one.after_step
                break
            counts[one.step] = counts.get(one.step, 0) + 1
            taken.append(one)
        is_over = jump is None and len(places) < wanted
        room = PAGE_LINES - len(found)
        found += _load(taken[:room])
        if jump is not None:
            place = jump
        elif len(taken) > room:
            return Page(_steps(found, folded, user), taken[room - 1], None)
        elif horizon is not None and (scan_count := scan_count + 1) < MOST_SCANS:
            place = horizon
        elif is_over:
            return Page(_steps(found, folded, user), horizon, horizon.at if horizon else None)
    return Page(_steps(found, folded, user), place, None)


def _find(filters: Filters, user: User, place: Place | None, limit: int) -> tuple[list[Place], Place | None]:
    """The next places that fit, and how far was looked where that ended the search before the events did."""
    branches, params = [], list[Any]()
    for kind in filters.kinds(user):
        sql, values = _branch(kind, filters, user, place, limit)
        branches.append(f"({sql})")
        params += values
    if not branches:
        return [], None
    query = f"SELECT * FROM ({' UNION ALL '.join(branches)}) u ORDER BY 1 DESC, 2 DESC, 3 DESC, 4 DESC LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [*params, limit])
        places = [Place(*record) for record in cursor.fetchall()]
    if len(places) == limit or not _is_scan(filters, user):
        return places, None
    horizon = max(_ends(filters, user, place), default=None)
    return ([one for one in places if one >= horizon] if horizon else places), horizon


def _is_scan(filters: Filters, user: User) -> bool:
    """Whether something is asked that no index answers."""
    return filters.column is not None or _is_how_scanned(filters) or not user.sees_all


def _is_how_scanned(filters: Filters) -> bool:
    return filters.how not in {"", DATABASE}


def _branch(kind: Kind, filters: Filters, user: User, place: Place | None, limit: int) -> tuple[str, list[Any]]:
    """SQL of the newest events of one kind that fit: their places."""
    indexed, params = _indexed_conditions(kind, filters, user, place)
    source = f"SELECT e.* FROM {kind.event_table} e WHERE {indexed} ORDER BY {NEWEST_FIRST} LIMIT %s"
    columns = f"SELECT e.pgh_created_at, {STEP}, {kind.rank}, e.pgh_id"
    if not _is_scan(filters, user):
        return f"{columns} FROM ({source}) e", [*params, limit]
    joined, conditions = "", ["true"]
    asked: list[Any] = []
    if _is_how_scanned(filters):
        conditions.append("e.pgh_context->>'how' = %s")
        asked.append(filters.how)
    if filters.column:
        joined = AFTER.format(events=kind.event_table, rows=kind.table)
        conditions.append(f"e.pgh_label <> '{DELETED}' AND {differs([filters.column[1]])}")
    if not user.sees_all:
        condition, owners = _scope(kind, user)
        conditions.append(condition)
        asked += owners
    return (
        f"{columns} FROM ({source}) e {joined} WHERE {' AND '.join(conditions)} ORDER BY {NEWEST_FIRST} LIMIT %s",
        [*params, SCANNED, *asked, limit],
    )


def _ends(filters: Filters, user: User, place: Place | None) -> Iterator[Place]:
    """The last event that was looked at, for each kind that has more."""
    for kind in filters.kinds(user):
        indexed, params = _indexed_conditions(kind, filters, user, place)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT e.pgh_created_at, {STEP}, {kind.rank}, e.pgh_id FROM {kind.event_table} e WHERE {indexed} "
                f"ORDER BY {NEWEST_FIRST} OFFSET %s LIMIT 1",
                [*params, SCANNED - 1],
            )
            yield from (Place(*record) for record in cursor.fetchall())


def _indexed_conditions(kind: Kind, filters: Filters, user: User, place: Place | None) -> tuple[str, list[Any]]:
    """SQL over the event `e` that an index answers, or that is cheap beside one that does."""
    conditions, params = ["true"], list[Any]()

    def add(condition: str, *values: Any) -> None:
        conditions.append(condition)
        params.extend(values)

    if kind.hangs_on == "people":
        _add_shared(add, kind, user)
    if place:
        _add_place(add, kind, place)
    if filters.user_id == WITHOUT_USER:
        add("e.pgh_context->>'user' IS NULL")
    elif filters.user_id is not None:
        add("e.pgh_context->>'user' = %s", str(filters.user_id))
    if filters.how == DATABASE:
        add("e.pgh_context->>'user' IS NULL AND e.pgh_context IS NULL")
    if filters.batch_id:
        add("e.pgh_context_id = %s", filters.batch_id)
    if filters.first_at:
        add("e.pgh_created_at >= %s", filters.first_at)
    if filters.before_at:
        add("e.pgh_created_at < %s", filters.before_at)
    if filters.renewal_id:
        add(f"e.{'renewal_id' if kind.hangs_on == 'renewal' else 'pgh_obj_id'} = %s", filters.renewal_id)
    elif filters.account_ids is not None and kind.hangs_on == "renewal":
        add(f"e.renewal_id IN (SELECT id FROM {RENEWAL.table} WHERE account_id = ANY(%s))", list(filters.account_ids))
    elif filters.account_ids is not None and kind == ACCOUNT:
        add("e.pgh_obj_id = ANY(%s)", list(filters.account_ids))
    elif filters.account_ids is not None:
        # Its rows, and its rows that are gone; an event of a row that is there needs no index by account.
        add(
            f"e.pgh_obj_id = ANY(ARRAY(SELECT id FROM {kind.table} WHERE account_id = ANY(%s) UNION SELECT "
            f"x.pgh_obj_id FROM {kind.event_table} x WHERE x.account_id = ANY(%s) AND x.pgh_label = '{DELETED}'))",
            list(filters.account_ids),
            list(filters.account_ids),
        )
    return " AND ".join(conditions), params


def _add_shared(add: Any, kind: Kind, user: User) -> None:
    """Rows that this user knows of, before the change and now: even who sees the whole book sees no private one."""
    ids = list(kind.visible_to(user).values_list("pk", flat=True))
    add(f"(e.pgh_obj_id = ANY(%s) OR NOT EXISTS (SELECT FROM {kind.table} v WHERE v.id = e.pgh_obj_id))", ids)
    add(
        "(e.visibility = 'everyone' OR e.visibility = 'private' AND e.owner_id = %s"
        " OR e.visibility = 'team' AND (e.team_id = %s OR %s))",
        user.pk,
        user.team_id,
        user.is_admin,
    )


def _add_place(add: Any, kind: Kind, place: Place) -> None:
    if kind.rank == place.rank:
        add(f"(e.pgh_created_at, {STEP}, e.pgh_id) < (%s, %s, %s)", place.at, place.step, place.event_id)
    else:
        sign = "<=" if kind.rank < place.rank else "<"
        add(f"(e.pgh_created_at, {STEP}) {sign} (%s, %s)", place.at, place.step)


def _scope(kind: Kind, user: User) -> tuple[str, list[Any]]:
    """SQL that tells whether the row of the event is one that this user may see, as `visible_to` does."""
    owners = list(owners_visible_to(user).values_list("pk", flat=True))
    own = f"EXISTS (SELECT 1 FROM {RENEWAL.table} o WHERE o.{{0}} = e.pgh_obj_id AND o.owner_id = ANY(%s))"
    if kind.hangs_on == "renewal":
        return own.format("id").replace("e.pgh_obj_id", "e.renewal_id"), [owners]
    if kind == RENEWAL:
        return own.format("id"), [owners]
    if kind.hangs_on == "people":
        return "true", []  # it is never found without its own condition
    if kind == ACCOUNT or kind.hangs_on == "account":
        of_account = f"EXISTS (SELECT 1 FROM {ACCOUNT.table} o WHERE o.id = e.pgh_obj_id AND o.owner_id = ANY(%s))"
        either = f"({own.format('account_id')} OR {of_account})"
        return either.replace("e.pgh_obj_id", "e.account_id") if kind != ACCOUNT else either, [owners, owners]
    return own.format("contract_id"), [owners]


def _load(places: Sequence[Place]) -> list[Event]:
    by_rank = {kind.rank: kind for kind in KINDS.values()}
    loaded: dict[tuple[int, int], Event] = {}
    for rank, kind in by_rank.items():
        ids = [place.event_id for place in places if place.rank == rank]
        if ids:
            loaded |= {(rank, event.id): event for event in load_events(kind, "e.pgh_id = ANY(%s)", [ids])}
    return [loaded[place.rank, place.event_id] for place in places]


def _steps(events: Sequence[Event], folded: set[uuid.UUID], user: User) -> list[Step]:
    steps: list[Step] = []
    states = {kind: _editable_states(kind, events, user) for kind in UNDOABLE}
    for entry, event in zip(describe(events, only=None), events, strict=True):
        if not steps or entry.batch_id is None or steps[-1].head.batch_id != entry.batch_id:
            steps.append(Step(has_more=entry.batch_id in folded))
        step = steps[-1]
        step.entries.append(entry)
        now = states.get(event.kind, {}).get(event.object_id)
        if entry.batch_id and (now is not None or (event.new is None and user.is_admin)):
            # Of a folded step most rows are not at hand, so it is offered as long as one of them may be changed.
            step.can_undo |= step.has_more or event.new is None or event.stands(now or {})
    return steps


def _editable_states(kind: Kind, events: Sequence[Event], user: User) -> dict[int, dict[str, Any]]:
    """The rows as they are now, of those that this user may change."""
    ids = {event.object_id for event in events if event.kind == kind}
    mine = list(kind.editable_by(user).filter(pk__in=ids).values_list("pk", flat=True)) if ids else []
    return current_states(kind, mine) if mine else {}
