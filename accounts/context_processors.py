"""What the shell around every page needs to know: where one can go, and where one is."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from accounts.models import User


@dataclass(frozen=True)
class RailItem:
    name: str
    label: str
    icon: str
    url: str = ""
    is_current: bool = False
    # The page that gives the number beside it; asked for after the page has come.
    count_name: str = ""
    count_url: str = ""


@dataclass(frozen=True)
class RailGroup:
    label: str  # blank: the first, which needs no heading
    items: tuple[RailItem, ...]
    roles: frozenset[str] = frozenset(User.Role.values)
    entries: str = ""


MANAGING = frozenset({User.Role.ADMIN, User.Role.MANAGER})
GROUPS = (
    RailGroup(
        "",
        (
            RailItem("renewals:table", "Renewals", "table"),
            RailItem("queue:list", "Decisions", "calendar-due"),
            RailItem("tasks:list", "Tasks", "checklist"),
            RailItem("notes:list", "Notes", "message", count_name="notes:unread"),
        ),
    ),
    RailGroup(
        "Customers",
        (
            RailItem("flags:list", "Flags", "flag"),
            RailItem("health:list", "Health", "heartbeat"),
            RailItem("coverage:page", "Coverage", "target"),
            RailItem("monitoring:list", "Unmonitored", "user-off"),
            RailItem("plans:list", "Plans", "checklist"),
            RailItem("mail:list", "Mail", "mail"),
            RailItem("support:list", "Support", "help"),
            RailItem("payments:overview", "Payments", "coin"),
            RailItem("feedback:board", "Feedback", "columns"),
        ),
    ),
    RailGroup(
        "Numbers",
        (
            RailItem("forecasting:overview", "Forecast", "chart-line"),
            RailItem("dashboards:home", "Dashboards", "chart-bar"),
            RailItem("quality:list", "Data quality", "zoom-exclamation"),
        ),
    ),
    RailGroup(
        "Records",
        (
            RailItem("imports:list", "Imports", "upload"),
            RailItem("history:log", "History", "history"),
        ),
        MANAGING,
    ),
    RailGroup(
        "Rules",
        (
            RailItem("rules:timing", "Timing policies", "adjustments"),
            RailItem("rules:weights", "Risk weights", "shield"),
            RailItem("health:weights", "Health weights", "heartbeat"),
            RailItem("quality:rules", "Data rules", "circle-check"),
            RailItem("flags:rules", "Flag rules", "flag"),
            RailItem("alerts:rules", "Alert rules", "bell"),
            RailItem("playbooks:list", "Playbooks", "notes"),
            RailItem("rules:lists", "Lists", "checklist"),
            RailItem("rules:company", "Company", "building"),
            RailItem("webhooks:list", "Webhooks", "link"),
            RailItem("people:users", "People", "users"),
        ),
        frozenset({User.Role.ADMIN}),
    ),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Template context `shell`: the rail's groups, each with its items and these as set; is_admin; sign_in_url.

    Lazy, so that a partial answer does not pay for it.
    """
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def _shell(request: HttpRequest) -> dict[str, Any]:
    role = getattr(request.user, "role", "")
    current = _current_name([item for group in _reachable(role) for item in group.items], request.path)
    return {"groups": _groups(role, current), "is_admin": role == User.Role.ADMIN, "sign_in_url": _sign_in_url()}


@cache
def _reachable(role: str) -> tuple[RailGroup, ...]:
    found = [(group, _with_urls(group.items)) for group in GROUPS if role in group.roles]
    return tuple(replace(group, items=items) for group, items in found if items)


@cache  # a page's whole list of rows is set in the time that this takes
def _groups(role: str, current: str) -> tuple[RailGroup, ...]:
    groups = []
    for group in _reachable(role):
        items = tuple(replace(item, is_current=item.name == current) for item in group.items)
        entries = render_to_string("shell/rail_items.html", {"items": items})
        groups.append(replace(group, items=items, entries=entries))
    return tuple(groups)


@cache
def _sign_in_url() -> str:
    return resolve_url(settings.LOGIN_URL)


def _with_urls(items: tuple[RailItem, ...]) -> tuple[RailItem, ...]:
    """The items whose page exists; an installation without one of the apps simply has no such entry."""
    found = []
    for item in items:
        try:
            count_url = reverse(item.count_name) if item.count_name else ""
            found.append(replace(item, url=reverse(item.name), count_url=count_url))
        except NoReverseMatch:
            continue
    return tuple(found)


def _current_name(items: list[RailItem], path: str) -> str:
    """The item the reader is in: the longest address that the path begins with, so a row's page marks its list."""
    matches = [item for item in items if path.startswith(item.url)]
    return max(matches, key=lambda item: len(item.url)).name if matches else ""
