"""What the head of the table says of views: which one is open, whether it was changed, and which others there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.urls import reverse

from accounts.models import User
from renewals.models import SavedView
from renewals.saved_views.address import canonical_address
from renewals.saved_views.builtin import BUILT_IN, BuiltIn
from renewals.saved_views.services import may_change
from renewals.table.filters import Query

Visibility = SavedView.Visibility
MINE = "Mine"
GONE = "The view in this address is no longer there, or not yours to see."


@dataclass(frozen=True)
class Entry:
    """One view in the list."""

    name: str
    url: str
    is_current: bool
    is_default: bool = False


@dataclass(frozen=True)
class Bar:
    opened: SavedView | BuiltIn | None
    saved: SavedView | None  # what was opened, where a person made it
    address: str  # what the page shows, canonical
    may_save: bool
    lists: list[tuple[str, list[Entry]]]

    @property
    def is_changed(self) -> bool:
        return self.opened is not None and self.opened.address != self.address

    @property
    def name(self) -> str:
        return self.opened.name if self.opened else "Unsaved view"

    @property
    def reset_url(self) -> str:
        return _url(self.opened) if self.opened else ""

    @property
    def own(self) -> list[Entry]:
        return next((entries for heading, entries in self.lists if heading == MINE), [])


def views_of(user: User) -> list[SavedView]:
    """The views that a person can open, with whom they are for."""
    return list(SavedView.objects.visible_to(user).select_related("team"))


def find_default(views: Iterable[SavedView], user: User) -> SavedView | None:
    """What the table opens with: the person's own choice, else the team's, else the company's."""
    ranks = {Visibility.PRIVATE: 0, Visibility.TEAM: 1, Visibility.EVERYONE: 2}
    defaults = [view for view in views if view.is_default and view.team_id in {None, user.team_id}]
    return min(defaults, key=lambda view: ranks[Visibility(view.visibility)], default=None)


def build_bar(query: Query, views: list[SavedView], user: User) -> Bar:
    """Takes a view that is not there out of the query, and says so."""
    address, key = canonical_address(query), query.layout.view
    saved = next((view for view in views if str(view.pk) == key), None)
    opened = saved or BUILT_IN.get(key)
    if key and opened is None:
        query.problems.append(GONE)
        query.layout.view = ""
        query.params.pop("view", None)
    if opened is None:
        opened = next((view for view in BUILT_IN.values() if view.address == address), None)
    return Bar(
        opened=opened,
        saved=saved,
        address=address,
        may_save=saved is not None and may_change(user, saved),
        lists=_lists(views, opened),
    )


def _lists(views: list[SavedView], opened: SavedView | BuiltIn | None) -> list[tuple[str, list[Entry]]]:
    """One's own, each team's, everyone's, and those that are always there; without the empty ones."""

    def entries(kept: Iterable[SavedView | BuiltIn]) -> list[Entry]:
        return [Entry(view.name, _url(view), view == opened, getattr(view, "is_default", False)) for view in kept]

    by_team: dict[str, list[SavedView]] = {}
    for view in views:
        if view.team is not None:
            by_team.setdefault(str(view.team), []).append(view)
    lists = [
        (MINE, entries(view for view in views if view.is_private)),
        *((f"Team {team}", entries(kept)) for team, kept in sorted(by_team.items())),
        ("Everyone", entries(view for view in views if view.visibility == Visibility.EVERYONE)),
        ("Built in", entries(BUILT_IN.values())),
    ]
    return [(heading, found) for heading, found in lists if found]


def _url(view: SavedView | BuiltIn) -> str:
    key = view.pk if isinstance(view, SavedView) else view.key
    return f"{_table_url()}?{view.address}&view={key}"


@cache
def _table_url() -> str:
    return reverse("renewals:table")
