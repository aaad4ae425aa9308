"""How the rules pages answer a saved change and an invalid form."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

INVALID = 422
CONFLICT = 409


def saved(request: HttpRequest, text: str, url: str, run_id: int | None = None) -> HttpResponse:
    """To the page, which says what was saved and, where scores follow from it, shows the recompute's progress."""
    messages.success(request, f"{text} The scores are being recomputed." if run_id is not None else text)
    separator = "&" if "?" in url else "?"
    return HttpResponseRedirect(url if run_id is None else f"{url}{separator}run={run_id}")


def render_form(
    request: HttpRequest, template: str, context: dict[str, Any], *, is_invalid: bool, is_stale: bool = False
) -> HttpResponse:
    return render(request, template, context, status=CONFLICT if is_stale else INVALID if is_invalid else 200)


def is_for_dialog(request: HttpRequest) -> bool:
    """Whether the form alone is asked for, to be shown in the shell's dialog.

    By an address of its own: a browser that went back must not find the fragment where the page was.
    """
    return "dialog" in request.GET
