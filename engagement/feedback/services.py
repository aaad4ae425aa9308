"""Writes to themes. Each says which edit of the theme it saw; one that saw an older one is refused, never merged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from config.history import recorded_as
from engagement.feedback.reads import may_handle
from engagement.models import FeedbackTheme

Status = FeedbackTheme.Status
RULE = ("name", "categories", "words")
HANDLING = ("route", "status", "owner", "note", "link", "target_on", "done_on")


class StaleTheme(Exception):
    """Somebody else changed the theme since it was shown; `theme` is how it stands."""

    def __init__(self, theme: FeedbackTheme) -> None:
        super().__init__(f"{theme} was changed by somebody else meanwhile. This is how it stands now.")
        self.theme = theme


def create_theme(*, by: User, values: Mapping[str, Any], today: dt.date) -> FeedbackTheme:
    """Raises ValidationError by field."""
    if not by.is_admin:
        raise PermissionDenied("An admin says which tickets make a theme.")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        theme = FeedbackTheme()
        _set(theme, {name: values[name] for name in (*RULE, *HANDLING) if name in values}, today)
        theme.save()
    return theme


def edit_theme(
    *, by: User, theme_id: int, seen_edit_count: int, values: Mapping[str, Any], today: dt.date
) -> FeedbackTheme:
    """Writes the fields that `values` names. Its rule is an admin's; the rest belongs to who handles it.

    Raises FeedbackTheme.DoesNotExist, PermissionDenied, StaleTheme, and ValidationError by field.
    """
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        theme = FeedbackTheme.objects.select_for_update().get(pk=theme_id)
        if not may_handle(by, theme):
            raise PermissionDenied("A theme is handled by its owner, by managers and admins.")
        if not by.is_admin and any(name in values for name in RULE):
            raise PermissionDenied("An admin says which tickets make a theme.")
        if theme.edit_count != seen_edit_count:
            raise StaleTheme(theme)
        if _set(theme, values, today):
            theme.edit_count += 1
            theme.save()
    return theme


def move_theme(*, by: User, theme_id: int, seen_edit_count: int, status: str, today: dt.date) -> FeedbackTheme:
    """To another column. Raises what `edit_theme` raises."""
    values = {"status": status}
    return edit_theme(by=by, theme_id=theme_id, seen_edit_count=seen_edit_count, values=values, today=today)


def delete_theme(*, by: User, theme_id: int, seen_edit_count: int) -> None:
    """The theme only: tickets stay, and belong to whatever other theme has them."""
    if not by.is_admin:
        raise PermissionDenied("An admin says which tickets make a theme.")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        theme = FeedbackTheme.objects.select_for_update().get(pk=theme_id)
        if theme.edit_count != seen_edit_count:
            raise StaleTheme(theme)
        theme.delete()


def _set(theme: FeedbackTheme, values: Mapping[str, Any], today: dt.date) -> bool:
    """Whether anything differs. The day of being done follows the status, unless it is named."""
    before = {name: getattr(theme, name) for name in (*RULE, *HANDLING)}
    for name, value in values.items():
        setattr(theme, name, value)
    if theme.status == Status.DONE:
        theme.done_on = theme.done_on or today
        if theme.done_on > today:
            raise ValidationError({"done_on": f"{theme.done_on} is after today: it is not done yet."})
    else:
        theme.done_on = None
    if theme.status == Status.DECLINED and not theme.note.strip():
        raise ValidationError({"note": "Say in the note why it is declined."})
    theme.full_clean()
    return before != {name: getattr(theme, name) for name in before}
