"""Two people with one form open: neither takes back, without knowing it, what the other saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from django.forms import BaseForm, BoundField
from django.http import HttpRequest, QueryDict

SEEN = "seen"  # the hidden field with what a form was filled with, by field
AnyForm = TypeVar("AnyForm", bound=BaseForm)


def shown_values(form: BaseForm) -> dict[str, str]:
    """What is stored of each field, as the form shows it."""
    return {name: _text(form[name], form[name].initial) for name in form.fields}


def reconciled(request: HttpRequest, form_of: Callable[[QueryDict | None], AnyForm]) -> tuple[AnyForm, bool]:
    """The form of a row, and whether it is stale.

    A field that this person left as they saw it takes what somebody saved meanwhile. One that both changed is stale:
    the form says what it is now, and saves this person's word when it is sent again.
    """
    if request.method != "POST":
        return form_of(None), False
    form = form_of(request.POST)
    data, disputed = request.POST.copy(), []
    for name, was in _read_seen(request.POST.get(SEEN, "")).items():
        if name not in form.fields or form.fields[name].disabled:
            continue
        now, typed = _text(form[name], form[name].initial), _text(form[name], form[name].data)
        if now in (was, typed):
            continue
        if typed == was:
            data.setlist(form.add_prefix(name), [now] if now else [])
        else:
            disputed.append(f"{form[name].label} is {_word(form[name], now)} since")
    form = form_of(data)
    if not disputed:
        return form, False
    form.is_valid()
    form.add_error(
        None,
        f"Somebody else saved this while you had it open: {'; '.join(disputed)}. Nothing of yours is saved yet. "
        "Save again to put what stands here in its place.",
    )
    return form, True


def _read_seen(text: str) -> dict[str, str]:
    try:
        seen = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in seen.items()} if isinstance(seen, dict) else {}


def _text(field: BoundField, value: object) -> str:
    shown = field.field.prepare_value(value)
    return "" if shown in (None, False) else str(shown)


def _word(field: BoundField, value: str) -> str:
    labels = {str(key): str(label) for key, label in getattr(field.field, "choices", ())}
    return f"“{labels.get(value, value)}”" if value else "blank"
