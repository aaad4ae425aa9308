"""Writes: keep a view, change it, let it go. Each is one transaction, and in the history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Team, User
from config.history import recorded_as
from renewals.models import SavedView

Visibility = SavedView.Visibility
MOST_VIEWS = 100  # of one person, over all kinds


class StaleView(Exception):
    """Somebody changed the view since it was seen; `view` is as it is now, `author` who did it where that is known."""

    def __init__(self, view: SavedView) -> None:
        newest = view.events.order_by("-pgh_id").values_list("pgh_context__user", flat=True).first()  # type: ignore[attr-defined]
        self.author = str(User.objects.filter(pk=newest).first() or "") if newest else ""
        self.view = view
        super().__init__(f"{self.author or 'Somebody'} changed “{view.name}” since you opened it. Nothing was saved.")


class ViewRefused(ValueError):
    """It cannot be kept like this; the message says why."""


class Shared(Protocol):
    """What people keep for themselves, a team or everyone."""

    @property
    def visibility(self) -> str: ...
    @property
    def owner_id(self) -> int: ...
    @property
    def team_id(self) -> int | None: ...


def may_keep_for(user: User, visibility: str, team: Team | None) -> bool:
    """Whether the user may have a view of this kind: their own, their team's where they work in it, everyone's."""
    match visibility:
        case Visibility.PRIVATE:
            return True
        case Visibility.TEAM:
            is_own = team is not None and team.pk == user.team_id
            return user.is_admin if not is_own else user.role != User.Role.VIEWER
    return user.is_admin


def may_change(user: User, view: Shared) -> bool:
    """One's own private ones; a team's: who made it, while in that team, its managers, an admin; everyone's: an admin.
    Nobody changes what they do not see: an admin does not know of private ones."""
    if view.visibility == Visibility.PRIVATE:
        return view.owner_id == user.pk
    if user.is_admin:
        return True
    is_theirs = view.visibility == Visibility.TEAM and view.team_id == user.team_id
    made_it = view.owner_id == user.pk and user.role != User.Role.VIEWER
    return is_theirs and (made_it or user.role == User.Role.MANAGER)


def may_set_default(user: User, visibility: str) -> bool:
    """What a team opens with is its manager's word, what the company opens with an admin's."""
    if visibility == Visibility.TEAM:
        return user.role in {User.Role.MANAGER, User.Role.ADMIN}
    return visibility == Visibility.PRIVATE or user.is_admin


def keep_view(*, by: User, name: str, visibility: str, team: Team | None, is_default: bool, address: str) -> SavedView:
    view = SavedView(owner=by, name=name, visibility=visibility, team=team, is_default=is_default, address=address)
    _check(by, view)
    with transaction.atomic(), recorded_as(user_id=by.pk, how="view"):
        # One at a time for one person, so that the bound holds.
        User.objects.select_for_update().get(pk=by.pk)
        if SavedView.objects.filter(owner=by).count() >= MOST_VIEWS:
            raise ViewRefused(f"You keep {MOST_VIEWS} views, which is as many as one person may. Delete one first.")
        _make_way(view)
        with _names_kept_apart(view):
            view.save()
    return view


def save_address(*, by: User, view_id: int, address: str, seen: str) -> SavedView:
    """Let a view open this address from now on, if it still opens the one that was seen. Raises StaleView.

    The address alone is compared: a new name, given meanwhile, is no conflict.
    """
    with transaction.atomic(), recorded_as(user_id=by.pk, how="view"):
        view = _locked(by, view_id)
        if view.address == address:
            return view  # whoever was first wrote the same
        if view.address != seen:
            raise StaleView(view)
        view.address = address
        _save(view, "address")
    return view


def change_view(
    *,
    by: User,
    view_id: int,
    name: str,
    visibility: str,
    team: Team | None,
    is_default: bool,
    seen_at: dt.datetime | None,
) -> SavedView:
    """Name, readers and whether it is their default. Raises StaleView."""
    with transaction.atomic(), recorded_as(user_id=by.pk, how="view"):
        view = _locked(by, view_id)
        if view.updated_at != seen_at:
            raise StaleView(view)
        was_default = view.is_default and view.visibility == visibility
        view.name, view.visibility, view.team, view.is_default = name, visibility, team, is_default
        if visibility == Visibility.PRIVATE and view.owner_id != by.pk:
            raise PermissionDenied("A view that others made cannot become yours alone: save it as a new one.")
        _check(by, view, was_default=was_default)
        _make_way(view)
        with _names_kept_apart(view):
            _save(view, "name", "visibility", "team", "is_default")
    return view


def delete_view(*, by: User, view_id: int) -> str:
    """It goes from the page and stays in history; its name."""
    with transaction.atomic(), recorded_as(user_id=by.pk, how="view"):
        view = _locked(by, view_id)
        view.delete()
    return view.name


def _locked(by: User, view_id: int) -> SavedView:
    view = SavedView.objects.select_for_update().get(pk=view_id)
    if not may_change(by, view):
        raise PermissionDenied("This view is not yours to change. Save it as a new one of your own.")
    return view


def _check(by: User, view: SavedView, *, was_default: bool = False) -> None:
    if not may_keep_for(by, view.visibility, view.team):
        raise PermissionDenied("You may not keep a view for these people.")
    if view.is_default and not was_default and not may_set_default(by, view.visibility):
        raise PermissionDenied("You may not choose what these people begin with.")


def _make_way(view: SavedView) -> None:
    """Where the view is to be the default, the former one is not any more."""
    if not view.is_default:
        return
    others: QuerySet[SavedView] = SavedView.objects.filter(visibility=view.visibility, is_default=True)
    if view.visibility == Visibility.PRIVATE:
        others = others.filter(owner=view.owner)
    elif view.visibility == Visibility.TEAM:
        others = others.filter(team=view.team)
    others.exclude(pk=view.pk).update(is_default=False, updated_at=timezone.now())


def _save(view: SavedView, *fields: str) -> None:
    view.updated_at = timezone.now()
    view.save(update_fields=[*fields, "updated_at"])


@contextmanager
def _names_kept_apart(view: SavedView) -> Iterator[None]:
    """The database's word on names and defaults, where somebody was faster than the form's look."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "saved_view_name" in str(error):
            raise ViewRefused(f"There is a view “{view.name}” here already. Take another name.") from error
        raise ViewRefused("Somebody chose another default at the same moment. Try again.") from error
